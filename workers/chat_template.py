"""A model's own chat template: from messages to the text that the model was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast

from configs.errors import InputError, reason_of
from workers.control_tokens import without_tokens
from workers.failures import ChatTemplateMissing
from workers.prompt import ChatMessage

SPELLING = "chat-template/2"
"""Raise it whenever some messages would become another text: it is part of what is known of a judge's model."""

# Llama 3's templates write today's date unless told one; a resumed run would meet another prompt tomorrow.
DATE = "26 Jul 2024"
_PROBE = "the rules of this conversation"
_PARTS_OF_THE_DAY = {
    "%-d": "26", "%e": "26", "%-m": "7", "%-H": "0", "%-I": "12", "%F": "2024-07-26", "%D": "07/26/24",
    "%T": "00:00:00", "%R": "00:00", "%c": "Fri Jul 26 00:00:00 2024", "%x": "07/26/24", "%X": "00:00:00",
    "%Y": "2024", "%y": "24", "%m": "07", "%d": "26", "%B": "July", "%b": "Jul", "%h": "Jul", "%A": "Friday",
    "%a": "Fri", "%j": "208", "%H": "00", "%I": "12", "%M": "00", "%S": "00", "%p": "AM", "%Z": "", "%z": "",
}  # fmt: skip
_DAY = (
    "{% macro strftime_now(format) %}{{ format"
    + "".join(f"|replace('{part}', '{text}')" for part, text in _PARTS_OF_THE_DAY.items())
    + " }}{% endmacro +%}"
)
"""Jinja that stands in for the clock of transformers, which cannot be given another one."""


class ChatTokenizer(Protocol):
    """The part of a transformers tokenizer that is used here."""

    def apply_chat_template(self, conversation: list[ChatMessage], **options: object) -> str: ...


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """A chat template as text: it spells chats where its tokenizer is gone.

    Attributes:
        text: in Jinja.
        special_tokens: by the names that the template has for them.
    """

    text: str
    special_tokens: Mapping[str, Any]

    @classmethod
    def of(cls, tokenizer: Any) -> Self:
        """The template of a transformers tokenizer."""
        tokens = {
            name: token if isinstance(token, list) else str(token)
            for name, token in tokenizer.special_tokens_map.items()
        }
        return cls(tokenizer.get_chat_template(), tokens)

    def apply_chat_template(self, conversation: list[ChatMessage], **options: object) -> str:
        """The text that the tokenizer gives for these messages; raises jinja2.TemplateError as it does."""
        from transformers.utils.chat_template_utils import render_jinja_template  # noqa: PLC0415 -- heavy

        chats: list[list[dict[str, Any]]] = [[dict(message) for message in conversation]]
        given: dict[str, Any] = {**self.special_tokens, **options}
        del given["tokenize"]
        spelled: Any = render_jinja_template(chats, chat_template=self.text, **given)
        return str(spelled[0][0])


class ChatTemplate:
    """Spells chats as a model was trained on them. Where it has no system role, the system message opens the first user
    message. Control tokens of the tokenizer inside a message are text, see `workers.control_tokens`."""

    def __init__(self, tokenizer: ChatTokenizer) -> None:
        self._tokenizer = tokenizer
        self._control_tokens = _control_tokens(tokenizer)
        self._has_system_role = self._shows_system_message()

    @classmethod
    def load(cls, name: str, revision: str | None, knob: str, advice: str, *, rates: bool = False) -> Self:
        """The template of a model; its tokenizer is loaded, its weights are not.

        Args:
            name: a folder, or the name of a hub model.
            revision: of the hub model.
            knob: what `name` is called in the config, for messages.
            advice: what to do when it has none.
            rates: it is a reward model, which is shown chats with their answers and may have words for no others.

        Raises:
            InputError: there is no tokenizer, or its chat template cannot be used.
            ChatTemplateMissing: it has no chat template.
        """
        from transformers import AutoTokenizer  # noqa: PLC0415 -- heavy, and only chat templates need it

        try:
            tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
        except Exception as error:  # the library raises OSError, ValueError, KeyError and more for a bad model
            raise InputError(f"the tokenizer of '{name}' cannot be loaded ({reason_of(error)}); check {knob}") from None
        if not getattr(tokenizer, "chat_template", None):
            raise ChatTemplateMissing(f"the tokenizer of '{name}' has no chat template; {advice}")
        try:
            tokenizer.chat_template = on_one_day(tokenizer.get_chat_template())
            template = cls(cast(ChatTokenizer, tokenizer))
            question: ChatMessage = {"role": "user", "content": _PROBE}
            if rates:
                shown = template.transcript([question, {"role": "assistant", "content": "a"}])
            else:
                shown = template.prompt([{"role": "system", "content": "rules"}, question])
        except Exception as error:  # jinja2's errors, ValueError, and whatever a template does to Python's values
            raise InputError(
                f"the chat template of '{name}' cannot be used ({reason_of(error)}); check {knob}, or {advice}"
            ) from None
        if _PROBE not in shown:
            raise InputError(
                f"the chat template of '{name}' leaves out what a user says in plain text, as those of models for "
                f"images may; check {knob}, or {advice}"
            )
        return template

    @property
    def version(self) -> str:
        """The version of what it spells. With a clock that stands still it is another one than with one that goes."""
        asks_clock = str(getattr(self._tokenizer, "chat_template", "")).startswith(_DAY)
        return f"{SPELLING} on {DATE}" if asks_clock else SPELLING

    @property
    def stored(self) -> StoredTemplate:
        """What spells the same chats without the tokenizer."""
        return self._tokenizer if isinstance(self._tokenizer, StoredTemplate) else StoredTemplate.of(self._tokenizer)

    def prompt(self, messages: Sequence[ChatMessage]) -> str:
        """The chat, open for the model's answer. It spells its own begin-of-text."""
        return self._spell(messages, True)

    def transcript(self, messages: Sequence[ChatMessage]) -> str:
        """The chat, its last answer closed."""
        return self._spell(messages, False)

    def fitting(self, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
        """The same chat in the roles that the template has."""
        return list(messages) if self._has_system_role else _without_system(messages)

    def _spell(self, messages: Sequence[ChatMessage], is_open: bool) -> str:
        messages = [{"role": message["role"], "content": self._plain(message["content"])} for message in messages]
        return self._apply(self.fitting(messages), is_open)

    def _plain(self, content: str) -> str:
        return without_tokens(content, self._control_tokens)

    def _apply(self, messages: list[ChatMessage], is_open: bool) -> str:
        return self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=is_open, date_string=DATE
        )

    def _shows_system_message(self) -> bool:
        from jinja2 import TemplateError  # noqa: PLC0415 -- comes with transformers, not with demosearch

        try:
            return _PROBE in self._apply(
                [{"role": "system", "content": _PROBE}, {"role": "user", "content": "a"}], is_open=True
            )
        except TemplateError:
            return False


def on_one_day(template: str) -> str:
    """A template that asks for today's date, as Mistral's, gpt-oss', Granite's and SmolLM3's, with the answer always
    the same; any other one as it is."""
    return template if "strftime_now" not in template or template.startswith(_DAY) else _DAY + template


def arguments_of_the_day(template: str) -> dict[str, str]:
    """What a tokenizer's `apply_chat_template`, or a request to vLLM, is given to spell a chat with the same date.

    Args:
        template: as it was loaded here.
    """
    return {"date_string": DATE} | ({"chat_template": template} if template.startswith(_DAY) else {})


class LoadTemplate(Protocol):
    """What loads the template of a model, as `ChatTemplate.load` does."""

    def __call__(
        self, name: str, revision: str | None, knob: str, advice: str, *, rates: bool = False
    ) -> ChatTemplate: ...


def _control_tokens(tokenizer: object) -> frozenset[str]:
    """The tokenizer's special tokens, as far as it says which they are."""
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    special = getattr(tokenizer, "all_special_tokens", [])
    return frozenset(str(token) for token in (*(token for token in added if token.special), *special))


def _without_system(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    if len(messages) < 2 or messages[0]["role"] != "system":
        return list(messages)
    rules, first, *rest = messages
    return [{"role": first["role"], "content": f"{rules['content']}\n\n{first['content']}"}, *rest]
