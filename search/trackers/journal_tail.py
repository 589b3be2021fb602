"""Follows a journal that another thread writes."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from search.problem.candidate import Candidate
from search.run_directory.journal import Line
from search.trackers.tracker import Point


class JournalTail:
    """Turns every line of the journal at `path` into a point, each line once.

    Attributes:
        step: of the last point; 0 before the first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._trials = 0
        self._scores: dict[Candidate, dict[str, float]] = {}
        self.step = 0

    def points(self) -> list[Point]:
        """Of the lines that have been written since the last call; a line that is half written waits for the next."""
        return [Point(self.step, dict(self._figures(line))) for line in self._lines() if self._steps_on(line)]

    def _lines(self) -> Iterator[Line]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        yield from map(json.loads, whole.splitlines())

    def _steps_on(self, line: Line) -> bool:
        """False for the line that ends a search."""
        told = len(line.get("scores", ())) + len(line.get("failures", ()))
        self.step += told
        return told > 0

    def _figures(self, line: Line) -> Iterator[tuple[str, float]]:
        if "search" not in line:
            return
        self._trials += 1
        yield "search/trials", self._trials
        candidate = Candidate.from_json(line["search"])
        yield "search/demonstrations", len(candidate)
        if line["mean"] is not None:
            yield "search/mean", line["mean"]
            self._scores.setdefault(candidate, {}).update(line["scores"])
        best = self._scores.get(Candidate.from_json(line["leaders"][0])) if line["leaders"] else None
        if best:
            yield "search/best_so_far", fmean(best.values())
