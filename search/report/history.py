"""How the best score grew with what was spent."""

from collections.abc import Iterator
from dataclasses import dataclass

from search.problem.candidate import Candidate
from search.results.search_results import Evidence
from search.run_directory.journal import Line
from search.statistics.estimates import Estimate, estimate


@dataclass(frozen=True, slots=True)
class Milestone:
    """The state of knowledge after a trial.

    Attributes:
        judged: answers judged so far, each turn that counts is one.
        best: the guiding score, as known then, of the candidate that led.
    """

    judged: int
    best: Estimate


@dataclass(frozen=True, slots=True)
class History:
    """Of a search.

    Attributes:
        greedy: judged generations that the paper's exhaustive greedy search would take in the same space: all rounds,
            every demonstration of the pool in each, on all guiding questions.
    """

    milestones: tuple[Milestone, ...]
    judged: int
    greedy: int | None


def history(evidence: Evidence) -> History:
    """Read it from the journal."""
    milestones: list[Milestone] = []
    scores: dict[Candidate, dict[str, float]] = {}
    judged = 0
    for line in _told(evidence):
        known = scores.setdefault(Candidate.from_json(line["search"]), {})
        judged += sum(_answers(line, name) for name in line["scores"] if name not in known)
        if line["mean"] is not None:
            known.update(line["scores"])
        leader = Candidate.from_json(line["leaders"][0]) if line["leaders"] else None
        best = estimate([*scores.get(leader, {}).values()], evidence.confidence) if leader is not None else None
        if best is not None:
            milestones.append(Milestone(judged, best))
    return History(tuple(milestones), judged, _greedy(evidence))


def _told(evidence: Evidence) -> Iterator[Line]:
    return (line for line in evidence.lines if "search" in line)


def _answers(line: Line, question: str) -> int:
    """Answers judged for one score."""
    turns = line.get("turns", {}).get(question)
    return 1 if turns is None else sum(score is not None for score in turns)


def _greedy(evidence: Evidence) -> int | None:
    material, base = evidence.material, evidence.base
    if material is None or base is None:
        return None
    pool, rounds = len(material.pool), min(evidence.config.strategy.max_demonstrations, len(material.pool))
    candidates = 1 + sum(pool - chosen for chosen in range(rounds))
    first = next(_told(evidence))
    answers = max((_answers(first, name) for name in first["scores"]), default=1)
    return candidates * len(material.guiding) * answers
