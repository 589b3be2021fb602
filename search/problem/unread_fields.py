"""Text of rows that belongs to their questions, and that nobody reads: the passage, the choices, the system message."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from configs.conversation import CONVERSATION_FIELDS, is_answer
from configs.plural import show_many
from configs.row import Row, is_blank
from configs.usual_fields import REFERENCE_FIELDS

_BELONGS = frozenset(
    {
        "article", "background", "body", "choices", "context", "contexts", "definition", "dialog", "dialogue",
        "document", "documents", "endings", "evidence", "facts", "follow_up_query", "functions", "history",
        "hypothesis", "image", "images", "input", "inputs", "instruction", "instructions", "knowledge",
        "options", "paragraph", "passage", "passages", "premise", "schema", "selftext", "sentence1",
        "sentence2", "sql_context", "story", "system", "system_message", "system_prompt", "table", "tools",
        *CONVERSATION_FIELDS,
    }
)  # fmt: skip
_ANSWERS = frozenset({*REFERENCE_FIELDS, "explanation", "rationale", "reasoning", "rejected", "solution"})
_INSIDE = re.compile(r"[.\[\]]+")  # what parts the steps of `choices[0].text`
_LEAST_WORDS = 3  # of a text that says something, as no id, label or address does


class ReadRow(NamedTuple):
    """A row, and what was read of it.

    Attributes:
        query_field: that holds the query, also inside a conversation; the conversation's own name where all of it is
            read.
        read: all fields that are read, `query_field` included.
    """

    row: Row
    query_field: str
    read: Collection[str]


def unread_fields(rows: Sequence[ReadRow], source: str, knob: str) -> Iterator[str]:
    """Sentences on fields that belong to the queries by their names, and on those in which rows differ that ask the
    same.

    Args:
        source: of the rows, for people.
        knob: that names a field whose text stands behind the query.
    """
    having: dict[str, list[ReadRow]] = defaultdict(list)
    for read_row in rows:
        for field in _left_out(read_row):
            having[field].append(read_row)
    for field, those in sorted(having.items()):
        rows_have = show_many(len(those), "row has", "rows have")
        further = any(field == query_field.partition("[")[0] for _, query_field, _ in those)
        things = "further messages in '{}', which are" if further else "something in '{}', which is"
        shared = ", and what all of them share, as a system message, in the rules of the base prompt" if further else ""
        yield f"{source}: {rows_have} {things.format(field)} left out; {_cure(field, those, knob)}{shared}"
    parting = parting_field(rows)
    if parting is not None and parting not in having:
        yield (
            f"{source}: rows with the same question differ in '{parting}', which is left out; where that belongs to "
            f"the query, name its field as {knob}"
        )


def parting_field(rows: Sequence[ReadRow]) -> str | None:
    """A field with text that nobody reads, and that is another one in each of the rows that ask the same; None where
    there is none, or no query stands twice. By its name it is no answer: a query may have several."""
    by_query: dict[str, list[ReadRow]] = defaultdict(list)
    for read_row in rows:
        query = read_row.row.value(read_row.query_field)
        if isinstance(query, str):
            by_query[" ".join(query.split()).casefold()].append(read_row)
    groups = [group for group in by_query.values() if len(group) > 1]
    fields = (field for group in groups for field in group[0].row if field not in group[0].read)
    named = dict.fromkeys(field for field in fields if not _is_answer_field(field))
    return next((field for field in named if all(_parts(field, group) for group in groups)), None)


def _is_answer_field(field: str) -> bool:
    """Whether its name, or the last word of it as in `best_answer`, is an answer's or that of a remark on one."""
    name = field.lower().replace(" ", "_")
    return not {name, name.rpartition("_")[2].removesuffix("s")}.isdisjoint(_ANSWERS)


def _parts(field: str, group: Sequence[ReadRow]) -> bool:
    texts = [text for read_row in group if isinstance(text := read_row.row.value(field), str)]
    says_something = all(len(text.split()) >= _LEAST_WORDS for text in texts)
    return len(texts) == len(group) and len(set(texts)) == len(group) and says_something


def _left_out(read_row: ReadRow) -> Iterator[str]:
    """Fields that belong to the query, are not read, and are not empty."""
    row, query_field, read = read_row
    conversation = query_field.partition("[")[0]
    read_in_part = {name if name in row else _INSIDE.split(name, maxsplit=1)[0] for name in read}
    for field in row:
        if field in read:
            continue
        if field == conversation and isinstance(row.value(field), list):
            if any(not is_answer(message) for message in _others(row, field, read)):
                yield field
        elif field not in read_in_part and field.lower().replace(" ", "_") in _BELONGS:
            value = row.value(field)
            if not is_blank(value) if isinstance(value, str) else value:
                yield field


def _others(row: Row, conversation: str, read: Collection[str]) -> list[object]:
    """The messages of a conversation of which nothing is read."""
    numbers = {_INSIDE.split(name)[1] for name in read if name.startswith(f"{conversation}[")}
    return [message for at, message in enumerate(row.value(conversation)) if str(at) not in numbers]


def _cure(field: str, rows: Sequence[ReadRow], knob: str) -> str:
    if all(isinstance(row.value(name), str) for row, query_field, _ in rows for name in (field, query_field)):
        return f"to put a text behind the query, name its field as {knob}"
    return "what belongs to the query has to stand in its text"
