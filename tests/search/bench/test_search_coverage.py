"""Coverage of the intervals that a search reports."""

import pytest

from search.bench.landscape import Landscape
from search.bench.landscapes import LANDSCAPES
from search.bench.search_coverage import SampleCoverage, main, sample_coverage, table


def test_intervals_hold_the_truth_about_as_often_as_they_say_where_the_judge_drifts_too() -> None:
    coverage = sample_coverage("drift", "successive_halving", 0, [10, 40], 200)
    assert coverage is not None
    for shares in (coverage.score, coverage.gain):
        assert all(0.9 < shares[count] < 0.99 for count in (10, 40))


def test_a_line_a_landscape_is_the_mean_of_its_searches() -> None:
    coverages = [SampleCoverage("mixed", {10: share}, {10: 1.0}) for share in (0.9, 1.0)]
    assert table(coverages, [10]).splitlines()[-1] == "| mixed | 95.0 | 100.0 |"


def test_the_truth_at_the_beginning_is_that_of_a_judge_that_has_not_drifted() -> None:
    drifting, steady = (Landscape(LANDSCAPES[name], 1, pool=3) for name in ("drift", "mixed"))
    base = steady.space(1).compose(())
    assert drifting.truth(base, drifting.held_out) == steady.truth(base, steady.held_out)
    assert abs(drifting.truth(base, drifting.held_out, 0.6) - steady.truth(base, steady.held_out, 0.6)) > 0.01


@pytest.mark.parametrize(("option", "least"), [("--counts", 2), ("--samples", 1), ("--seeds", 1)])
def test_a_number_that_is_too_small_is_refused(option: str, least: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([option, str(least - 1)])
    assert f"argument {option}: {least - 1} is too few: give at least {least}" in capsys.readouterr().err
