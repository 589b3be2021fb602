"""The found demonstrations, in the forms in which other tools take them: exactly what was scored."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from search.problem.candidate import OWN

if TYPE_CHECKING:
    from search.export.best_prompt import BestPrompt

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

Audience = Literal["people and demosearch", "a base model, which continues text", "a chat"]


class ExportForm(NamedTuple):
    """One of the forms in which a prompt is exported.

    Attributes:
        audience: for whom it is.
        summary: is written, in a few words of Markdown.
        names_decoding: says how the winner's answers were decoded.
    """

    audience: Audience
    summary: str
    names_decoding: bool = False


_PEOPLE: Audience = "people and demosearch"
_BASE: Audience = "a base model, which continues text"
_CHAT: Audience = "a chat"

FORMS: Mapping[Format, ExportForm] = {
    "urial": ExportForm(_PEOPLE, "a prompt file that loads as a base prompt again"),
    "json": ExportForm(_PEOPLE, "demonstrations, scores and provenance; `evaluate` reads it", True),
    "vllm": ExportForm(
        _BASE,
        "the shared prefix, what stands around a question, and a request for vLLM's and SGLang's `/v1/completions`",
        True,
    ),
    "langchain": ExportForm(
        _BASE,
        "`FewShotPromptTemplate(**content)`, or `ChatPromptTemplate(**content)` of a run with a chat template",
    ),
    "promptfoo": ExportForm(
        _BASE,
        "a configuration with prompt, provider and the held-out questions, for `promptfoo eval -c`",
        True,
    ),
    "messages": ExportForm(_CHAT, "a list of OpenAI messages, to which the question is to be added"),
    "openai": ExportForm(
        _CHAT,
        "`client.chat.completions.create(**content)`, with the question behind the last message's content",
        True,
    ),
    "hugging_face": ExportForm(_CHAT, "messages and arguments for a transformers tokenizer's `apply_chat_template`"),
    "chat_template": ExportForm(
        _CHAT,
        "a Jinja template with which a server spells chats as URIAL does (vLLM: `--chat-template`)",
    ),
    "dspy": ExportForm(
        _CHAT,
        'the state of a `dspy.Predict("query -> answer")`, for its `load`; DSPy spells prompts in its own way',
    ),
}
"""Every format; `demosearch export --help` and its choices come from here."""


def export(path: Path | str, form: Format, best_so_far: bool = False, anyway: bool = False) -> str:
    """The best candidate of the run at `path` as text in this form; README.md says what each is for.

    Args:
        best_so_far: also from a search that has not ended.
        anyway: the best candidate but the base prompt, where too little says that it is better.

    Raises:
        InputError: nothing is scored yet; or the search has not ended and `best_so_far` is not asked for; or the prompt
            cannot be written in this form.
    """
    from search.export.best_prompt import read_best_prompt  # noqa: PLC0415 -- numpy

    path = Path(path)
    return written(read_best_prompt(path, best_so_far, anyway), form)


def written(best: "BestPrompt", form: Format) -> str:
    """The text that this form has, or JSON. Raises InputError where the prompt cannot be written in this form."""
    from search.export.writers import WRITERS  # noqa: PLC0415 -- numpy

    content = WRITERS[form](best)
    return content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def caveat(best: "BestPrompt", form: Format) -> str:
    """What is to be known of this prompt in this form: how sure it is that it beats the base prompt, where too little
    says so; when the scores do not hold for this form as it is. "" where nothing is."""
    from search.results.wording import show_decoding  # noqa: PLC0415 -- numpy

    sentences = [best.warning, _other_prompt(best, form)]
    if best.decoding_name != OWN and not FORMS[form].names_decoding:
        sentences.append(
            f"the winner's answers were decoded as '{best.decoding_name}' ({show_decoding(best.decoding)}), which "
            "this form does not say: set it where you use the prompt"
        )
    return "; ".join(filter(None, sentences))


def _other_prompt(best: "BestPrompt", form: Format) -> str:
    if form == "dspy":
        return "DSPy spells its prompts in a way of its own: the scores are not those of what it will send"
    several = any(demonstration.further for demonstration in best.demonstrations)
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
