"""The demonstrations that may be chosen, and what was wrong with the data they come from."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Literal

from configs.conversation import conversation_field, shared_system_message
from configs.errors import InputError
from configs.plural import show_many
from configs.records import read_all_records, sample_rows
from configs.row import Row, is_blank
from configs.schema.data import PoolConfig
from search.problem.exchange import exchange_of, fields_of
from search.problem.shifted_answers import shift_of
from search.problem.unread_fields import ReadRow, unread_fields
from search.prompts.demonstration import Demonstration, demonstration_of

_PLACEHOLDERS = {"nan", "null", "undefined", "<na>", "#n/a", "none"}
_SHOWN = 3  # problems of a kind that are told one by one
_MOST_SHOWN = 10  # conflicts of ids


@dataclass(frozen=True, slots=True)
class PoolProblem:
    """Something about the data that the user should know.

    Attributes:
        kind: `duplicate`, `empty`, `ambiguous` and `in_base_prompt`: left out of the pool. `shifted`: the answers
            seem to belong to other queries; nothing is left out. `joined`: rows have further input. `unread`: they have
            further text that nobody reads. `placeholder`: texts that programs write where there is none.
        text: one sentence.
        id: of the demonstration concerned; None where it has none, or where the pool as a whole is concerned.
    """

    kind: Literal["duplicate", "empty", "ambiguous", "in_base_prompt", "shifted", "joined", "unread", "placeholder"]
    text: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class PoolReport:
    """What loading a pool found.

    Attributes:
        system_message: that all of its conversations begin with, which no demonstration shows; "" without one.
    """

    problems: tuple[PoolProblem, ...] = ()
    system_message: str = ""

    def sentences(self) -> tuple[str, ...]:
        """What a person should know: every problem, or the first of a kind where there are many."""
        texts = []
        for kind in dict.fromkeys(problem.kind for problem in self.problems):
            problems = self.of_kind(kind)
            more = len(problems) - _SHOWN
            texts += [problem.text for problem in problems[:_SHOWN]]
            texts += (
                [
                    f"{show_many(more, 'more row of the pool has', 'more rows of the pool have')} the same problem "
                    f"({kind.replace('_', ' ')})"
                ]
                if more > 0
                else []
            )
        return tuple(texts)

    def unshown(self, rules: str) -> tuple[str, ...]:
        """A sentence if these rules lack what all conversations of the pool begin with."""
        message, shown = ("\n".join(text.splitlines()) for text in (self.system_message.strip(), rules))
        if message in shown:
            return ()
        return (
            "the system message that all conversations of the pool begin with is not shown; to show it, make it the "
            "rules of the base prompt",
        )

    def of_kind(self, kind: str) -> tuple[PoolProblem, ...]:
        return tuple(problem for problem in self.problems if problem.kind == kind)


class Pool(Mapping[str, Demonstration]):
    """Demonstrations by id, in the order of the file. Immutable.

    Args:
        places: where each of them was read, for people, by id.
    """

    def __init__(
        self,
        demonstrations: Iterable[Demonstration],
        report: PoolReport = PoolReport(),
        places: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._by_id = {demonstration.id: demonstration for demonstration in demonstrations}
        self.report = report
        self.places = places

    def __getitem__(self, key: str) -> Demonstration:
        return self._by_id[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def digest(self) -> str:
        """Changes with every id, every text and their order: ties are broken by order."""
        parts = (f"{demonstration.id}\x00{demonstration.content}" for demonstration in self.values())
        return sha256("\n".join(parts).encode()).hexdigest()

    def without(self, base: Sequence[Demonstration]) -> "Pool":
        """The pool without demonstrations that the base prompt has already.

        Raises:
            InputError: nothing is left, or an id stands for one demonstration here and for another there.
        """
        contents, ids = {demonstration.content for demonstration in base}, {demonstration.id for demonstration in base}
        kept, problems = [], []
        for demonstration in self.values():
            if demonstration.content in contents:
                text = f"demonstration {demonstration.id} is already in the base prompt; it is left out of the pool"
                problems.append(PoolProblem("in_base_prompt", text, demonstration.id))
            elif demonstration.id in ids:
                raise InputError(
                    f"the id '{demonstration.id}' belongs to a demonstration of the base prompt; rename it in the pool"
                )
            else:
                kept.append(demonstration)
        if not kept:
            raise InputError("every demonstration of the pool is already in the base prompt; use another pool")
        return Pool(kept, replace(self.report, problems=(*self.report.problems, *problems)), self.places)

    def leaving_out(self, ids: Container[str]) -> "Pool":
        """The pool without these; it may be empty."""
        return Pool(
            (demonstration for demonstration in self.values() if demonstration.id not in ids), self.report, self.places
        )


def load_pool(config: PoolConfig, usable: Callable[[Demonstration], bool] = lambda _: True) -> Pool:
    """Read, check and identify the demonstrations.

    Args:
        config: where they come from.
        usable: whether a prompt can hold a demonstration (`Renderer.holds`); the others are left out and reported.

    Raises:
        InputError: a row lacks a field, conversations differ in their system message, an id stands for two contents, or
            no demonstration is left.
    """
    rows = read_all_records(config)
    sample = sample_rows(rows, config)
    system_message = shared_system_message(sample, config.query_field)
    problems = list(_shift_problem(rows, config))  # neighbours in the file; a sample has none
    problems += [*_input_problem(sample, config), *_unread_fields(sample, config), *_placeholder_texts(sample, config)]
    demonstrations: dict[str, Demonstration] = {}
    places: dict[str, str] = {}
    by_content: dict[str, str] = {}
    conflicts: list[str] = []
    for row in sample:
        demonstration = _demonstration(row, config)
        content = demonstration.content
        problem = _problem(demonstration, row.place, by_content.get(content), usable)
        if problem is not None:
            problems.append(problem)
        elif demonstration.id in demonstrations:
            conflicts.append(
                f"{row.place}: the id '{demonstration.id}' stands at {places[demonstration.id]} too, with another text"
            )
        else:
            demonstrations[demonstration.id], places[demonstration.id], by_content[content] = (
                demonstration,
                row.place,
                row.place,
            )
    _refuse(conflicts)
    if not demonstrations:
        raise InputError(f"{config.path or config.hub}: no usable demonstration is left in the pool; use another pool")
    return Pool(demonstrations.values(), PoolReport(tuple(problems), system_message), places)


def _refuse(conflicts: Sequence[str]) -> None:
    """Raises InputError with every id that stands for two contents, or the first few of many."""
    if len(conflicts) == 1:
        raise InputError(f"{conflicts[0]}; rename one")
    if conflicts:
        more = [f"and {len(conflicts) - _MOST_SHOWN:,} more"] if len(conflicts) > _MOST_SHOWN else []
        shown = "\n".join([*conflicts[:_MOST_SHOWN], *more])
        raise InputError(
            f"{shown}\n{show_many(len(conflicts), 'row has', 'rows have')} the id of another text; give each text an "
            "id of its own"
        )


def _demonstration(row: Row, config: PoolConfig) -> Demonstration:
    given = row.identifier(config.id_field) if config.id_field is not None else None
    return demonstration_of(exchange_of(row, fields_of(config)).turns, given)


def _problem(
    demonstration: Demonstration, place: str, first_place: str | None, usable: Callable[[Demonstration], bool]
) -> PoolProblem | None:
    empty = next((at for at, text in enumerate(demonstration.texts) if is_blank(text)), None)
    if empty is not None:
        which = "answer" if empty % 2 else "query"
        turn = f" of turn {empty // 2 + 1}" if demonstration.further else ""
        return PoolProblem("empty", f"{place}: the {which}{turn} is empty; the row is left out", demonstration.id)
    if first_place is not None:
        return PoolProblem(
            "duplicate", f"{place}: the same text stands at {first_place}; it is kept once", demonstration.id
        )
    if not usable(demonstration):
        return PoolProblem(
            "ambiguous", f"{place}: the text holds the prompt's own headings; the row is left out", demonstration.id
        )
    return None


def _input_problem(rows: Sequence[Row], config: PoolConfig) -> Iterator[PoolProblem]:
    """What became of the further input that rows have, as Alpaca's do."""
    field = config.input_field or "input"
    if field in (config.query_field, config.answer_field):
        return
    asking = [row.value(field) for row in rows if row.has(config.query_field)]  # a conversation has no further input
    having = sum(isinstance(value, str) and bool(value.strip()) for value in asking)
    if having:
        done = (
            "is left out"
            if config.input_field is None
            else f"stands behind the '{config.query_field}' and an empty line"
        )
        rows_have = show_many(having, "row has", "rows have")
        text = f"{config.path or config.hub}: {rows_have} text in '{field}', which {done} (pool.input_field)"
        yield PoolProblem("joined", text)


def _unread_fields(rows: Sequence[Row], config: PoolConfig) -> Iterator[PoolProblem]:
    """Text that belongs to queries and is left out, as Dolly's `context`."""
    read = {name for name in (*fields_of(config)[:-1], config.input_field or "input", config.id_field) if name}
    read_rows = [
        ReadRow(row, config.query_field, read) if name is None else ReadRow(row, name, {name})
        for row in rows
        for name in [None if row.has(config.query_field) else conversation_field(row)]
    ]
    for text in unread_fields(read_rows, str(config.path or config.hub), "pool.input_field"):
        yield PoolProblem("unread", text)


def _placeholder_texts(rows: Sequence[Row], config: PoolConfig) -> Iterator[PoolProblem]:
    """Texts that pandas, JavaScript or a spreadsheet writes for a cell that is empty."""
    for field in (config.query_field, config.answer_field):
        texts = [text for row in rows if isinstance(text := row.value(field), str)]
        having = [text.strip() for text in texts if text.strip().lower() in _PLACEHOLDERS]
        if having:
            rows_have = show_many(len(having), "row has", "rows have")
            yield PoolProblem(
                "placeholder",
                f"{config.path or config.hub}: {rows_have} nothing but '{having[0]}' or the like in '{field}', "
                "which programs write for an empty cell; it counts as text",
            )


def _shift_problem(rows: Sequence[Row], config: PoolConfig) -> Iterator[PoolProblem]:
    """Look for a shift in each pair of fields by itself: a column may have slid alone."""
    pairs = ((config.query_field, config.answer_field), (config.follow_up_query_field, config.follow_up_answer_field))
    for query, answer in pairs:
        if query is None or answer is None:
            continue
        values = [(row.value(query), row.value(answer)) for row in rows]
        shift = shift_of([(q, a) for q, a in values if isinstance(q, str) and isinstance(a, str)])
        if shift:
            where = "next" if shift > 0 else "previous"
            yield PoolProblem(
                "shifted",
                f"{config.path or config.hub}: most texts in '{query}' match the {where} row's answer better than "
                f"their own in '{answer}'; check that no row was lost in one of the two columns",
            )
