"""All that a report says of a run, as values; how it looks is for others to decide."""

from dataclasses import dataclass

import numpy as np

from evaluators.ledger.queries import read_spoken_verdicts
from evaluators.pipeline.readings import ReadingDifference, reading_differences
from search.problem.candidate import Candidate
from search.problem.trial import Side
from search.report.allocation import Allocation, allocation
from search.report.candidates import CandidateScore, HeatMap, candidate_scores, heat_map
from search.report.categories import CategoryScores, category_scores
from search.report.comparison import Finalist, TurnScores, finalists, turn_scores
from search.report.contributions import Contributions, contributions
from search.report.costs import costs
from search.report.history import History, history
from search.report.lengths import LengthGuard, length_guard
from search.report.noise import Noise, judge_noise
from search.report.numbers import Numbers
from search.report.run_findings import RunFindings, failed_alike
from search.report.side_by_side import Contrasts, contrasts
from search.results.labels import Labels
from search.results.reviews import summarize_reviews
from search.results.search_results import SearchResults
from search.results.status import Status, status_of

_MOST_WORDS = 5_000  # verdicts read in two ways, 0.1 ms each


@dataclass(frozen=True, slots=True)
class Findings(RunFindings):
    """What one run has found. What depends on a winner is None or empty while nothing has been scored.

    Attributes:
        finalists: best first, the base prompt last; only the base prompt where nothing beats it.
        turns, categories, lengths, answers, contributions: of the first of them, beside the base prompt.
        allocation: of the answers over demonstrations and questions.
        noise: of the judges, where answers were judged more than once.
        readings: how far the published way to read judges' words and that of decisions differ.
    """

    results: SearchResults
    status: Status
    labels: Labels
    finalists: tuple[Finalist, ...]
    candidates: tuple[CandidateScore, ...]
    heat_map: HeatMap | None
    history: History
    turns: tuple[TurnScores, ...]
    categories: tuple[CategoryScores, ...]
    lengths: LengthGuard | None
    answers: Contrasts | None
    contributions: Contributions | None
    allocation: Allocation | None
    noise: tuple[Noise, ...]
    readings: tuple[ReadingDifference, ...]

    @property
    def best(self) -> Finalist | None:
        """The winner, or the best so far; None while that is the base prompt."""
        return self.finalists[0] if len(self.finalists) > 1 and self.finalists[0].role != "runner-up" else None

    @property
    def side(self) -> Side:
        """The side that answers and lengths are of."""
        return self.answers.side if self.answers else "search"

    @property
    def base(self) -> Finalist | None:
        return self.finalists[-1] if self.finalists else None


def find(results: SearchResults) -> Findings:
    """Work everything out."""
    placed = finalists(results)
    candidates = candidate_scores(results)
    winner = results.journal.winner
    other = winner if winner is not None and winner != results.base else None
    return Findings(
        results=results,
        status=status_of(results),
        labels=Labels(results.material),
        numbers=Numbers.fitting(np.concatenate([results.search.all_scores, results.held_out.all_scores])),
        finalists=placed,
        candidates=candidates,
        heat_map=heat_map(results, candidates),
        history=history(results),
        turns=turn_scores(results, other) if other else (),
        categories=category_scores(results, other) if other else (),
        lengths=_lengths(results, other) if other else None,
        answers=contrasts(results, other) if other else None,
        contributions=contributions(results, winner) if winner is not None else None,
        allocation=allocation(results),
        costs=costs(results),
        failures=failed_alike(results.failures),
        reviews=summarize_reviews(results),
        noise=judge_noise(results, other),
        readings=tuple(reading_differences(read_spoken_verdicts(results.ledger, results.run, _MOST_WORDS))),
    )


def _lengths(results: SearchResults, winner: Candidate) -> LengthGuard | None:
    assert results.base is not None
    scored = results.side(results.journal.compared_on(winner))
    return length_guard(scored[results.base], scored[winner], results.confidence)
