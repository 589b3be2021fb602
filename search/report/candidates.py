"""Every candidate that was scored, with what is known of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search.problem.candidate import Candidate
from search.results.search_results import SearchResults
from search.statistics.estimates import Estimate, estimate
from search.statistics.intervals import of_difference

_IN_HEAT_MAP = 30


@dataclass(frozen=True, slots=True)
class CandidateScore:
    """One candidate on the search questions.

    Attributes:
        rank: by the lower end of the gain's interval, from 1; None for the base prompt, and for one without a mean.
        place: the order in which it was first told, from 0.
        score: None where too many questions failed.
        gain: paired difference to the base prompt, on the questions that both have a score for.
        length: mean length of its answers, in characters.
    """

    rank: int | None
    place: int
    candidate: Candidate
    score: Estimate | None
    gain: Estimate | None
    length: float | None
    failed: int


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Scores of winner and leading candidates, the base prompt first: one row a question, one column a candidate.

    Attributes:
        scores: by question and candidate; None where there is none.
    """

    questions: tuple[str, ...]
    candidates: tuple[CandidateScore, ...]
    scores: tuple[tuple[float | None, ...], ...]


def candidate_scores(results: SearchResults) -> tuple[CandidateScore, ...]:
    """Best first; candidates without a mean at the end.

    Ranked by the lower end of the interval of the paired gain: a mean over few questions depends on which ones they
    were, and the best of many such means on luck.
    """
    base = results.base
    if base is None:
        return ()
    gained = _Gains(results, base)
    rows = [_row(results, candidate, gained) for candidate in results.search]
    ranked = sorted(rows, key=lambda row: (row.score is None, -_surely(row, base), row.place))
    others = [row.candidate for row in ranked if row.candidate != base and row.score is not None]
    ranks = {candidate: number for number, candidate in enumerate(others, 1)}
    return tuple(_with_rank(row, ranks.get(row.candidate)) for row in ranked)


class _Gains:
    """Paired differences to the base prompt, of every candidate: as `CandidateResults.gain` has them, from columns."""

    def __init__(self, results: SearchResults, base: Candidate) -> None:
        self._search, self._base, self._confidence = results.search, base, results.confidence
        self._failed = results.search.failed(base)
        self._bounds = of_difference(results.journal.bounds)
        asked, scores = results.search.scores_of(base)
        self._scores = np.full(len(results.search.questions), np.nan)  # of the base prompt, NaN for none
        self._scores[asked] = scores

    def of(self, candidate: Candidate) -> Estimate | None:
        """None for the base prompt, and where they share no question."""
        if candidate == self._base:
            return None
        asked, scores = self._search.scores_of(candidate)
        differences = scores - self._scores[asked]
        shared = differences[~np.isnan(differences)]
        failed = len(self._search.failed(candidate) | self._failed)
        return estimate(shared, self._confidence, failed, self._bounds)


def _row(results: SearchResults, candidate: Candidate, gained: _Gains) -> CandidateScore:
    scored, lengths = results.search, results.search.lengths_of(candidate)
    failed = len(scored.failed(candidate))
    return CandidateScore(
        rank=None,
        place=scored.place(candidate),
        candidate=candidate,
        score=estimate(scored.scores_of(candidate)[1], results.confidence, failed, results.journal.bounds),
        gain=gained.of(candidate),
        length=float(lengths.mean()) if len(lengths) else None,
        failed=failed,
    )


def _surely(row: CandidateScore, base: Candidate) -> float:
    """What it gains at least."""
    return 0.0 if row.candidate == base else row.gain.low if row.gain else -math.inf


def _with_rank(row: CandidateScore, rank: int | None) -> CandidateScore:
    return CandidateScore(rank, row.place, row.candidate, row.score, row.gain, row.length, row.failed)


def heat_map(results: SearchResults, candidates: Sequence[CandidateScore]) -> HeatMap | None:
    """The heat map of the leading candidates; None before anything is scored."""
    if results.material is None or results.base is None:
        return None
    base = [candidate for candidate in candidates if candidate.candidate == results.base]
    winner = results.journal.winner
    others = [candidate for candidate in candidates if candidate.rank is not None]
    others.sort(key=lambda row: row.candidate != winner)
    chosen = tuple(base + sorted(others[:_IN_HEAT_MAP], key=lambda row: row.rank or 0))
    scores_of_chosen = [results.search[candidate.candidate].scores for candidate in chosen]
    questions = [
        question for question in results.material.search if any(question.id in scores for scores in scores_of_chosen)
    ]
    questions.sort(key=lambda question: question.category)
    rows = tuple(tuple(scores.get(question.id) for scores in scores_of_chosen) for question in questions)
    return HeatMap(tuple(question.id for question in questions), chosen, rows) if questions else None
