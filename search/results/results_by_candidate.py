"""What the trials on one side of the split say together, candidate by candidate, kept in columns."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress, repeat
from math import isnan, nan
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial
from search.results.candidate_results import CandidateResults
from search.statistics.intervals import Bounds

_T = TypeVar("_T")
_Number = TypeVar("_Number", int, float)
_NONE = -1


class ResultsByCandidate(Mapping[Candidate, CandidateResults]):
    """Results by candidate, in the order in which the strategy was first told of them.

    An answer takes 24 bytes here, and ten times that in dictionaries. What is known of one candidate is put together
    when it is looked up; who wants something of every answer takes a column.

    Args:
        bounds: lowest and highest score there can be; None where that is not known.
    """

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds
        self._places, self._questions, self._causes = _Numbers[Candidate](), _Numbers[str](), _Numbers[str]()
        self._turns = _Numbers[tuple[float | None, ...]]()
        self._last_trial = array("q")  # by candidate
        self._earlier, self._starts = array("q"), array("q")  # by trial: the candidate's one before; where it stands
        self._first_answer, self._first_failure = array("q", [0]), array("q", [0])  # by trial, and of the next one
        self._asked, self._scores = array("I"), array("d")  # by answer
        self._lengths, self._turns_of = array("d"), array("I")  # NaN, and the number of (), for none
        self._failed, self._cause_of = array("I"), array("I")  # by failure

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self._places)

    def __contains__(self, candidate: object) -> bool:
        return candidate in self._places

    def __getitem__(self, candidate: Candidate) -> CandidateResults:
        trials = self._trials(candidate)
        names = [*map(self._questions.numbered.__getitem__, self._of(trials, self._asked))]
        scores = dict(zip(names, self._of(trials, self._scores), strict=True))
        lengths = zip(names, self._of(trials, self._lengths), strict=True)
        several = any(self._turns.numbered)
        turns = zip(names, self._of(trials, self._turns_of), strict=True) if several else ()
        return CandidateResults(
            place=self._places[candidate],
            scores=scores,
            failures={name: cause for name, cause in self._failures(trials) if name not in scores},
            lengths={name: int(length) for name, length in lengths if not isnan(length)},
            turns={name: by_turn for name, number in turns if (by_turn := self._turns.numbered[number])},
            starts=[self._starts[trial] for trial in trials],
            bounds=self._bounds,
        )

    @property
    def questions(self) -> Sequence[str]:
        """Ids of the questions that some candidate was asked, by the numbers that `scores_of` gives."""
        return self._questions.numbered

    @property
    def all_scores(self) -> NDArray[np.float64]:
        """Every score, one of each candidate on each question that it has answered, in no order."""
        return np.array(self._scores)

    @property
    def trials(self) -> int:
        """How many have been added."""
        return len(self._starts)

    def place(self, candidate: Candidate) -> int:
        """A candidate's place in the order, from 0; -1 where it has no trial."""
        return self._places.get(candidate, _NONE)

    def answers_by_question(self) -> dict[str, int]:
        """How many candidates have a score on each question, by its id."""
        counts = np.bincount(np.array(self._asked), minlength=len(self.questions))
        return dict(zip(self.questions, counts.tolist(), strict=True))

    def scores_of(
        self, candidate: Candidate, trials: int | None = None
    ) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
        """Return the numbers of the questions that a candidate has scores on, [n], and the scores, [n].

        Args:
            trials: count those that were added first, so many; all of them when not given.
        """
        own = [trial for trial in self._trials(candidate) if trials is None or trial < trials]
        return np.array(self._of(own, self._asked)), np.array(self._of(own, self._scores))

    def lengths_of(self, candidate: Candidate) -> NDArray[np.float64]:
        """The lengths of a candidate's answers, in characters, of those that have one."""
        lengths = np.array(self._of(self._trials(candidate), self._lengths))
        measured: NDArray[np.float64] = lengths[~np.isnan(lengths)]
        return measured

    def failed(self, candidate: Candidate) -> set[str]:
        """The questions that a candidate has no score for because it failed."""
        trials = self._trials(candidate)
        names = {name for name, _ in self._failures(trials)}
        return names and names - {self.questions[number] for number in self._of(trials, self._asked)}

    def add(self, candidate: Candidate, scored: ScoredTrial, start: int = 0) -> int:
        """Take a further trial, whose record stands at this byte of the journal.

        Return how many answers were judged for it: those to questions without a score until then, each turn that counts
        is one.
        """
        place = self._places[candidate]
        if place == len(self._last_trial):
            self._last_trial.append(_NONE)
        positions = {self._asked[at]: at for trial in self._trials(candidate) for at in self._answers(trial)}
        asked = self._questions.of(scored.scores)
        judged = _judged(scored, [number in positions for number in asked])
        if scored.mean is not None:
            self._add_answers(scored, asked, positions)
        self._failed.extend(self._questions.of(scored.failures))
        self._cause_of.extend(self._causes.of(scored.failures.values()))
        self._earlier.append(self._last_trial[place])
        self._last_trial[place] = len(self._starts)
        self._starts.append(start)
        self._first_answer.append(len(self._asked))
        self._first_failure.append(len(self._failed))
        return judged

    def _add_answers(self, scored: ScoredTrial, asked: Sequence[int], positions: Mapping[int, int]) -> None:
        """Keep the answers of a trial; one to a question that has a score already takes that one's place."""
        values = [*scored.scores.values()]
        lengths = [*map(scored.lengths.get, scored.scores, repeat(nan))]
        turns = self._turns.of(map(scored.turns.get, scored.scores, repeat(())))
        is_new = [question not in positions for question in asked]
        for at in (at for at, new in enumerate(is_new) if not new):
            answer = positions[asked[at]]
            self._scores[answer], self._lengths[answer], self._turns_of[answer] = values[at], lengths[at], turns[at]
        self._asked.extend(compress(asked, is_new))
        self._scores.extend(compress(values, is_new))
        self._lengths.extend(compress(lengths, is_new))
        self._turns_of.extend(compress(turns, is_new))

    def _of(self, trials: Iterable[int], column: "array[_Number]") -> "array[_Number]":
        """What a column of answers holds of these trials."""
        values = column[:0]
        for trial in trials:
            values += column[self._first_answer[trial] : self._first_answer[trial + 1]]
        return values

    def _answers(self, trial: int) -> range:
        return range(self._first_answer[trial], self._first_answer[trial + 1])

    def _failures(self, trials: Iterable[int]) -> Iterator[tuple[str, str]]:
        """Questions and causes."""
        for trial in trials:
            for at in range(self._first_failure[trial], self._first_failure[trial + 1]):
                yield self.questions[self._failed[at]], self._causes.numbered[self._cause_of[at]]

    def _trials(self, candidate: Candidate) -> list[int]:
        """A candidate's trials in their order. Raises KeyError where it has none."""
        if candidate not in self._places:
            raise KeyError(candidate)
        trials, trial = [], self._last_trial[self._places[candidate]]
        while trial != _NONE:
            trials.append(trial)
            trial = self._earlier[trial]
        return trials[::-1]


class _Numbers(dict[_T, int]):
    """Numbers from 0 of values that occur again and again, in the order in which they were first looked up.

    Attributes:
        numbered: the values, by number.
    """

    def __init__(self) -> None:
        self.numbered: list[_T] = []

    def __missing__(self, value: _T) -> int:
        self[value] = number = len(self.numbered)
        self.numbered.append(value)
        return number

    def of(self, values: Iterable[_T]) -> list[int]:
        return [*map(self.__getitem__, values)]


def _judged(scored: ScoredTrial, has_score: Sequence[bool]) -> int:
    """How many answers a trial had judged, those to questions that are known apart."""
    if not scored.turns:
        return has_score.count(False)
    new = [name for name, is_known in zip(scored.scores, has_score, strict=True) if not is_known]
    return sum(sum(score is not None for score in scored.turns.get(name, (0.0,))) for name in new)
