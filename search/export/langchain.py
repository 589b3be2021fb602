"""Arguments of LangChain's prompts, in its f-string format: doubled braces are braces."""

from collections.abc import Iterator
from typing import Any

from search.export.best_prompt import BestPrompt
from search.export.chat import open_chat
from search.export.question_slot import spelling
from search.prompts.demonstration import Demonstration
from search.prompts.urial import UrialForm, form_of

_QUESTION = "{question}"


def langchain_prompt(best: BestPrompt) -> dict[str, Any]:
    """Write a `FewShotPromptTemplate` where the model continues text, a `ChatPromptTemplate` where it was scored in a
    chat template; the variable is `question`."""
    return _chat(best) if best.is_chat else _few_shot(best)


def _few_shot(best: BestPrompt) -> dict[str, Any]:
    form, spelled = form_of(best.config.render), spelling(best)
    tag = "{tag}" if form.start or form.between else ""
    return {
        "prefix": doubled(best.material.rules),
        "examples": [example for demonstration in best.demonstrations for example in _examples(demonstration, form)],
        "example_prompt": {
            "input_variables": [*(["tag"] if tag else []), "query", "answer"],
            "template": f"{tag}{form.opening}{{query}}{form.middle}{{answer}}{form.closing}",
        },
        "suffix": doubled(spelled.before) + _QUESTION + spelled.after,
        "example_separator": "",
        "input_variables": ["question"],
        "template_format": "f-string",
    }


def _examples(demonstration: Demonstration, form: UrialForm) -> Iterator[dict[str, str]]:
    """An example a turn, with what stands in front of it where prompts have a separation tag."""
    for number, (query, answer) in enumerate(demonstration.turns):
        tag = {"tag": doubled(form.between if number else form.start)} if form.start or form.between else {}
        yield tag | {"query": doubled(query.strip(form.trimmed)), "answer": doubled(answer.strip(form.trimmed))}


def _chat(best: BestPrompt) -> dict[str, Any]:
    *spoken, question = open_chat(best)
    return {
        "messages": [
            *({"role": message["role"], "content": doubled(message["content"])} for message in spoken),
            {"role": "user", "content": doubled(question["content"]) + _QUESTION},
        ]
    }


def doubled(text: str) -> str:
    """What an f-string shows as this text; LangChain formats examples twice, their values only the second time."""
    return text.replace("{", "{{").replace("}", "}}")
