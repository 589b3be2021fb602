"""The interface of everything that a search reports to while it runs, beside its own directory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Tracked:
    """The search that is tracked.

    Attributes:
        id: 32 hexadecimal digits; the same for every process that works on it.
        name: of its directory.
        path: its directory.
        knobs: the config, flat (`strategy.kind`), as text, without what is absent and without credentials.
    """

    id: str
    name: str
    path: Path
    knobs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Point:
    """What is known after a trial.

    Attributes:
        step: answers that the search has been told of so far, judged now or known before, failed ones included.
            Grows from point to point, and is the same however often the search was interrupted.
    """

    step: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How a process has left the search.

    Attributes:
        is_finished: False where it was stopped and may go on.
        step: the last one; 0 where nothing was told.
        files: texts by file name: the status, and the best prompt where there is one.
    """

    is_finished: bool
    step: int
    figures: Figures
    files: Mapping[str, str]


class Tracker(Protocol):
    """Takes figures to another place.

    All methods are called in one thread that is the tracker's own, and may block. Whatever they raise, the search goes
    on without the tracker.
    """

    def begin(self, tracked: Tracked, last: int) -> int:
        """Open the search's place there, or go on with it.

        Args:
            last: step of the last point that an earlier process has handed over; 0 for none.

        Returns:
            The step behind which points are wanted: `last`, where the place does not know better.
        """
        ...

    def note(self, points: Sequence[Point], now: Figures) -> None:
        """Take further points, possibly none, and how things stand now: of the last point, if there is one."""
        ...

    def conclude(self, conclusion: Conclusion) -> None:
        """Take the results. Called after the last `note`, and only if they differ from those that an earlier process
        has handed over."""
        ...

    def close(self, is_finished: bool) -> None:
        """Give everything back; called last, whatever was raised before."""
        ...


def with_now(points: Sequence[Point], now: Figures) -> list[Point]:
    """The points, the last with how things stand now."""
    return [*points[:-1], *(Point(point.step, {**point.figures, **now}) for point in points[-1:])]
