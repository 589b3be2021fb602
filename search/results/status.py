"""What is known of a run, from its directory alone: while it runs, after a crash, at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from evaluators.evaluation import Failure
from evaluators.ledger.queries import read_failures, read_spend
from evaluators.ledger.spend import Spend
from search.problem.candidate import Candidate
from search.run_directory.amendments import amended
from search.run_directory.journal import Line, read_journal
from search.run_directory.run import State, ledger_path, read_config, read_id, read_state
from search.statistics.estimates import Estimate, estimate, paired_difference


@dataclass(frozen=True, slots=True)
class Standing:
    """One candidate of a run with what is known of it.

    Attributes:
        candidate: with the base prompt's own demonstrations.
        search_score: on the guiding questions. The candidate was chosen for it, so for a winner it is too high.
        held_out_score: on questions the search never saw; None before the end.
        held_out_gain: paired difference to the base prompt on the held-out questions; None for the base.
        length: mean length of its answers to guiding questions, in characters: a judge that likes long ones shows here.
    """

    candidate: Candidate
    search_score: Estimate | None
    held_out_score: Estimate | None
    held_out_gain: Estimate | None
    length: float | None = None

    @property
    def demonstrations(self) -> tuple[str, ...]:
        """Ids, from the top of the prompt down."""
        return self.candidate.demonstrations


@dataclass(frozen=True, slots=True)
class FailedItems:
    """Items that failed for the same cause.

    Attributes:
        stage: "generation" or "verdict".
        cause: the error's kind.
        count: of items that have not succeeded since.
        sample: what one of them met, in a sentence.
    """

    stage: str
    cause: str
    count: int
    sample: str


@dataclass(frozen=True, slots=True)
class Status:
    """Of one run. `winner` is the best so far until `state` is "finished".

    Attributes:
        failures: the most frequent first.
        amended: scores that `retry-failed` added; the search was told of failures in their place.
        better: how probable the run's scores make it that what the search found beats the base prompt, in [0, 1]. Where
            that was too little, the base prompt is the winner and what was found the runner-up. None before the end,
            and where the search itself ranked the base prompt first.
    """

    run: str
    state: State
    reason: str
    trials: int
    winner: Standing | None
    runner_up: Standing | None
    base: Standing | None
    spend: Spend
    failures: tuple[FailedItems, ...] = ()
    amended: int = 0
    better: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As `demosearch status --json` prints it; an infinite end of an interval is null."""
        base = self.base
        return {
            "run": self.run,
            "state": self.state,
            "reason": self.reason,
            "trials": self.trials,
            "winner": list(self.winner.demonstrations) if self.winner else None,
            "decoding": self.winner.candidate.decoding if self.winner else None,
            "runner_up": _standing(self.runner_up),
            **asdict(self.spend),
            "failures": [asdict(one) for one in self.failures],
            "amended": self.amended,
            "better": self.better,
            "search_score": _json(self.winner.search_score if self.winner else None),
            "held_out_score": _json(self.winner.held_out_score if self.winner else None),
            "length": self.winner.length if self.winner else None,
            "held_out_gain": _json(self.winner.held_out_gain if self.winner else None),
            "base": _standing(base),
        }


def read_status(path: Path) -> Status:
    """Read the run at `path`, never disturbing its coordinator. Raises InputError where there is no run."""
    config = read_config(path)
    state, reason = read_state(path)
    told, later = read_journal(path / "journal.jsonl"), read_journal(path / "amendments.jsonl")
    lines = amended(told, later, config.scoring.max_failed_share)
    ledger, name = ledger_path(path, config), read_id(path)
    confidence = config.scoring.confidence
    search = [line for line in lines if "search" in line]
    ended = state != "running" and any("end" in line for line in lines)
    winner, runner_up = _leaders(lines)
    base = Candidate.from_json(search[0]["search"]) if search else None
    return Status(
        run=path.resolve().name,
        state="finished" if ended else state,
        reason="" if ended else reason,
        trials=len(search),
        winner=_read_standing(lines, winner, base, confidence),
        runner_up=_read_standing(lines, runner_up, base, confidence),
        base=_read_standing(lines, base, base, confidence),
        spend=read_spend(ledger, name),
        failures=by_cause(read_failures(ledger, name)),
        amended=_failures(told) - _failures(lines),
        better=next((line["end"]["better"] for line in lines if "end" in line), None),
    )


def by_cause(failures: Sequence[Failure]) -> tuple[FailedItems, ...]:
    """Failures of the same kind together, each kind with the latest one's words."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in failures:
        groups.setdefault((one.stage, one.cause), []).append(one.message)
    counted = [FailedItems(*group, len(messages), messages[-1]) for group, messages in groups.items()]
    return tuple(sorted(counted, key=lambda items: -items.count))


def _failures(lines: Sequence[Line]) -> int:
    return sum(len(line.get("failures", ())) for line in lines)


def _leaders(lines: list[Line]) -> tuple[Candidate | None, Candidate | None]:
    for line in reversed(lines):
        if "end" in line:
            leaders = [line["end"]["winner"], line["end"]["runner_up"]]
        elif "search" in line:
            leaders = [*line["leaders"], None, None]
        else:
            continue
        first, second = (None if one is None else Candidate.from_json(one) for one in leaders[:2])
        return first, second
    return None, None


def _read_standing(
    lines: list[Line], candidate: Candidate | None, base: Candidate | None, confidence: float
) -> Standing | None:
    if candidate is None or base is None:
        return None
    guiding, held_out = _scores(lines, "search", candidate), _scores(lines, "held_out", candidate)
    gain = paired_difference(held_out, _scores(lines, "held_out", base), confidence) if candidate != base else None
    return Standing(
        candidate=candidate,
        search_score=estimate([*guiding.values()], confidence, _failed(lines, "search", candidate, guiding)),
        held_out_score=estimate([*held_out.values()], confidence, _failed(lines, "held_out", candidate, held_out)),
        held_out_gain=gain,
        length=_length(lines, candidate),
    )


def _length(lines: list[Line], candidate: Candidate) -> float | None:
    lengths: dict[str, int] = {}
    for line in lines:
        if _is_of(line, "search", candidate):
            lengths |= line["lengths"]
    return fmean(lengths.values()) if lengths else None


def _scores(lines: list[Line], kind: str, candidate: Candidate) -> Mapping[str, float]:
    scores: dict[str, float] = {}
    for line in lines:
        if _is_of(line, kind, candidate) and line["mean"] is not None:
            scores |= line["scores"]
    return scores


def _failed(lines: list[Line], kind: str, candidate: Candidate, scores: Mapping[str, float]) -> int:
    """Questions that failed and have no score."""
    own = [line for line in lines if _is_of(line, kind, candidate)]
    return len({name for line in own for name in line["failures"]} - scores.keys())


def _is_of(line: Line, kind: str, candidate: Candidate) -> bool:
    return bool(line.get(kind) == candidate.to_json())


def _standing(standing: Standing | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    return {
        "demonstrations": list(standing.demonstrations),
        "decoding": standing.candidate.decoding,
        "search_score": _json(standing.search_score),
        "held_out_score": _json(standing.held_out_score),
        "length": standing.length,
    }


def _json(value: Estimate | None) -> dict[str, float | int | None] | None:
    return None if value is None else value.to_json()
