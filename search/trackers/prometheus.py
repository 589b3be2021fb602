"""Prometheus, through Ray's own metrics: gauges on every Ray node's metrics port, where Ray's stand already.

Ray serves them where `ray[default]` is installed on the machine of this process.
"""

from collections.abc import Sequence

import ray
from ray.util.metrics import Gauge

from configs.errors import InputError
from search.trackers.tracker import Conclusion, Figures, Point, Tracked

_LABELS = ("search", "search_id")


class PrometheusTracker:
    """Gauges `ray_demosearch_search_best_so_far` and so on: names as in `search.trackers.figures`, every other sign an
    underscore; labels say which search. What they say is how things stand, so earlier points are left out."""

    def __init__(self) -> None:
        self._gauges: dict[str, Gauge] = {}
        self._labels: dict[str, str] = {}

    def begin(self, tracked: Tracked, last: int) -> int:  # noqa: ARG002 -- nothing outlives a process
        """Raises InputError where Ray does not run."""
        if not ray.is_initialized():
            raise InputError("Prometheus metrics need Ray, which is not running here: set workers.kind to ray")
        self._labels = dict(zip(_LABELS, (tracked.name, tracked.id), strict=True))
        return 0

    def note(self, points: Sequence[Point], now: Figures) -> None:
        self._show(now)
        if points:
            self._show({**points[-1].figures, "search/answers": points[-1].step})

    def conclude(self, conclusion: Conclusion) -> None:
        self._show(conclusion.figures)

    def close(self, is_finished: bool) -> None:
        """Nothing to do: Ray forgets the gauges when this process leaves it."""

    def _show(self, figures: Figures) -> None:
        for name, value in figures.items():
            if name not in self._gauges:
                self._gauges[name] = Gauge(f"demosearch_{name.replace('/', '_')}", name, tag_keys=_LABELS)
            self._gauges[name].set(value, tags=self._labels)
