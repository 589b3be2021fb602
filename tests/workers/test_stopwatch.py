"""For how long anything was under way."""

from workers.stopwatch import Stopwatch


def test_time_in_which_several_things_are_under_way_counts_once() -> None:
    now = 10.0
    watch = Stopwatch(lambda: now)
    watch.begin()
    now = 12.0
    watch.begin()
    now = 13.0
    watch.end()
    now = 14.0
    watch.begin()
    assert (watch.under_way, watch.seconds) == (2, 4.0)
    now = 16.0
    assert watch.seconds == 6.0
    watch.end()
    watch.end()
    now = 100.0
    assert (watch.under_way, watch.seconds) == (0, 6.0)
    watch.begin()
    now = 101.0
    assert watch.seconds == 7.0
