"""A run as a table: a row for every question that was put behind a prompt.

pandas.DataFrame(read_answers(Path("runs/first")))
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple

from evaluators.question import Question
from search.problem.trial import ScoredTrial, Side
from search.prompts.render import answer_cleaner
from search.results.evaluation_results import EvaluationResults, read_evaluation_results
from search.results.labels import Labels
from search.results.search_results import SearchResults, read_search_results
from search.results.stored_answers import StoredAnswer, read_stored_answers
from search.run_directory.records import TrialRecord
from search.run_directory.reviews import Reviewed
from search.run_directory.run import is_evaluation

_AT_ONCE = 1_000  # answers that are looked up together
NO_TEXTS = StoredAnswer((), False, ())

AnswerSide = Side | Literal["evaluation"]


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
    side: AnswerSide
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

    @property
    def reviewed(self) -> Reviewed:
        """What people's reviews know it by."""
        asked = AskedPrompt(self.trial, self.side, self.prompt, self.candidate, self.added, self.decoding)
        return Reviewed(asked.key, self.question)


class AnswerPlace(NamedTuple):
    """A trial and a question: an address of an answer that stays."""

    trial: int
    question: str


@dataclass(frozen=True, slots=True)
class AskedPrompt:
    """A prompt that was put behind questions; its attributes are those of an `Answer`."""

    trial: int
    side: AnswerSide
    prompt: str
    candidate: tuple[str, ...]
    added: tuple[str, ...]
    decoding: str

    @property
    def key(self) -> str:
        """The same in all trials of the prompt."""
        return self.prompt if self.side == "evaluation" else candidate_key(self.candidate, self.decoding)


def candidate_key(demonstrations: Iterable[str], decoding: str) -> str:
    """A candidate as one text."""
    return "\x1f".join((*demonstrations, decoding))


TextReader = Callable[[Mapping[AnswerPlace, str]], Mapping[AnswerPlace, StoredAnswer]]
"""Reads what was answered at places, and said of it, by its keys (`AnswerKeys`, as text); without what the ledger has
not."""


class Outcome(NamedTuple):
    """What came of one question, its texts apart; its attributes are those of an `Answer`."""

    score: float | None
    failure: str
    length: int | None
    turns: tuple[float | None, ...]


def read_answers(path: Path | str, wanted: Callable[[AskedPrompt], bool] = lambda _: True) -> list[Answer]:
    """Every answer of the search or the evaluation at `path`, prompt by prompt; whoever works on it is not disturbed.

    A trial that had too many failures to have a mean is in it, with what scores it has.

    Args:
        wanted: says of which prompts; of all of them when not given.

    Raises:
        InputError: there is no run.
    """
    results = read_any_results(Path(path))
    asked = ((prompt, scored) for prompt, scored in asked_prompts(results) if wanted(prompt))
    questions = results.material.questions if results.material else {}
    read = text_reader(results)
    return [answer for batch in _batches(asked) for answer in _answers(questions, batch, read)]


def read_any_results(path: Path) -> SearchResults | EvaluationResults:
    """Read the search or the evaluation at `path`. Raises InputError where there is none."""
    return read_evaluation_results(path) if is_evaluation(path) else read_search_results(path)


def asked_prompts(
    results: SearchResults | EvaluationResults, since: int = 0
) -> Iterator[tuple[AskedPrompt, ScoredTrial]]:
    """What was put behind questions, and what came of it, from this trial on; texts are not looked up."""
    if results.material is None:
        return
    if isinstance(results, EvaluationResults):
        for trial, record in enumerate(results.records[since:], since):
            shown = record.scored.trial.candidate
            asked = (shown.demonstrations, shown.demonstrations, shown.decoding)
            yield AskedPrompt(trial, "evaluation", record.name, *asked), record.scored
        return
    base, labels = {shown.id for shown in results.material.base}, Labels(results.material)
    for trial, recorded in enumerate(results.records()):
        if trial >= since and isinstance(recorded, TrialRecord) and recorded.scored.trial.tells_scores:
            candidate = recorded.candidate
            added = tuple(name for name in candidate.demonstrations if name not in base)
            asked = (candidate.demonstrations, added, candidate.decoding)
            yield AskedPrompt(trial, recorded.side, labels.candidate(candidate), *asked), recorded.scored


def text_reader(results: SearchResults | EvaluationResults) -> TextReader:
    """Reads texts of these results' answers from the ledger, and keeps as little of them as that takes."""
    ledger = results.ledger
    if isinstance(results, SearchResults):
        clean = answer_cleaner(results.config.render)
        return lambda keys: read_stored_answers(ledger, keys, clean)
    cleaners = [results.cleaner(record) for record in results.records]

    def read(keys: Mapping[AnswerPlace, str]) -> dict[AnswerPlace, StoredAnswer]:
        stored: dict[AnswerPlace, StoredAnswer] = {}
        for trial, places in groupby(sorted(keys), key=lambda place: place.trial):
            stored |= read_stored_answers(ledger, {place: keys[place] for place in places}, cleaners[trial])
        return stored

    return read


def _batches(asked: Iterator[tuple[AskedPrompt, ScoredTrial]]) -> Iterator[list[tuple[AskedPrompt, ScoredTrial]]]:
    """Batches of as many as make opening the ledger cheap."""
    batch: list[tuple[AskedPrompt, ScoredTrial]] = []
    for prompt, scored in asked:
        batch.append((prompt, scored))
        if sum(len(kept.keys) for _, kept in batch) >= _AT_ONCE:
            yield batch
            batch = []
    yield batch


def _answers(
    questions: Mapping[str, Question], batch: list[tuple[AskedPrompt, ScoredTrial]], read: TextReader
) -> Iterator[Answer]:
    keys = {AnswerPlace(asked.trial, name): key for asked, scored in batch for name, key in scored.keys.items()}
    stored = read(keys)
    for asked, scored in batch:
        for name, outcome in outcomes(scored):
            yield whole_answer(asked, questions[name], outcome, stored.get(AnswerPlace(asked.trial, name), NO_TEXTS))


def outcomes(scored: ScoredTrial) -> Iterator[tuple[str, Outcome]]:
    """What came of each question, by its id."""
    for name, score in scored.scores.items():
        yield name, Outcome(score, "", scored.lengths.get(name), tuple(scored.turns.get(name, ())))
    for name, cause in scored.failures.items():
        yield name, Outcome(None, cause, scored.lengths.get(name), tuple(scored.turns.get(name, ())))


def whole_answer(asked: AskedPrompt, question: Question, outcome: Outcome, stored: StoredAnswer) -> Answer:
    """All that is known of an answer."""
    return Answer(
        trial=asked.trial,
        side=asked.side,
        prompt=asked.prompt,
        candidate=asked.candidate,
        added=asked.added,
        decoding=asked.decoding,
        question=question.id,
        category=question.category,
        query=question.query,
        score=outcome.score,
        failure=outcome.failure,
        length=outcome.length,
        turns=outcome.turns,
        answers=stored.answers,
        verdicts=tuple(verdict.score for verdict in stored.verdicts),
        words=tuple(verdict.words for verdict in stored.verdicts),
        new_tokens=stored.new_tokens,
        dollars=stored.dollars,
    )
