"""What is known of a run, from its directory alone: while it runs, after a crash, at the end."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from evaluators.ledger import Spend, read_failures, read_spend
from search.journal import Line, read_journal
from search.run import State, ledger_path, read_config, read_id, read_state
from search.statistics import Estimate, estimate, paired_difference


@dataclass(frozen=True, slots=True)
class Standing:
    """One candidate of a run with what is known of it.

    Attributes:
        demonstrations: ids, in order; the base prompt's own included.
        search_score: on the guiding questions. The candidate was chosen for it, so for a winner it is too high.
        held_out_score: on questions the search never saw; None before the end.
        held_out_gain: paired difference to the base prompt on the held-out questions; None for the base.
    """

    demonstrations: tuple[str, ...]
    search_score: Estimate | None
    held_out_score: Estimate | None
    held_out_gain: Estimate | None


@dataclass(frozen=True, slots=True)
class Status:
    """Of one run. `winner` is the best so far until `state` is "finished"."""

    run: str
    state: State
    reason: str
    trials: int
    winner: Standing | None
    runner_up: Standing | None
    base: Standing | None
    spend: Spend
    failures: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As `demosearch status --json` prints it; an infinite end of an interval is null."""
        base = self.base
        return {
            "run": self.run,
            "state": self.state,
            "reason": self.reason,
            "trials": self.trials,
            "winner": list(self.winner.demonstrations) if self.winner else None,
            "runner_up": _standing(self.runner_up),
            **asdict(self.spend),
            "failures": self.failures,
            "search_score": _estimate(self.winner.search_score if self.winner else None),
            "held_out_score": _estimate(self.winner.held_out_score if self.winner else None),
            "held_out_gain": _estimate(self.winner.held_out_gain if self.winner else None),
            "base": _standing(base),
        }


def read_status(path: Path) -> Status:
    """Read the run at `path`, never disturbing its coordinator. Raises InputError where there is no run."""
    config = read_config(path)
    state, reason = read_state(path)
    lines = read_journal(path / "journal.jsonl")
    ledger, name = ledger_path(path, config), read_id(path)
    confidence = config.scoring.confidence
    search = [line for line in lines if "search" in line]
    ended = state != "running" and any("end" in line for line in lines)
    winner, runner_up = _leaders(lines)
    base = tuple(search[0]["search"]) if search else None
    return Status(
        run=path.resolve().name,
        state="finished" if ended else state,
        reason="" if ended else reason,
        trials=len(search),
        winner=_read_standing(lines, winner, base, confidence),
        runner_up=_read_standing(lines, runner_up, base, confidence),
        base=_read_standing(lines, base, base, confidence),
        spend=read_spend(ledger, name),
        failures=dict(Counter(f"{item.stage}: {item.cause}" for item in read_failures(ledger, name))),
    )


def _leaders(lines: list[Line]) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    for line in reversed(lines):
        if "end" in line:
            names = [line["end"]["winner"], line["end"]["runner_up"]]
        elif "search" in line:
            names = [*line["leaders"], None, None]
        else:
            continue
        first, second = (tuple(name) if name is not None else None for name in names[:2])
        return first, second
    return None, None


def _read_standing(
    lines: list[Line], names: tuple[str, ...] | None, base: tuple[str, ...] | None, confidence: float
) -> Standing | None:
    if names is None or base is None:
        return None
    guiding, held_out = _scores(lines, "search", names), _scores(lines, "held_out", names)
    gain = paired_difference(held_out, _scores(lines, "held_out", base), confidence) if names != base else None
    return Standing(names, estimate([*guiding.values()], confidence), estimate([*held_out.values()], confidence), gain)


def _scores(lines: list[Line], kind: str, names: tuple[str, ...]) -> Mapping[str, float]:
    scores: dict[str, float] = {}
    for line in lines:
        if kind in line and tuple(line[kind]) == names and line["mean"] is not None:
            scores |= line["scores"]
    return scores


def _failed(lines: list[Line], kind: str, names: tuple[str, ...]) -> int:
    return sum(len(line["failures"]) for line in lines if kind in line and tuple(line[kind]) == names)


def _standing(standing: Standing | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    return {
        "demonstrations": list(standing.demonstrations),
        "search_score": _estimate(standing.search_score),
        "held_out_score": _estimate(standing.held_out_score),
    }


def _estimate(value: Estimate | None) -> dict[str, float | int | None] | None:
    if value is None:
        return None
    return {
        "mean": value.mean,
        "low": value.low if math.isfinite(value.low) else None,
        "high": value.high if math.isfinite(value.high) else None,
        "n": value.n,
        "n_failed": value.failed,
    }
