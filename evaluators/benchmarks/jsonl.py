"""Questions from rows of any shape; the config says which field is which."""

from hashlib import sha256

from configs.errors import InputError
from configs.row import Row
from configs.schema import QuestionsConfig
from evaluators.question import Question


def question_from_row(row: Row, config: QuestionsConfig) -> Question:
    """The question in a row.

    Raises:
        InputError: there is no query, or a field holds something else than text.
    """
    query = first_turn(row, config.query_field)
    if query is None:
        row.text(config.query_field)
    if not (query or "").strip():
        raise InputError(f"{row.place}: the question in '{config.query_field}' is empty; fill it or delete the row.")
    key = row.identifier(config.id_field) or sha256((query or "").encode()).hexdigest()[:16]
    category = row.identifier(config.category_field) or ""
    return Question(key, query or "", category, first_turn(row, config.reference_field))


def first_turn(row: Row, field: str) -> str | None:
    """The text in a field, or the first of a list of turns; None where it is missing, null or an empty list."""
    value = row.get(field)
    if not isinstance(value, list):
        return row.optional_text(field)
    return Row({field: value[0]}, row.place).optional_text(field) if value else None
