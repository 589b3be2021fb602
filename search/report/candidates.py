"""Every candidate that was scored, with what is known of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from search.problem.candidate import Candidate
from search.results.candidate_results import CandidateResults
from search.results.search_results import SearchResults
from search.statistics.estimates import Estimate

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
    of_base = results.search[base]
    rows = [_row(candidate, scored, of_base, results.confidence) for candidate, scored in results.search.items()]
    ranked = sorted(rows, key=lambda row: (row.score is None, -_surely(row, base), row.place))
    others = [row.candidate for row in ranked if row.candidate != base and row.score is not None]
    ranks = {candidate: number for number, candidate in enumerate(others, 1)}
    return tuple(_with_rank(row, ranks.get(row.candidate)) for row in ranked)


def _row(candidate: Candidate, scored: CandidateResults, base: CandidateResults, confidence: float) -> CandidateScore:
    length = scored.mean_length(confidence)
    return CandidateScore(
        rank=None,
        place=scored.place,
        candidate=candidate,
        score=scored.mean(confidence),
        gain=None if scored.place == base.place else scored.gain(base, confidence),
        length=length.mean if length else None,
        failed=len(scored.failures),
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
