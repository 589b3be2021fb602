"""Trackers beside a search: each in a thread of its own, so that none can stop the search or slow it down.

A thread reads the journal as it grows, and what the search's own loop leaves for it; it asks the search for nothing.
"""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

from configs.errors import DemosearchError
from configs.schema.run import RunConfig
from configs.schema.trackers import TrackerConfig
from search.trackers.cursor import Bookmark, Page, digest
from search.trackers.figures import read_conclusion, read_tracked, without_credentials
from search.trackers.journal_tail import JournalTail
from search.trackers.make import make_tracker
from search.trackers.tracker import Figures, Tracked, Tracker

_log = logging.getLogger(__name__)

_SECONDS_A_LOOK = 5.0
_PATIENCE = 20.0  # seconds
MakeTracker = Callable[[TrackerConfig], Tracker]


class Tracking:
    """All trackers of one search.

    Args:
        every: seconds between two looks.
        patience: seconds that all of them together are waited for at the end.
        make: makes a tracker, in its thread.
    """

    def __init__(
        self,
        config: RunConfig,
        path: Path,
        every: float = _SECONDS_A_LOOK,
        patience: float = _PATIENCE,
        make: MakeTracker = make_tracker,
    ) -> None:
        self._config = config
        self._path = path
        self._every = every
        self._patience = patience
        self._make = make
        self._end = threading.Event()
        self._now: Figures = {}
        self._threads: list[threading.Thread] = []

    @asynccontextmanager
    async def following(self, look: Callable[[], Figures]) -> AsyncIterator[None]:
        """Tell trackers how things stand while this is open: what `look` says, called in this loop."""
        if not self._config.trackers.wanted:
            yield
            return
        self._now = look()
        self._start()
        looking = asyncio.create_task(self._look_often(look))
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            self._now = look()

    async def _look_often(self, look: Callable[[], Figures]) -> None:
        while True:
            await asyncio.sleep(self._every)
            self._now = look()

    def _start(self) -> None:
        tracked = read_tracked(self._config, self._path)
        for kind, config in self._config.trackers.wanted.items():
            page = Page(self._path / f"tracker-{kind}.json", config.model_dump(mode="json"))
            handing = _Handing(partial(self._make, config), tracked, page, lambda: self._now, self._has_ended)
            self._threads.append(threading.Thread(target=handing.run, name=f"the tracker {kind}", daemon=True))
            self._threads[-1].start()

    def _has_ended(self) -> bool:
        """Returns at the end, or when it is time for another look."""
        return self._end.wait(self._every)

    def end(self) -> None:
        """Let the trackers take the results; to be called when nobody works on the search any more. Never raises, and
        waits for nobody longer than its patience."""
        self._end.set()
        give_up = time.monotonic() + self._patience
        for thread in self._threads:
            thread.join(max(0.0, give_up - time.monotonic()))
            if thread.is_alive():
                _log.warning("%s does not answer: what it has not received yet is not sent", thread.name)


@contextmanager
def tracking(config: RunConfig, path: Path) -> Iterator[Tracking]:
    """The trackers of the search at `path`; at the end, however it came, they take the results."""
    trackers = Tracking(config, path)
    try:
        yield trackers
    finally:
        trackers.end()


class _Handing:
    """Hands a search over to one tracker."""

    def __init__(
        self,
        make: Callable[[], Tracker],
        tracked: Tracked,
        page: Page,
        now: Callable[[], Figures],
        has_ended: Callable[[], bool],
    ) -> None:
        self._make = make
        self._tracked = tracked
        self._page = page
        self._now = now
        self._has_ended = has_ended
        self._tail = JournalTail(tracked.path / "journal.jsonl")

    def run(self) -> None:
        """Run to the end, or to the first thing that goes wrong."""
        try:
            self._hand_over(self._make())
        except Exception as error:  # whatever it is, it is no reason to stop a search
            reason = str(error) if isinstance(error, DemosearchError) else f"{type(error).__name__}: {error}"
            _log.warning("%s is dropped: %s", threading.current_thread().name, without_credentials(reason))

    def _hand_over(self, tracker: Tracker) -> None:
        is_finished = False
        try:
            mark = self._page.read()
            behind = tracker.begin(self._tracked, mark.step)
            while not self._has_ended():
                self._note(tracker, behind, mark)
            self._note(tracker, behind, mark)
            conclusion = read_conclusion(self._tracked.path, self._tail.step)
            is_finished = conclusion.is_finished
            if digest(conclusion) != mark.conclusion or behind < self._tail.step:
                tracker.conclude(conclusion)
            self._page.write(Bookmark(self._tail.step, digest(conclusion)))
        finally:
            tracker.close(is_finished)

    def _note(self, tracker: Tracker, behind: int, mark: Bookmark) -> None:
        points = [point for point in self._tail.points() if point.step > behind]
        tracker.note(points, self._now())
        if points:
            self._page.write(Bookmark(self._tail.step, mark.conclusion))
