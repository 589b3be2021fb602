"""How the best score grew with what was spent."""

from dataclasses import dataclass
from itertools import pairwise

from search.results.search_results import SearchResults
from search.statistics.estimates import Estimate, estimate


@dataclass(frozen=True, slots=True)
class Milestone:
    """The state of knowledge after a trial.

    Attributes:
        judged: answers judged so far, each turn that counts is one.
        best: the search score, as known then, of the candidate that led.
    """

    judged: int
    best: Estimate


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
        """How often the best so far has a lower mean than the one before it."""
        means = [milestone.best.mean for milestone in self.milestones]
        return sum(later < earlier for earlier, later in pairwise(means))


def history(results: SearchResults) -> History:
    """Read it from the journal."""
    milestones: list[Milestone] = []
    judged, leader, best = 0, None, None
    for step in results.journal.steps():
        judged = step.judged
        if step.leader != leader or step.candidate == leader:
            leader = step.leader
            _, scores = results.search.scores_of(leader, step.trials) if leader else ((), ())
            best = estimate(scores, results.confidence, bounds=results.journal.bounds)
        if best is not None:
            milestones.append(Milestone(judged, best))
    return History(tuple(milestones), judged, _greedy(results))


def _greedy(results: SearchResults) -> int | None:
    material, base = results.material, results.base
    if material is None or base is None:
        return None
    pool, rounds = len(material.pool), min(results.config.strategy.max_demonstrations, len(material.pool))
    candidates = 1 + sum(pool - chosen for chosen in range(rounds))
    turns = results.search[base].turns.values()
    answers = max((sum(score is not None for score in scores) for scores in turns), default=1)
    return candidates * len(material.search) * answers
