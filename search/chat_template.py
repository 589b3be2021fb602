"""Prompts in a model's own chat template: rules as the system message, demonstrations as turns."""

from collections.abc import Sequence
from typing import Protocol, cast

from configs.errors import InputError
from configs.schema import ModelConfig
from search.demonstration import Demonstration
from search.urial import BACKTICKS, prompt_file
from workers.prompt import PromptBlock

Message = dict[str, str]

# Llama 3's templates write today's date unless told one; a resumed run would meet another prompt tomorrow.
_DATE = "26 Jul 2024"


class ChatTokenizer(Protocol):
    """The part of a transformers tokenizer that is used here."""

    def apply_chat_template(self, conversation: list[Message], **options: object) -> str: ...


def load_tokenizer(model: ModelConfig) -> ChatTokenizer:
    """The tokenizer of a model.

    Raises:
        InputError: there is none, or it has no chat template.
    """
    from transformers import AutoTokenizer  # noqa: PLC0415 - heavy, and only chat templates need it

    try:
        tokenizer = AutoTokenizer.from_pretrained(model.name, revision=model.revision)
    except Exception as error:  # the library raises OSError, ValueError, KeyError and more for a bad model
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise InputError(f"The tokenizer of '{model.name}' cannot be loaded ({reason}); check model.name.") from None
    if not getattr(tokenizer, "chat_template", None):
        raise InputError(
            f"The tokenizer of '{model.name}' has no chat template; set render.template to urial_backticks."
        )
    return cast(ChatTokenizer, tokenizer)


def chat_messages(
    rules: str, demonstrations: Sequence[Demonstration], query: str, system_role: bool = True
) -> list[Message]:
    """The conversation that ends in the query; without a system role, the rules open the first user message."""
    turns = [text for one in demonstrations for text in (one.query, one.answer)]
    spoken = [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate([*turns, query])]
    rules = rules.strip()
    if rules and system_role:
        return [{"role": "system", "content": rules}, *spoken]
    if rules:
        spoken[0]["content"] = f"{rules}\n\n{spoken[0]['content']}"
    return spoken


class ChatRenderer:
    """A chat template.

    Where it has no system role, the rules stand in front of the first user message.
    """

    stop: tuple[str, ...] = ()  # a turn ends with a token of the model, not with text

    def __init__(self, tokenizer: ChatTokenizer) -> None:
        self._tokenizer = tokenizer
        self._has_system_role = self._shows_system_message()

    def block(self, rules: str, demonstrations: Sequence[Demonstration], queries: Sequence[str]) -> PromptBlock:
        prompts = [self._prompt(rules, demonstrations, query) for query in queries]
        # Two questions with nothing in common show where the shared part ends, whatever the real questions share.
        probes = [self._prompt(rules, demonstrations, query) for query in ("a", "b")]
        prefix = _shared_start([*probes, *prompts])
        return PromptBlock(prefix, tuple(prompt[len(prefix) :] for prompt in prompts), bos=False)

    def clean(self, answer: str) -> str:
        return answer.strip()

    def holds(self, demonstration: Demonstration) -> bool:
        return BACKTICKS.holds(demonstration.query, demonstration.answer)

    def prompt_text(self, rules: str, demonstrations: Sequence[Demonstration]) -> str:
        return prompt_file(BACKTICKS, rules, demonstrations)

    def _prompt(self, rules: str, demonstrations: Sequence[Demonstration], query: str) -> str:
        return self._spell(chat_messages(rules, demonstrations, query, self._has_system_role))

    def _spell(self, messages: list[Message]) -> str:
        return self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, date_string=_DATE
        )

    def _shows_system_message(self) -> bool:
        from jinja2 import TemplateError  # noqa: PLC0415 - comes with transformers, not with demosearch

        probe = "the rules of this conversation"
        try:
            return probe in self._spell([{"role": "system", "content": probe}, {"role": "user", "content": "a"}])
        except TemplateError:
            return False


def _shared_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)  # whatever these two share, all in between share
    length = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:length]
