"""How the best gain grew with what was spent."""

from dataclasses import dataclass
from itertools import pairwise

from search.results.leads import leads
from search.results.search_results import SearchResults
from search.statistics.estimates import Estimate, estimate
from search.statistics.intervals import of_difference


@dataclass(frozen=True, slots=True)
class Milestone:
    """The state of knowledge after a trial.

    Attributes:
        judged: answers judged so far, each turn that counts is one.
        gain: paired difference, as known then, of the candidate that led to the base prompt; 0 for that itself.
    """

    judged: int
    gain: Estimate


@dataclass(frozen=True, slots=True)
class History:
    """The history of a search.

    Attributes:
        greedy: judged generations that the paper's exhaustive greedy search would take in the same space: all rounds,
            every demonstration of the pool in each, on all search questions.
    """

    milestones: tuple[Milestone, ...]
    judged: int
    greedy: int | None

    @property
    def falls(self) -> int:
        """How often the best so far gains less than the one before it."""
        means = [milestone.gain.mean for milestone in self.milestones]
        return sum(later < earlier for earlier, later in pairwise(means))


def history(results: SearchResults) -> History:
    """Read it from the journal."""
    milestones: list[Milestone] = []
    bounds, gain = of_difference(results.journal.bounds), None
    for lead in leads(results):
        if lead.is_new:
            gain = estimate(lead.ahead, results.confidence, bounds=bounds) if lead.ahead.any() else None
        milestones.append(Milestone(lead.judged, gain or Estimate(0.0, 0.0, 0.0, len(lead.ahead))))
    return History(tuple(milestones), milestones[-1].judged if milestones else 0, _greedy(results))


def _greedy(results: SearchResults) -> int | None:
    material, base = results.material, results.base
    if material is None or base is None:
        return None
    pool, rounds = len(material.pool), min(results.config.strategy.max_demonstrations, len(material.pool))
    candidates = 1 + sum(pool - chosen for chosen in range(rounds))
    turns = results.search[base].turns.values()
    answers = max((sum(score is not None for score in scores) for scores in turns), default=1)
    return candidates * len(material.search) * answers
