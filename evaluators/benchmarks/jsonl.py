"""Questions from rows of any shape; the config says which field is which."""

from hashlib import sha256
from typing import Any

from configs.errors import InputError
from configs.row import Row, is_blank
from configs.schema.data import QuestionsConfig
from evaluators.question import Question


def question_from_row(row: Row, config: QuestionsConfig) -> Question:
    """The question in a row.

    Raises:
        InputError: there is no query, or a field holds something else than text.
    """
    turns = texts(row, config.query_field)
    if not turns:
        row.text(config.query_field)
    if not turns or any(map(is_blank, turns)):
        raise InputError(f"{row.place}: the question in '{config.query_field}' is empty; fill it or delete the row")
    further = further_input(row, config) if config.input_field is not None and len(turns) == 1 else ""
    question_turns = (f"{turns[0]}\n\n{further}",) if further else tuple(turn or "" for turn in turns)
    key = row.identifier(config.id_field) or sha256("\0".join(question_turns).encode()).hexdigest()[:16]
    category = row.identifier(config.category_field) or ""
    return Question(key, question_turns, category, texts(row, config.reference_field))


def further_input(row: Row, config: QuestionsConfig) -> str:
    """The text that belongs to a row's question and stands in a field of its own, as Alpaca's `input`; "" for none."""
    field = config.input_field or "input"
    if field in (config.query_field, config.category_field, config.reference_field):
        return ""
    value = row.value(field)
    if not isinstance(value, str) or is_blank(value):
        return ""
    return row.text(field)


def texts(row: Row, field: str) -> tuple[str | None, ...]:
    """The text in a field, or a list of texts, one a turn; none where it is missing, null or an empty list."""
    value = row.value(field)
    if isinstance(value, list):
        _refuse_objects(row, field, value)
        return tuple(Row({field: text}, row.place).optional_text(field) for text in value)
    text = row.optional_text(field)
    return () if text is None else (text,)


def _refuse_objects(row: Row, field: str, values: list[Any]) -> None:
    """Raises InputError where a list holds objects, as a conversation does, and names the text that may be meant."""
    for number, value in enumerate(values):
        if isinstance(value, dict):
            role = {str(value.get("role")), str(value.get("from"))} & {"system", "developer"}
            name = next((name for name in ("content", "value", "text") if name in value), None)
            if name is not None and not role:
                raise InputError(
                    f"{row.place}: field '{field}' holds a list of objects, not text; name the text that is meant, "
                    f"such as '{field}[{number}].{name}'"
                )
