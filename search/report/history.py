"""How the best score grew with what was spent."""

from dataclasses import dataclass
from itertools import pairwise

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial
from search.results.search_results import SearchResults
from search.run_directory.records import TrialRecord
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
    scores: dict[Candidate, dict[str, float]] = {}
    judged = 0
    for record in results.records():
        if not isinstance(record, TrialRecord) or record.side != "search":
            continue
        scored = record.scored
        known = scores.setdefault(record.candidate, {})
        judged += sum(_answers(scored, name) for name in scored.scores if name not in known)
        if scored.mean is not None and not scored.trial.again:
            known.update(scored.scores)
        of_best = [*scores.get(record.leaders[0], {}).values()] if record.leaders else []
        best = estimate(of_best, results.confidence, bounds=results.journal.bounds)
        if best is not None:
            milestones.append(Milestone(judged, best))
    return History(tuple(milestones), judged, _greedy(results))


def _answers(scored: ScoredTrial, question: str) -> int:
    """How many answers to a question were judged: one for each turn that counts."""
    turns = scored.turns.get(question)
    return 1 if turns is None else sum(score is not None for score in turns)


def _greedy(results: SearchResults) -> int | None:
    material, base = results.material, results.base
    if material is None or base is None:
        return None
    pool, rounds = len(material.pool), min(results.config.strategy.max_demonstrations, len(material.pool))
    candidates = 1 + sum(pool - chosen for chosen in range(rounds))
    turns = results.search[base].turns.values()
    answers = max((sum(score is not None for score in scores) for scores in turns), default=1)
    return candidates * len(material.search) * answers
