"""Follows a journal that another thread writes."""

from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from search.results.journal_results import JournalResults
from search.run_directory.journal import read_records
from search.run_directory.records import TrialRecord
from search.trackers.tracker import Point


class JournalTail:
    """Turns every trial in the journal at `path` into a point, each once.

    Attributes:
        step: of the last point; 0 before the first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._results = JournalResults()
        self.step = 0

    def points(self) -> list[Point]:
        """Points of the trials that have been written since the last call; a line that is half written waits for the
        next."""
        return [Point(self.step, dict(self._figures(record))) for record in self._trials()]

    def _trials(self) -> Iterator[TrialRecord]:
        for stored in read_records(self._path, self._offset):
            self._offset = stored.stop
            self._results.add(stored.record)
            if isinstance(stored.record, TrialRecord):
                self.step += len(stored.record.scored.trial.questions)
                yield stored.record

    def _figures(self, record: TrialRecord) -> Iterator[tuple[str, float]]:
        if record.side != "search" or record.scored.trial.screening:
            return
        yield "search/trials", self._results.trials
        yield "search/demonstrations", len(record.candidate)
        if record.scored.mean is not None:
            yield "search/mean", record.scored.mean
        best = self._results.search.get(record.leaders[0]) if record.leaders else None
        if best and best.scores:
            yield "search/best_so_far", fmean(best.scores.values())
