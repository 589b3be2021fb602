"""The found demonstrations, in the forms in which other tools take them: exactly what was scored."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from search.export.best_prompt import BestPrompt, read_best_prompt
from search.export.chat import messages
from search.export.dspy_state import dspy_state
from search.export.hugging_face import chat_template, hugging_face
from search.export.json_record import record
from search.export.langchain import langchain_prompt
from search.export.openai import chat_request, completion_request
from search.export.promptfoo import promptfoo_config
from search.export.urial_file import urial_file
from search.problem.candidate import OWN
from search.results.wording import show_decoding

__all__ = ["Format", "caveat", "export", "read_best_prompt", "written"]

Format = Literal[
    "urial",
    "json",
    "messages",
    "openai",
    "hugging_face",
    "chat_template",
    "vllm",
    "langchain",
    "dspy",
    "promptfoo",
]

_WRITERS: Mapping[Format, Callable[[BestPrompt], object]] = {
    "urial": urial_file,
    "json": record,
    "messages": messages,
    "openai": chat_request,
    "hugging_face": hugging_face,
    "chat_template": chat_template,
    "vllm": completion_request,
    "langchain": langchain_prompt,
    "dspy": dspy_state,
    "promptfoo": promptfoo_config,
}
_WITH_DECODING = frozenset({"json", "openai", "vllm", "promptfoo"})


def export(path: Path, form: Format, best_so_far: bool = False, anyway: bool = False) -> str:
    """The best candidate of the run at `path` as text in this form; README.md says what each is for.

    Args:
        best_so_far: also from a search that has not ended.
        anyway: the best candidate but the base prompt, where too little says that it is better.

    Raises:
        InputError: nothing is scored yet; or the search has not ended and `best_so_far` is not asked for; or the prompt
            cannot be written in this form.
    """
    return written(read_best_prompt(path, best_so_far, anyway), form)


def written(best: BestPrompt, form: Format) -> str:
    """Text as it is, everything else as JSON. Raises InputError where the prompt cannot be written in this form."""
    content = _WRITERS[form](best)
    return content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def caveat(best: BestPrompt, form: Format) -> str:
    """What is to be known of this prompt in this form: how sure it is that it beats the base prompt, where too little
    says so; when the scores do not hold for this form as it is. "" where nothing is."""
    said = [best.warning, _other_prompt(best, form)]
    if best.decoding_name != OWN and form not in _WITH_DECODING:
        said.append(
            f"the winner's answers were decoded as '{best.decoding_name}' ({show_decoding(best.decoding)}), which "
            "this form does not say: set it where you use the prompt"
        )
    return "; ".join(filter(None, said))


def _other_prompt(best: BestPrompt, form: Format) -> str:
    if form == "dspy":
        return "DSPy spells its prompts in a way of its own: the scores are not those of what it will send"
    several = any(one.further for one in best.demonstrations)
    if form == "urial" and several and best.config.render.separation_tag is None:
        return (
            "this file is the prompt that was scored, but without a separation tag it does not say which turns belong "
            "together: read as a base prompt, every turn is a demonstration of its own; `--format json` keeps them"
        )
    if form in ("messages", "openai") and not best.is_chat:
        return (
            "this is the prompt that was scored only on a server that spells chats with the template of `--format "
            "chat_template` (vLLM, SGLang: --chat-template); anywhere else measure it again with `demosearch evaluate`"
        )
    return ""
