"""Winner, runner-up and base prompt beside each other: the two sides of the split apart, everything else paired."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from search.problem.candidate import Candidate
from search.results.search_results import Evidence, Side, Told
from search.results.status import Standing
from search.statistics.estimates import Estimate, estimate, unpaired_difference

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


def finalists(evidence: Evidence) -> tuple[Finalist, ...]:
    """Best first, the base prompt last; each candidate once."""
    status, base = evidence.status, evidence.base
    if base is None:
        return ()
    best: Role = "winner" if status.state == "finished" else "best so far"
    named: tuple[tuple[Role, Standing | None], ...] = ((best, status.winner), ("runner-up", status.runner_up))
    others = [(role, one.candidate) for role, one in named if one is not None and one.candidate != base]
    return (
        *(_finalist(evidence, role, candidate, base) for role, candidate in others),
        _finalist(evidence, "base prompt", base, base),
    )


def _finalist(evidence: Evidence, role: Role, candidate: Candidate, base: Candidate) -> Finalist:
    search, held_out = evidence.search.get(candidate, _NOTHING), evidence.held_out.get(candidate, _NOTHING)
    confidence = evidence.confidence
    gains: dict[Side, dict[str, float]] = {}
    if candidate != base:
        gains = {
            "search": search.gains(evidence.search[base]),
            "held_out": held_out.gains(evidence.held_out.get(base, _NOTHING)),
        }
    return Finalist(
        role=role,
        candidate=candidate,
        search=search.mean(confidence),
        held_out=held_out.mean(confidence),
        search_gain=search.gain(evidence.search[base], confidence) if gains else None,
        held_out_gain=held_out.gain(evidence.held_out.get(base, _NOTHING), confidence) if gains else None,
        overstatement=unpaired_difference([*gains["search"].values()], [*gains["held_out"].values()], confidence)
        if gains
        else None,
        length={
            "search": estimate([*search.lengths.values()], confidence),
            "held_out": estimate([*held_out.lengths.values()], confidence),
        },
    )


_NOTHING = Told(place=0)


def turn_scores(evidence: Evidence, winner: Candidate) -> tuple[TurnScores, ...]:
    """Turn by turn, where there are several that count."""
    assert evidence.base is not None
    rows = []
    for side in ("held_out", "search"):
        told = evidence.side(side)
        pair = told.get(evidence.base, _NOTHING), told.get(winner, _NOTHING)
        turns = max((len(scores) for one in pair for scores in one.turns.values()), default=0)
        rows += [_turn(side, turn, *pair, evidence.confidence) for turn in range(turns)]
    return tuple(row for row in rows if row.base is not None or row.winner is not None)


def _turn(side: Side, turn: int, base: Told, winner: Told, confidence: float) -> TurnScores:
    first, second = (Told(0, _of_turn(one, turn)) for one in (base, winner))
    return TurnScores(turn + 1, side, first.mean(confidence), second.mean(confidence), second.gain(first, confidence))


def _of_turn(told: Told, turn: int) -> dict[str, float]:
    found = {name: scores[turn] for name, scores in told.turns.items() if turn < len(scores)}
    return {name: score for name, score in found.items() if score is not None}
