"""Ray's own metrics port, scraped as Prometheus scrapes it."""

import re
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import pytest
import ray

from configs.errors import InputError
from search.trackers.prometheus import PrometheusTracker
from search.trackers.tracker import Conclusion, Point, Tracked
from tests.kits.tracker_kit import NOW, RESULTS
from tests.local_ray import local_ray

pytestmark = pytest.mark.heavy

_PATIENCE = 120.0  # seconds until Ray has passed a gauge on; it takes about ten


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with local_ray():
        (node,) = ray.nodes()  # type: ignore[no-untyped-call]
        yield f"http://127.0.0.1:{node['MetricsExportPort']}/metrics"


def scrape(address: str, wanted: str) -> str:
    """What stands there once this stands there."""
    give_up = time.monotonic() + _PATIENCE
    while True:
        with urlopen(address, timeout=30) as answer:
            text = answer.read().decode()
        if wanted in text or time.monotonic() > give_up:
            return str(text)
        time.sleep(0.5)


def values(text: str) -> dict[str, float]:
    """Of this search's gauges, by name."""
    found = re.findall(r'^ray_demosearch_(\w+){(?=[^}]*search="some run")[^}]*search_id="1f"[^}]*} (\S+)$', text, re.M)
    return {name: float(value) for name, value in found}


def test_without_ray_there_is_nobody_to_serve_the_figures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"workers\.kind to ray"):
        PrometheusTracker().begin(Tracked("1f", "some run", tmp_path, {}), 0)


@pytest.mark.skipif(find_spec("opencensus") is None, reason="Ray serves figures where ray[default] is installed")
def test_ray_serves_how_the_search_stands_and_then_its_results(address: str, tmp_path: Path) -> None:
    tracked = Tracked("1f", "some run", tmp_path, {})
    first = PrometheusTracker()
    assert first.begin(tracked, 5) == 0
    first.note([Point(5, {"search/mean": 1.0}), Point(10, {"search/mean": 2.0})], NOW)
    first.note([], {"workers/queued": 4})
    first.close(False)
    second = PrometheusTracker()
    second.begin(tracked, 10)
    second.note([], NOW | {"workers/queued": 7})
    second.conclude(Conclusion(True, 10, RESULTS, {}))
    second.close(True)
    served = values(scrape(address, "winner_held_out_score"))
    assert served == {
        "search_mean": 2.0,
        "search_answers": 10.0,
        "spend_dollars": 0.25,
        "workers_queued": 7.0,
        "winner_held_out_score": 7.5,
        "winner_held_out_gain_low": -0.25,
    }
