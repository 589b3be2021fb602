"""A run as a table: a row for every question that was put behind a prompt.

pandas.DataFrame(read_answers(Path("runs/first")))
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evaluators.question import Question
from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Side
from search.prompts.render import answer_cleaner
from search.results.evaluation_results import EvaluationResults, read_evaluation_results
from search.results.labels import Labels
from search.results.search_results import SearchResults, read_search_results
from search.results.stored_answers import StoredAnswer, read_stored_answers
from search.run_directory.records import TrialRecord
from search.run_directory.run import is_evaluation

_AT_ONCE = 1_000  # answers that are looked up together


@dataclass(frozen=True, slots=True)
class Answer:
    """One question behind one prompt, and what the judge made of it.

    Attributes:
        trial: the prompt's, in the order in which they were told, from 0.
        side: of the split; "evaluation" in an evaluation, which has no sides.
        prompt: its name, for people: as the report has it, or a variant's.
        candidate: ids of all its demonstrations, from the top of the prompt down.
        added: those of them that are none of the base prompt's, in order; all of them for a variant.
        decoding: its name; "" for the run's own, and for a variant.
        question, category, query: its id, its category ("" for none) and its first turn.
        score: the objective, on the judge's scale; None for a failure.
        failure: its cause; "" for none.
        length: of all turns' answers, in characters; None for a failure.
        turns: scores by turn where there are several; None for a turn that does not count.
        answers: turn by turn, as the judge read them; empty for a failure, and where the ledger is gone.
        verdicts: scores on the last turn, judge by judge, repeat by repeat.
        words: what the judge said with each of them; "" for a metric.
        new_tokens: of all turns' answers; 0 where the ledger is gone.
        dollars: that answers and verdicts have cost, whoever paid; prices that are not known count 0.
    """

    trial: int
    side: Side | Literal["evaluation"]
    prompt: str
    candidate: tuple[str, ...]
    added: tuple[str, ...]
    decoding: str
    question: str
    category: str
    query: str
    score: float | None
    failure: str
    length: int | None
    turns: tuple[float | None, ...]
    answers: tuple[str, ...]
    verdicts: tuple[float, ...]
    words: tuple[str, ...]
    new_tokens: int = 0
    dollars: float = 0.0


def read_answers(path: Path | str) -> list[Answer]:
    """Every answer of the search or the evaluation at `path`, prompt by prompt; whoever works on it is not disturbed.

    A trial that had too many failures to have a mean is in it, with what scores it has.

    Raises:
        InputError: there is no run.
    """
    path = Path(path)
    if is_evaluation(path):
        return list(evaluation_answers(read_evaluation_results(path)))
    return list(search_answers(read_search_results(path)))


def search_answers(results: SearchResults, since: int = 0) -> Iterator[Answer]:
    """The answers of a search, those of its trials from this number on."""
    material = results.material
    if material is None:
        return
    base, labels = {shown.id for shown in material.base}, Labels(material)
    clean = answer_cleaner(results.config.render)
    for trials in _batches(results, since):
        keys = {(trial, name): key for trial, record in trials for name, key in record.scored.keys.items()}
        stored = read_stored_answers(results.ledger, keys, clean)
        for trial, record in trials:
            candidate, scored = record.candidate, record.scored
            added = tuple(name for name in candidate.demonstrations if name not in base)
            asked = _Asked(trial, record.side, labels.candidate(candidate), candidate, added)
            own = {name: stored[trial, name] for name in scored.keys if (trial, name) in stored}
            yield from _rows(asked, scored, material.questions, own)


def _batches(results: SearchResults, since: int) -> Iterator[list[tuple[int, TrialRecord]]]:
    """Trials with their numbers, so many together that opening the ledger costs little."""
    batch: list[tuple[int, TrialRecord]] = []
    for trial, record in enumerate(results.records()):
        if trial >= since and isinstance(record, TrialRecord) and record.scored.trial.tells_scores:
            batch.append((trial, record))
        if sum(len(kept.scored.keys) for _, kept in batch) >= _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def evaluation_answers(results: EvaluationResults) -> Iterator[Answer]:
    """The answers of an evaluation, variant by variant."""
    material = results.material
    if material is None:
        return
    for trial, record in enumerate(results.records):
        candidate = record.scored.trial.candidate
        asked = _Asked(trial, "evaluation", record.name, candidate, candidate.demonstrations)
        yield from _rows(asked, record.scored, material.questions, results.answers(record))


@dataclass(frozen=True, slots=True)
class _Asked:
    trial: int
    side: Side | Literal["evaluation"]
    prompt: str
    candidate: Candidate
    added: tuple[str, ...]


def _rows(
    asked: _Asked,
    scored: ScoredTrial,
    questions: Mapping[str, Question],
    stored: Mapping[str, StoredAnswer],
) -> Iterator[Answer]:
    for name in (*scored.scores, *scored.failures):
        own = stored.get(name, StoredAnswer((), False, ()))
        yield Answer(
            trial=asked.trial,
            side=asked.side,
            prompt=asked.prompt,
            candidate=asked.candidate.demonstrations,
            added=asked.added,
            decoding=asked.candidate.decoding,
            question=name,
            category=questions[name].category,
            query=questions[name].query,
            score=scored.scores.get(name),
            failure=scored.failures.get(name, ""),
            length=scored.lengths.get(name),
            turns=tuple(scored.turns.get(name, ())),
            answers=own.answers,
            verdicts=tuple(verdict.score for verdict in own.verdicts),
            words=tuple(verdict.words for verdict in own.verdicts),
            new_tokens=own.new_tokens,
            dollars=own.dollars,
        )
