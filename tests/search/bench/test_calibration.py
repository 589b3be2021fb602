"""What the guard says, against what is true."""

from search.bench.calibration import GuardedSearch, by_class, by_landscape, guarded_search


def test_a_clear_gain_is_said_to_be_one() -> None:
    found = guarded_search("decisive", "screening", 0, pool=12, most=2, share=0.5)
    assert found.gain > 0.5
    assert found.probability > 0.95


def test_a_search_that_checks_for_drift_is_told_apart_and_finds_it() -> None:
    found = guarded_search("drift_no_signal", "screening", 1, pool=12, most=2, share=0.5, knobs={"drift_checks": 8})
    assert found.strategy == "screening, drift_checks 8"
    assert found.drift > 0


def test_probabilities_are_set_against_what_is_true_class_by_class() -> None:
    searches = [GuardedSearch("mixed", "screening", 0.97, gain, True) for gain in (0.1, 0.2, 0.3, -0.1)]
    assert by_class(searches).splitlines()[-1] == "| 0.95 to 0.99 | 4 | 97.0 % | 75.0 % | 100.0 % |"


def test_what_is_not_exported_gains_nothing() -> None:
    searches = [GuardedSearch("mixed", "screening", chance, 0.2, True, evaluations=900) for chance in (0.97, 0.5)]
    line = "| mixed | screening | 900 | 50 % of 2 | 100 % | +0.200 | +0.100 | 100 % | 0 % |"
    assert by_landscape(searches).splitlines()[-1] == line


def test_a_search_that_finds_nothing_keeps_the_base_prompt_and_counts_among_all() -> None:
    nothing = GuardedSearch("no_signal", "racing_greedy", 0.0, 0.0, None, evaluations=900)
    found = GuardedSearch("no_signal", "racing_greedy", 0.95, -0.1, True, evaluations=900)
    line = "| no_signal | racing_greedy | 900 | 25 % of 4 | 0 % | -0.025 | -0.025 | 100 % | 0 % |"
    assert by_landscape([nothing, nothing, nothing, found]).splitlines()[-1] == line
    assert by_class([nothing, found]).splitlines()[2:] == ["| 0.95 to 0.99 | 1 | 95.0 % | 0.0 % | 100.0 % |"]


def test_a_search_that_may_stop_when_decided_is_told_apart_and_asks_for_less() -> None:
    whole, decided = (
        guarded_search(
            "decisive", "successive_halving", 0, pool=12, most=2, share=1.0, knobs={"stop_when_decided": error}
        )
        for error in (0.0, 0.5)
    )
    assert decided.strategy == "successive_halving, stop_when_decided 0.5"
    assert decided.evaluations < whole.evaluations
