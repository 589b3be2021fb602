"""A query and its answer, from a row in one of the forms that people have them in."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from configs.errors import InputError
from configs.row import Row, kind_of

_CONVERSATIONS = ("messages", "conversations", "conversation")
_USERS = frozenset({"user", "human", "prompter"})
_MODELS = frozenset({"assistant", "gpt", "model", "bot", "chatgpt"})


class Exchange(NamedTuple):
    """What a row holds.

    Attributes:
        joined: whether the row's further input was added to the query.
    """

    query: str
    answer: str
    joined: bool = False


def exchange_of(row: Row, query_field: str, answer_field: str, input_field: str | None, knobs: str) -> Exchange:
    """The exchange in a row: two fields (and a third one with further input, as Alpaca has it, which is joined to the
    query behind an empty line), or a conversation of one turn in ShareGPT's, OpenAI's or LIMA's form.

    Args:
        knobs: the settings' group, for complaints.

    Raises:
        InputError: a field is missing or holds something else than text, or a conversation has several turns.
    """
    if not row.has(query_field):
        for name in _CONVERSATIONS:
            if isinstance(row.value(name), list):
                return _conversation(row, name)
    query, answer = row.text(query_field, f"{knobs}.query_field"), row.text(answer_field, f"{knobs}.answer_field")
    further = None if input_field in (None, query_field, answer_field) else row.optional_text(str(input_field))
    if not (further or "").strip():
        return Exchange(query, answer)
    return Exchange(f"{query}\n\n{further}", answer, joined=True)


def _conversation(row: Row, field: str) -> Exchange:
    turns = [(role, text) for role, text in _turns(row, field)]
    if [role for role, _ in turns] != ["user", "assistant"]:
        roles = ", ".join(role for role, _ in turns[:6]) or "nothing"
        raise InputError(
            f"{row.place}: a demonstration is one question and its answer, and '{field}' holds {roles}; keep the rows "
            "with one of each, or cut them."
        )
    return Exchange(turns[0][1], turns[1][1])


def _turns(row: Row, field: str) -> Iterator[tuple[str, str]]:
    for number, turn in enumerate(row.value(field)):
        if isinstance(turn, str):  # LIMA
            yield "assistant" if number % 2 else "user", turn
            continue
        place = f"{row.place}, turn {number + 1} of '{field}'"
        if not isinstance(turn, dict):
            raise InputError(f"{place}: holds {kind_of(turn)}, not a text or an object with role and content.")
        said = Row(turn, place)
        role = _role(turn.get("role", turn.get("from")))
        yield role, said.text("content" if said.has("content") else "value")


def _role(name: Any) -> str:
    word = str(name).lower()
    return "user" if word in _USERS else "assistant" if word in _MODELS else word
