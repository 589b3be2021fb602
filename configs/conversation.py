"""Conversations in a row of data, as ShareGPT, OpenAI and LIMA write them."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from configs.errors import InputError
from configs.row import Row, is_blank, kind_of

CONVERSATION_FIELDS = ("messages", "conversations", "conversation")
"""Fields of rows that hold conversations, by their usual names."""

_SYSTEMS = frozenset({"system", "developer"})
_USERS = frozenset({"user", "human", "prompter"})
_MODELS = frozenset({"assistant", "gpt", "model", "bot", "chatgpt", "chatbot", "ai"})


class Message(NamedTuple):
    """What somebody said.

    Attributes:
        role: `user`, `assistant`, `system`, or another one in small letters.
        text: may be empty.
        field: in which it stands, as settings name it: `messages[0].content`.
    """

    role: str
    text: str
    field: str


def conversation_field(row: Row) -> str | None:
    """The first of the usual fields that holds a list."""
    return next((name for name in CONVERSATION_FIELDS if isinstance(row.value(name), list)), None)


def messages(row: Row, field: str) -> Iterator[Message]:
    """The messages of the list in this field; texts alone are a user's and a model's in turn.

    Raises:
        InputError: one is neither a text nor an object with a role and a text.
    """
    for number, message in enumerate(row.value(field)):
        if isinstance(message, str):  # LIMA
            yield Message("assistant" if number % 2 else "user", message, f"{field}[{number}]")
            continue
        place = f"{row.place}, turn {number + 1} of '{field}'"
        if not isinstance(message, dict):
            raise InputError(f"{place}: holds {kind_of(message)}, not a text or an object with role and content")
        inner = Row(message, place)
        name = next((name for name in ("content", "value", "text") if inner.has(name)), "content")
        yield Message(_role(message.get("role", message.get("from"))), inner.text(name), f"{field}[{number}].{name}")


def first_exchange(row: Row) -> tuple[str | None, str | None]:
    """Fields of the user's first message in a row's conversation, and of the model's directly after it; None without.

    Raises:
        InputError: a message is neither a text nor an object with a role and a text.
    """
    field = conversation_field(row)
    spoken = [] if field is None else list(messages(row, field))
    asked = next((at for at, message in enumerate(spoken) if message.role == "user"), None)
    if asked is None:
        return None, None
    answer = next(iter(spoken[asked + 1 :]), None)
    return spoken[asked].field, answer.field if answer is not None and answer.role == "assistant" else None


def shared_system_message(rows: Iterable[Row], query_field: str) -> str:
    """The system message that all conversations of these rows begin with, as fine-tuning files have it; "" without one.

    Args:
        query_field: a row that has it is read by it, and is no conversation.

    Raises:
        InputError: they differ in it; or a message is neither a text nor an object with a role and a text.
    """
    first: tuple[Row, str] | None = None
    for row in rows:
        if row.has(query_field) or (field := conversation_field(row)) is None:
            continue
        opening = next(messages(row, field), None)
        text = opening.text if opening and opening.role == "system" and not is_blank(opening.text) else ""
        first = first or (row, text)
        if text != first[1]:
            has = (
                "another system message than"
                if text and first[1]
                else f"{'a' if text else 'no'} system message, unlike"
            )
            raise InputError(
                f"{row.place}: has {has} {first[0].place}; a prompt has one set of rules for all of them: give all "
                "conversations the same system message, or none"
            )
    return first[1] if first else ""


def is_answer(message: Any) -> bool:
    """Whether a message of a conversation is a model's."""
    return isinstance(message, dict) and _role(message.get("role", message.get("from"))) == "assistant"


def _role(name: Any) -> str:
    word = str(name).lower()
    kinds = {"user": _USERS, "assistant": _MODELS, "system": _SYSTEMS}
    return next((kind for kind, words in kinds.items() if word in words), word)
