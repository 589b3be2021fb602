"""Search questions and held-out questions: the search never sees the latter until the winner is known."""

import json
import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Literal, NamedTuple

from configs.errors import InputError
from configs.plural import show_many
from configs.records import read_records, read_rows
from configs.row import Row, kind_of
from configs.schema.data import QuestionsConfig, SplitConfig
from evaluators.benchmarks import alpaca_eval, jsonl, mt_bench
from evaluators.question import Question
from search.problem.repeated_questions import without_repeated
from search.problem.unread_fields import ReadRow, parting_field, unread_fields

_SIDES = ("search", "held_out")
LEAST_OF_EACH = 8
"""Held-out questions that a judge and a cheap judge alone need at the least: fewer do not tell how far both agree."""
_EARLIER = {"guiding": "search"}  # as data files had it before 0.1


@dataclass(frozen=True, slots=True)
class Split:
    """The two sides, each ordered by id (numbers by value), so that nothing depends on the order of the rows.

    Raises:
        InputError: a side is empty, or an id stands twice.

    Attributes:
        notices: what a person should know about the questions, a sentence each.
    """

    search: tuple[Question, ...]
    held_out: tuple[Question, ...]
    notices: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for side, questions in zip(_SIDES, (self.search, self.held_out), strict=True):
            if not questions:
                raise InputError(f"there is no {side} question; give more questions, or change questions.split")
            object.__setattr__(self, side, tuple(sorted(questions, key=_by_id)))
        ids = [question.id for question in (*self.search, *self.held_out)]
        if len(set(ids)) < len(ids):
            raise InputError("two questions have the same id; give every question an id of its own")

    @property
    def digest(self) -> str:
        """Changes with every question and what belongs to it, and with its side."""
        return digest_of(self.search, self.held_out)


def digest_of(*sides: Sequence[Question]) -> str:
    """The digest of these lists of questions, with all that belongs to them; 64 hexadecimal digits."""
    return sha256(
        json.dumps([[[*question.to_json().values()] for question in side] for side in sides]).encode()
    ).hexdigest()


def load_split(config: QuestionsConfig) -> Split:
    """Read the questions and divide them as the config says.

    Raises:
        InputError: a row is malformed, a question is asked twice, or a side is empty.
    """
    read, notices = _read(config)
    questions = [loaded.question for loaded in read]
    if config.split.by_field is not None:
        split = _by_field(read, config.split.by_field)
    elif config.split.held_out_path is not None:
        here, elsewhere = (
            tuple(loaded.question for loaded in read if loaded.elsewhere is side) for side in (False, True)
        )
        split = Split(here, elsewhere)
    else:
        split = stratified(questions, config.split)
    return replace(split, notices=notices)


def load_questions(
    config: QuestionsConfig, side: Literal["all", "search", "held_out"] = "all"
) -> tuple[tuple[Question, ...], tuple[str, ...]]:
    """Read the questions of a side, or all of them, ordered by id, and what a person should know about them. Raises
    InputError as `load_split`."""
    if side != "all":
        split = load_split(config)
        return split.search if side == "search" else split.held_out, split.notices
    read, notices = _read(config)
    return tuple(sorted((loaded.question for loaded in read), key=_by_id)), notices


class _Read(NamedTuple):
    """A question, the row it comes from, and whether that stands in `split.held_out_path`."""

    question: Question
    row: Row
    elsewhere: bool


def _read(config: QuestionsConfig) -> tuple[list[_Read], tuple[str, ...]]:
    """All questions, of which no two ask the same, and what was left out."""
    config, question_of = _with_reader(config)
    read = [_Read(question_of(row), row, elsewhere=False) for row in read_records(config)]
    separate = config.split.held_out_path if config.split.by_field is None else None
    if separate is not None:
        benchmark = config.split.held_out_benchmark or config.benchmark
        _, question_of = _with_reader(config.model_copy(update={"benchmark": benchmark}))
        read += [_Read(question_of(row), row, elsewhere=True) for row in read_rows(separate)]
    rows = _rows_as_read(read, config) if config.benchmark == "jsonl" else []
    parting = parting_field(rows)
    kept, notices = without_repeated([(loaded.question, loaded.row.place) for loaded in read], config.repeated, parting)
    unread = unread_fields(rows, str(config.path or config.hub), "questions.input_field")
    return [read[at] for at in kept], (*notices, *_input_notices(read, config), *unread)


def _rows_as_read(read: Sequence[_Read], config: QuestionsConfig) -> list[ReadRow]:
    """The rows with the fields that were read."""
    fields = {config.query_field, config.id_field, config.category_field, config.reference_field, *config.judge_fields}
    further = {config.input_field or "input", *fields}
    return [
        ReadRow(loaded.row, config.query_field, further if _has_input(loaded, config) else fields) for loaded in read
    ]


def _has_input(loaded: _Read, config: QuestionsConfig) -> bool:
    """Whether a row has text in a field beside the question."""
    return len(loaded.question.turns) == 1 and bool(jsonl.further_input(loaded.row, config))


def _input_notices(read: Sequence[_Read], config: QuestionsConfig) -> Iterator[str]:
    """What became of text that rows have in a field beside the question, as Alpaca's do."""
    if config.benchmark != "jsonl":
        return
    having = [loaded for loaded in read if _has_input(loaded, config)]
    if having:
        left_out = config.input_field is None
        done = "is left out" if left_out else f"stands behind the '{config.query_field}' and an empty line"
        rows = show_many(len(having), "row has", "rows have")
        yield (
            f"{config.path or config.hub}: {rows} text in '{config.input_field or 'input'}', which {done} "
            "(questions.input_field)"
        )


def _with_reader(config: QuestionsConfig) -> tuple[QuestionsConfig, Callable[[Row], Question]]:
    config = mt_bench.in_folder(config) if config.benchmark == "mt_bench" else config
    read = _reader(config)
    if not config.judge_fields:
        return config, read
    return config, lambda row: replace(read(row), judge_fields=_judge_fields(row, config.judge_fields))


def _judge_fields(row: Row, names: Sequence[str]) -> str:
    """What is in these fields, as canonical JSON.

    Raises:
        InputError: there is no such field, or it holds what JSON cannot.
    """
    fields = {}
    for name in names:
        if not row.has(name):
            raise InputError(
                f"{row.place}: there is no field '{name}', which `questions.judge_fields` names; add it, or take it "
                "out there"
            )
        fields[name] = value = row.value(name)
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise InputError(
                f"{row.place}: field '{name}' holds {kind_of(value)} that is not JSON; write it as text or numbers"
            ) from None
    return json.dumps(fields, sort_keys=True)


def stratified(questions: Sequence[Question], config: SplitConfig) -> Split:
    """Hold out the same share of every category, as nearly as whole questions allow."""
    held_out = _drawn(questions, config.held_out_share, config.seed)
    return Split(
        tuple(question for question in questions if question.id not in held_out),
        tuple(question for question in questions if question.id in held_out),
    )


class HeldOut(NamedTuple):
    """Held-out questions by whom their answers are scored, ids.

    Attributes:
        judged: by the judge.
        screened: by the screening judge: all held-out questions, or none.
    """

    judged: tuple[str, ...]
    screened: tuple[str, ...] = ()


def held_out_by_judge(questions: Sequence[Question], screened_share: float, seed: int) -> HeldOut:
    """Leave this share of every category of the held-out questions to the screening judge alone, in [0, 1).

    Raises:
        InputError: one of the two would be left with too few questions of its own for a comparison, of which the
            verdicts would be paid in vain.
    """
    ids = tuple(question.id for question in questions)
    if not screened_share:
        return HeldOut(ids)
    screened_alone = _drawn(questions, screened_share, f"screening judge/{seed}")
    judged = tuple(name for name in ids if name not in screened_alone)
    if min(len(screened_alone), len(judged)) < LEAST_OF_EACH:
        raise InputError(
            f"judge.screened_held_out_share is {screened_share:g}: of {show_many(len(ids), 'held-out question')} it "
            f"leaves {len(judged):,} to the judge and {len(screened_alone):,} to judge.screening alone, and each "
            f"needs at least {LEAST_OF_EACH}; change it, or hold out more questions"
        )
    return HeldOut(judged, ids)


def _drawn(questions: Sequence[Question], share: float, stream: int | str) -> set[str]:
    """Return ids of the same share of every category, as nearly as whole questions allow; each stream has draws of its
    own."""
    by_category: dict[str, list[Question]] = defaultdict(list)
    for question in sorted(questions, key=_by_id):
        by_category[question.category].append(question)
    drawn: set[str] = set()
    for category, count in _quotas({name: len(group) for name, group in by_category.items()}, share, stream).items():
        rng = random.Random(f"{stream}/{category}")  # noqa: S311 - not a secret
        drawn.update(question.id for question in rng.sample(by_category[category], count))
    return drawn


def _quotas(sizes: dict[str, int], share: float, stream: int | str) -> dict[str, int]:
    """Largest remainders: the quotas sum to the rounded share of all; ties go by the stream."""
    exact = {name: size * share for name, size in sizes.items()}
    quotas = {name: math.floor(value) for name, value in exact.items()}
    order = sorted(exact)
    random.Random(stream).shuffle(order)  # noqa: S311 - not a secret
    order.sort(key=lambda name: quotas[name] - exact[name])
    missing = round(sum(sizes.values()) * share) - sum(quotas.values())
    return {name: quotas[name] + (name in order[:missing]) for name in quotas}


def _reader(config: QuestionsConfig) -> Callable[[Row], Question]:
    read = _benchmark_reader(config)
    if config.baseline_path is None:
        return read
    baselines = alpaca_eval.read_baselines(config.baseline_path)
    return lambda row: alpaca_eval.with_baseline(read(row), baselines)


def _benchmark_reader(config: QuestionsConfig) -> Callable[[Row], Question]:
    if config.benchmark == "jsonl":
        return lambda row: jsonl.question_from_row(row, config)
    if config.benchmark == "alpaca_eval":
        return alpaca_eval.question_from_row
    references = None if config.reference_path is None else mt_bench.read_references(config.reference_path)
    return lambda row: mt_bench.question_from_row(row, references)


def _by_field(read: Sequence[_Read], field: str) -> Split:
    sides = [_EARLIER.get(side := loaded.row.text(field), side) for loaded in read]
    for loaded, side in zip(read, sides, strict=True):
        if side not in _SIDES:
            raise InputError(f"{loaded.row.place}: '{field}' is '{side:.60}'; it must be search or held_out")
    search, held_out = (
        tuple(loaded.question for loaded, side in zip(read, sides, strict=True) if side == wanted) for wanted in _SIDES
    )
    return Split(search, held_out)


def _by_id(question: Question) -> tuple[bool, int, str]:
    number = question.id.isdecimal()
    return (not number, len(question.id) if number else 0, question.id)
