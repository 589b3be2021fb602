"""A promptfoo configuration: prompt, provider, and the held-out questions as tests.

promptfoo renders a prompt with Nunjucks, and the variables of its tests before that. So every brace that could open a
tag is written as a tag that shows one, in the prompt as in the questions.
"""

import re
from typing import Any

from configs.schema.model import ServedModelConfig
from search.export.best_prompt import BestPrompt
from search.export.openai import fields
from search.export.question_slot import spelling

_HERE = "http://127.0.0.1:8000/v1"
_OPENAI = "https://api.openai.com/v1"
_OPENS = re.compile(r"\{(?=[{%#])|\{\Z")
_ENDS = re.compile(r"#(?=\}|\Z)")
_LOADS = ("file://", "package:")


def promptfoo_config(best: BestPrompt) -> dict[str, Any]:
    """A config for `promptfoo eval -c FILE`; its provider is `model.service`'s server, else one on this machine."""
    spelled = spelling(best)
    return {
        "description": f"demosearch run {literal(best.status.run)}",
        "prompts": [
            {
                "label": "demosearch",
                "raw": f"{literal(spelled.prefix + spelled.before)}{{{{ question }}}}{literal(spelled.after)}",
            }
        ],
        "providers": [_provider(best)],
        "tests": [
            {"description": literal(question.id), "vars": {"question": variable(question.query.strip(spelled.strip))}}
            for question in best.material.held_out
        ],
    }


def _provider(best: BestPrompt) -> dict[str, Any]:
    model = best.config.model
    service = model.service if isinstance(model, ServedModelConfig) else None
    variable_name = service.api_key_variable if service else None
    return {
        "id": f"openai:completion:{model.name}",
        "config": {
            "apiBaseUrl": (service and service.base_url) or (_OPENAI if service else _HERE),
            **({"apiKeyEnvar": variable_name} if variable_name else {"apiKeyRequired": False}),
            "passthrough": {"stop": []} | fields(best),  # it has stop strings of its own where none are given
        },
    }


def literal(text: str) -> str:
    """What Nunjucks shows as this text: it minds the end of a comment that has not begun, too."""
    return _ENDS.sub('{{ "{" and "#" }}', _OPENS.sub('{{ "{" }}', text))


def variable(text: str) -> str:
    """What promptfoo makes this text of: it also takes away a last line end, and loads files that are named."""
    shown = literal(text.removesuffix("\n"))
    if text.endswith("\n"):
        shown += r'{{ "{" and "\n" }}'
    if shown.startswith(_LOADS):
        shown = f'{{{{ "{{" and "{shown[0]}" }}}}{shown[1:]}'
    return shown
