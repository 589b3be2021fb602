"""Winner, runner-up and base prompt beside each other: the two sides of the split apart, everything else paired."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from search.problem.candidate import Candidate
from search.problem.trial import Side
from search.results.candidate_results import CandidateResults
from search.results.search_results import SearchResults
from search.statistics.estimates import Estimate, estimate, unpaired_difference
from search.statistics.intervals import of_difference

Role = Literal["winner", "best so far", "runner-up", "base prompt"]


@dataclass(frozen=True, slots=True)
class Finalist:
    """One of the three.

    Attributes:
        role: "best so far" stands for the winner of a search that has not ended.
        search, held_out: mean scores; the search score of a candidate that was chosen for it is too high.
        search_gain, held_out_gain: paired differences to the base prompt; None for the base prompt.
        overstatement: search gain minus held-out gain. Two differences are compared, so that it makes no difference
            which of the two sides has the easier questions.
        length: mean length of its answers on each side, in characters.
    """

    role: Role
    candidate: Candidate
    search: Estimate | None
    held_out: Estimate | None
    search_gain: Estimate | None
    held_out_gain: Estimate | None
    overstatement: Estimate | None
    length: Mapping[Side, Estimate | None]


@dataclass(frozen=True, slots=True)
class TurnScores:
    """Winner and base prompt on one turn, from 1, on one side."""

    turn: int
    side: Side
    base: Estimate | None
    winner: Estimate | None
    gain: Estimate | None


def finalists(results: SearchResults) -> tuple[Finalist, ...]:
    """Best first, the base prompt last; each candidate once."""
    journal, base = results.journal, results.base
    if base is None:
        return ()
    best: Role = "winner" if results.state == "finished" else "best so far"
    named: tuple[tuple[Role, Candidate | None], ...] = ((best, journal.winner), ("runner-up", journal.runner_up))
    others = [(role, candidate) for role, candidate in named if candidate is not None and candidate != base]
    return (
        *(_finalist(results, role, candidate, base) for role, candidate in others),
        _finalist(results, "base prompt", base, base),
    )


def _finalist(results: SearchResults, role: Role, candidate: Candidate, base: Candidate) -> Finalist:
    search, held_out = results.search.get(candidate, _NOTHING), results.held_out.get(candidate, _NOTHING)
    confidence = results.confidence
    ends = of_difference(results.journal.bounds)
    gains: dict[Side, dict[str, float]] = {}
    if candidate != base:
        gains = {
            "search": search.gains(results.search[base]),
            "held_out": held_out.gains(results.held_out.get(base, _NOTHING)),
        }
    return Finalist(
        role=role,
        candidate=candidate,
        search=search.mean(confidence),
        held_out=held_out.mean(confidence),
        search_gain=search.gain(results.search[base], confidence) if gains else None,
        held_out_gain=held_out.gain(results.held_out.get(base, _NOTHING), confidence) if gains else None,
        overstatement=unpaired_difference([*gains["search"].values()], [*gains["held_out"].values()], confidence, ends)
        if gains
        else None,
        length={
            "search": estimate([*search.lengths.values()], confidence),
            "held_out": estimate([*held_out.lengths.values()], confidence),
        },
    )


_NOTHING = CandidateResults(place=0)


def turn_scores(results: SearchResults, winner: Candidate) -> tuple[TurnScores, ...]:
    """Turn by turn, where there are several that count."""
    assert results.base is not None
    rows = []
    for side in ("held_out", "search"):
        scored = results.side(side)
        pair = scored.get(results.base, _NOTHING), scored.get(winner, _NOTHING)
        turns = max((len(turns) for candidate in pair for turns in candidate.turns.values()), default=0)
        rows += [_turn(side, turn, *pair, results.confidence) for turn in range(turns)]
    return tuple(row for row in rows if row.base is not None or row.winner is not None)


def _turn(side: Side, turn: int, base: CandidateResults, winner: CandidateResults, confidence: float) -> TurnScores:
    first, second = (CandidateResults(0, scored.of_turn(turn), bounds=scored.bounds) for scored in (base, winner))
    return TurnScores(turn + 1, side, first.mean(confidence), second.mean(confidence), second.gain(first, confidence))
