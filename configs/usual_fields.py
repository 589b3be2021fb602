"""Fields of questions and of a pool, found by the names that people's data usually have."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from configs.conversation import CONVERSATION_FIELDS, conversation_field, first_exchange, shared_system_message
from configs.errors import InputError
from configs.records import read_rows
from configs.row import Row

QUERY_FIELDS = ("query", "instruction", "question", "prompt", "input", "text", "turns")
ANSWER_FIELDS = ("answer", "output", "response", "completion", "chosen", "target")
REFERENCE_FIELDS = ("reference", "gold", "ideal", "expected", "ground_truth", *ANSWER_FIELDS)


def question_fields(path: Path) -> tuple[str, str | None]:
    """Fields of question and reference answer; of conversations, the user's first message and the answer to it.

    Returns:
        None for a reference answer that the first row does not have.

    Raises:
        InputError: the file cannot be read, its first row has no question, or a conversation has it in another place.
    """
    row, *others = read_rows(path)
    query, reference = _find(row, QUERY_FIELDS), _find(row, REFERENCE_FIELDS)
    if query is not None:
        return query, reference
    asked, answered = first_exchange(row)
    if asked is None:
        raise _missing(row, QUERY_FIELDS, "questions.query_field")
    for other in others:
        if first_exchange(other)[0] != asked or (reference is None and not _same_answer(other, answered)):
            raise InputError(
                f"{other.place}: the first question and its answer do not stand where those of the first row do, "
                f"{' and '.join(filter(None, (asked, answered)))}, and settings name one place for all rows; give all "
                "rows the same roles (a system message, say, in all or in none), or texts in fields of their own"
            )
    return asked, reference or answered


def _same_answer(row: Row, answered: str | None) -> bool:
    """Whether nothing but the answer to the first question stands where the first row has it."""
    return answered is None or not row.has(answered) or first_exchange(row)[1] == answered


def require_reference(questions: Path) -> None:
    """Raises InputError where the first row has no reference answer, which the judge `reference` compares with."""
    if question_fields(questions)[1] is None:
        raise InputError(
            f"{_without(read_rows(questions)[0], REFERENCE_FIELDS)}, which the judge 'reference' needs: "
            f"rename a field in the data, choose another judge, or {_by_hand('questions.reference_field')}"
        )


def _find(row: Row, names: Sequence[str]) -> str | None:
    """The first of these fields, also inside others, that the row has with something in it."""
    return next((name for name in (*names, *_inside(row, names)) if row.has(name) and row.value(name)), None)


def _missing(row: Row, names: Sequence[str], knob: str) -> InputError:
    return InputError(f"{_without(row, names)}: rename a field in the data, or {_by_hand(knob)}")


def _without(row: Row, names: Sequence[str]) -> str:
    return f"{row.place}: has {', '.join(map(str, row))}, but none of {', '.join(names)}"


def _by_hand(knob: str) -> str:
    return f"write the config yourself, with `{knob}: instances[0].input` for a field inside others"


def _inside(row: Row, names: Sequence[str]) -> Iterator[str]:
    """Find these fields inside other fields, as knobs write them: `instances[0].input`; not inside conversations."""
    for name, value in row.items():
        if isinstance(value, list) and value and isinstance(value[0], dict) and name not in CONVERSATION_FIELDS:
            yield from (f"{name}[0].{field}" for field in names if field in value[0])
        elif isinstance(value, dict):
            yield from (f"{name}.{field}" for field in names if field in value)


class PoolFields(NamedTuple):
    """How a pool is read.

    Attributes:
        query, answer: names of fields.
        system_message: that all rows begin with that are conversations and have no such query; "" without one.
    """

    query: str
    answer: str
    system_message: str


def pool_fields(path: Path) -> PoolFields:
    """Fields of query and answer; the usual ones where the first row is a conversation, which is read without them.

    Raises:
        InputError: the file cannot be read, its first row has neither, or conversations differ in their system message.
    """
    rows = read_rows(path)
    query, answer = _find(rows[0], QUERY_FIELDS), _find(rows[0], ANSWER_FIELDS)
    if not query or not answer:
        if conversation_field(rows[0]) is None:
            names, knob = (ANSWER_FIELDS, "pool.answer_field") if query else (QUERY_FIELDS, "pool.query_field")
            raise _missing(rows[0], names, knob)
        query, answer = QUERY_FIELDS[0], ANSWER_FIELDS[0]
    return PoolFields(query, answer, shared_system_message(rows, query))
