"""Arguments of LangChain's prompts, in its f-string format: doubled braces are braces."""

from typing import Any

from search.export.best_prompt import BestPrompt
from search.export.chat import open_chat
from search.export.question_slot import spelling
from search.prompts.urial import FORMS

_QUESTION = "{question}"


def langchain_prompt(best: BestPrompt) -> dict[str, Any]:
    """Write a `FewShotPromptTemplate` where the model continues text, a `ChatPromptTemplate` where it was scored in a
    chat template; the variable is `question`."""
    return _chat(best) if best.is_chat else _few_shot(best)


def _few_shot(best: BestPrompt) -> dict[str, Any]:
    form, spelled = FORMS[best.config.render.template], spelling(best)
    shown = [(one.query.strip(form.trimmed), one.answer.strip(form.trimmed)) for one in best.demonstrations]
    return {
        "prefix": doubled(best.material.rules),
        "examples": [{"query": doubled(query), "answer": doubled(answer)} for query, answer in shown],
        "example_prompt": {
            "input_variables": ["query", "answer"],
            "template": f"{form.opening}{{query}}{form.middle}{{answer}}{form.closing}",
        },
        "suffix": spelled.before + _QUESTION + spelled.after,
        "example_separator": "",
        "input_variables": ["question"],
        "template_format": "f-string",
    }


def _chat(best: BestPrompt) -> dict[str, Any]:
    *spoken, question = open_chat(best)
    return {
        "messages": [
            *({"role": one["role"], "content": doubled(one["content"])} for one in spoken),
            {"role": "user", "content": doubled(question["content"]) + _QUESTION},
        ]
    }


def doubled(text: str) -> str:
    """What an f-string shows as this text; LangChain formats examples twice, their values only the second time."""
    return text.replace("{", "{{").replace("}", "}}")
