"""Queries and their answers, from a row in one of the forms that people have them in."""

from typing import Any, NamedTuple

from configs.conversation import conversation_field, messages
from configs.errors import InputError
from configs.row import Row, is_blank, kind_of
from configs.schema.data import PoolConfig
from search.prompts.demonstration import Turn


class Fields(NamedTuple):
    """Names of a row's fields.

    Attributes:
        query, answer: of the first turn, or of all turns where a row has lists there.
        input: further text that belongs to the first query; None where it is left out.
        follow_up_query, follow_up_answer: of the turns after those; None where they are left out.
        knobs: the settings' group that names them, for complaints.
    """

    query: str = "query"
    answer: str = "answer"
    input: str | None = "input"
    follow_up_query: str | None = "follow_up_query"
    follow_up_answer: str | None = "follow_up_answer"
    knobs: str = "variants[]"


class Exchange(NamedTuple):
    """What a row holds.

    Attributes:
        turns: at least one; their texts may be empty.
        joined: whether the row's further input was added to the first query.
    """

    turns: tuple[Turn, ...]
    joined: bool = False


def fields_of(config: PoolConfig) -> Fields:
    """Names of the fields in a pool's config."""
    return Fields(
        query=config.query_field,
        answer=config.answer_field,
        input=config.input_field,
        follow_up_query=config.follow_up_query_field,
        follow_up_answer=config.follow_up_answer_field,
        knobs="pool",
    )


def exchange_of(row: Row, fields: Fields) -> Exchange:
    """The turns in a row: two fields, with a text or a list of texts each (and a third one with further input, as
    Alpaca has it, which is joined to the first query behind an empty line), perhaps with a follow-up in two more; or a
    conversation in ShareGPT's, OpenAI's or LIMA's form, of which a system message in front is no turn.

    Raises:
        InputError: a field is missing or holds something else than text, a query has no answer, or a conversation is
            not a user and a model in turn.
    """
    if not row.has(fields.query) and (name := conversation_field(row)) is not None:
        return Exchange(_conversation(row, name))
    (query, answer), *later = _paired(row, fields)
    later += _follow_up(row, fields)
    further = None if fields.input in (None, fields.query, fields.answer) else _further_input(row, fields)
    if is_blank(further):
        return Exchange(((query, answer), *later))
    return Exchange(((f"{query}\n\n{further}", answer), *later), joined=True)


def _further_input(row: Row, fields: Fields) -> str | None:
    value = row.value(str(fields.input))
    if value is None or isinstance(value, str):
        return row.optional_text(str(fields.input))
    leave_out = f", or set {fields.knobs}.input_field to null to leave it out" if fields.knobs == "pool" else ""
    raise InputError(
        f"{row.place}: field '{fields.input}', which would stand behind the query, holds {kind_of(value)}, not text; "
        f"write it as text{leave_out}"
    )


def _paired(row: Row, fields: Fields) -> list[Turn]:
    """The turns in the fields of query and answer."""
    queries, answers = row.value(fields.query), row.value(fields.answer)
    if not isinstance(queries, list):
        query = row.text(fields.query, f"{fields.knobs}.query_field")
        return [(query, row.text(fields.answer, f"{fields.knobs}.answer_field"))]
    if not isinstance(answers, list) or len(answers) != len(queries) or not queries:
        has = f"{len(answers)}" if isinstance(answers, list) else "no list"
        raise InputError(
            f"{row.place}: '{fields.query}' is a list of {len(queries)}, and '{fields.answer}' has {has}; give a list "
            "of as many texts, one a turn"
        )
    return list(zip(_texts(row, fields.query, queries), _texts(row, fields.answer, answers), strict=True))


def _follow_up(row: Row, fields: Fields) -> list[Turn]:
    """The turns in the two fields of a follow-up; none where both are missing or empty."""
    names = (fields.follow_up_query, fields.follow_up_answer)
    if None in names or set(names) & {fields.query, fields.answer}:
        return []
    queries, answers = (_texts(row, str(name), row.value(str(name))) for name in names)
    if len(queries) != len(answers):
        raise InputError(
            f"{row.place}: '{names[0]}' and '{names[1]}' do not hold as many texts ({len(queries)} and "
            f"{len(answers)}); give every follow-up its answer, or leave both out"
        )
    return list(zip(queries, answers, strict=True))


def _texts(row: Row, field: str, value: Any) -> list[str]:
    """A list's texts; a text alone is one, unless it is empty."""
    if isinstance(value, list):
        return [Row({field: text}, row.place).text(field) for text in value]
    text = row.optional_text(field)
    return [] if text is None or is_blank(text) else [text]


def _conversation(row: Row, field: str) -> tuple[Turn, ...]:
    spoken = list(messages(row, field))
    if spoken and spoken[0].role == "system":  # `shared_system_message` is about it
        del spoken[0]
    roles = [message.role for message in spoken]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        shown = ", ".join(roles[:6]) + (", ..." if len(roles) > 6 else "") or "nothing"
        raise InputError(
            f"{row.place}: a demonstration alternates between user and assistant and ends with an answer, but "
            f"'{field}' holds {shown}; remove the {'system message' if 'system' in roles else 'extra turns'}, or the "
            "row"
        )
    texts = [message.text for message in spoken]
    return tuple(zip(texts[::2], texts[1::2], strict=True))
