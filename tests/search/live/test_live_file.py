"""What a running search leaves for other processes."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from search.live.eta import Eta
from search.live.live_file import LIVE, LiveFile, read_live
from search.statistics.estimates import Estimate
from tests.search.live.snapshots import of_no_search, snapshot


def test_another_process_reads_what_was_shown(tmp_path: Path) -> None:
    endless = replace(
        snapshot(64), eta=Eta(1.0), best=Estimate(5.0, -math.inf, math.inf, 1), spent={"dollars": None, "hours": 0.1}
    )
    for shown in (endless, of_no_search()):
        with LiveFile(tmp_path) as view:
            view.show(shown)
            assert read_live(tmp_path) == shown
        assert read_live(tmp_path) is None
        assert not [*tmp_path.iterdir()]


def test_it_is_written_once_a_second_at_most(tmp_path: Path) -> None:
    times = iter([10.0, 10.0, 10.5, 11.0, 11.0])
    with LiveFile(tmp_path, lambda: next(times)) as view:
        for done, there in ((1, 1), (2, 1), (3, 3)):
            view.show(replace(snapshot(), done=done))
            shown = read_live(tmp_path)
            assert shown is not None
            assert shown.done == there


@pytest.mark.parametrize("content", ["", "{", '{"moment": 1.0}', "[]", '"\ud800"'])
def test_what_cannot_be_read_is_as_good_as_absent(content: str, tmp_path: Path) -> None:
    (tmp_path / LIVE).write_bytes(content.encode("utf-8", "surrogatepass"))
    assert read_live(tmp_path) is None
    LiveFile(tmp_path)
    assert not (tmp_path / LIVE).exists()


def test_a_directory_that_takes_no_file_costs_the_search_nothing(tmp_path: Path) -> None:
    with LiveFile(tmp_path / "none") as view:
        view.show(snapshot())
    assert not (tmp_path / "none").exists()
