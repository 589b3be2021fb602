"""The journal: what the strategy was told, in order, one JSON line each.

It holds nothing that depends on time or on the order in which workers finish, so that a search that was killed and
resumed leaves the same journal, byte for byte, as one that never was. A resumed search asks its strategy again and
checks every question against these lines; what was told then is told again.
"""

import difflib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from configs.errors import InputError, RunStopped
from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial

Line = dict[str, Any]
LEADERS = 2  # the winner so far and the runner-up


def trial_line(kind: str, scored: ScoredTrial, leaders: Sequence[Candidate] = ()) -> Line:
    """The line of a told trial; `kind` is "search" or "held_out", `leaders` the best candidates known after it."""
    return {
        kind: scored.trial.candidate.to_json(),
        "mean": scored.mean,
        "scores": scored.scores,
        "failures": scored.failures,
        "lengths": scored.lengths,
        **({"turns": {name: list(scores) for name, scores in scored.turns.items()}} if scored.turns else {}),
        "leaders": [candidate.to_json() for candidate in leaders[:LEADERS]],
    }


def end_line(winner: Candidate, runner_up: Candidate | None, better: float | None) -> Line:
    """The last line: what is exported, what came next, and how probable it is that the search found something better
    than the base prompt; None where it ranked that first itself."""
    second = None if runner_up is None else runner_up.to_json()
    return {"end": {"winner": winner.to_json(), "runner_up": second, "better": better}}


def scored_trial(kind: str, line: Line, trial: Trial) -> ScoredTrial:
    """The inverse of `trial_line`, for the trial that is asked now.

    Raises:
        InputError: the line is about another candidate, or about other questions.
    """
    told = {*line.get("scores", ()), *line.get("failures", ())}
    if line.get(kind) != trial.candidate.to_json() or told != set(trial.questions):
        now = {kind: trial.candidate.to_json(), "questions": sorted(trial.questions)}
        then = {key: line[key] for key in line if key in ("search", "held_out", "end")} | {"questions": sorted(told)}
        raise InputError("this search takes another path than its journal says:\n" + _diff(then, now) + _ADVICE)
    turns = {name: tuple(scores) for name, scores in line.get("turns", {}).items()}
    return ScoredTrial(trial, line["scores"], line["failures"], line["mean"], line["lengths"], turns)


class Journal:
    """The journal at `path`, opened for appending; a line torn by a crash is cut off.

    Raises:
        InputError: a line that cannot be read stands before the last one.
    """

    def __init__(self, path: Path) -> None:
        self._lines, intact = _read(path)
        self._position = 0
        self._file = path.open("ab", buffering=0)
        self._file.truncate(intact)

    def recorded(self, position: int) -> Line | None:
        """The line at this position, from 0, as an earlier process left it; None beyond its end."""
        return self._lines[position] if position < len(self._lines) else None

    def append(self, line: Line) -> None:
        """Write a line durably, or check it against the one written before.

        Raises:
            InputError: it differs from the one written before.
            RunStopped: the disk does not take it.
        """
        recorded = self.recorded(self._position)
        self._position += 1
        if recorded is None:
            self._write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        elif recorded != line:
            raise InputError("this search differs from its journal:\n" + _diff(recorded, line) + _ADVICE)

    def _write(self, text: bytes) -> None:
        end = self._file.tell()
        try:
            if self._file.write(text) < len(text):
                self._file.truncate(end)
                raise OSError("the disk is full")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise RunStopped(f"the journal cannot be written ({error}): free some disk space, then resume") from error

    def close(self) -> None:
        """Give the file back. Idempotent."""
        self._file.close()


_ADVICE = "\nresume with the versions and data the run was started with, or start a new run"


def read_journal(path: Path) -> list[Line]:
    """Every whole line, also while another process writes; none where there is no journal."""
    return _read(path)[0]


def _read(path: Path) -> tuple[list[Line], int]:
    """The whole lines, and how many bytes they take."""
    content = path.read_bytes() if path.exists() else b""
    intact = content[: content.rfind(b"\n") + 1]
    lines = []
    for number, line in enumerate(intact.splitlines(), start=1):
        try:
            lines.append(json.loads(line))
        except ValueError as error:
            raise InputError(f"{path}, line {number} is damaged ({error}): restore the file from a copy") from error
    return lines, len(intact)


def _diff(then: Line, now: Line) -> str:
    before, after = (json.dumps(line, indent=1, ensure_ascii=False).splitlines() for line in (then, now))
    return "\n".join(difflib.unified_diff(before, after, "journal", "now", lineterm="", n=1))
