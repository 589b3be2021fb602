"""The benchmark of strategies."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from search.bench.strategies import against_no_judge, against_racing, coverage, read, savings, table
from search.bench.strategy_outcome import REFERENCE, STRATEGIES, Case, StrategyOutcome, outcomes

pytestmark = pytest.mark.heavy

CASE = Case("mixed", 10, 2, 0)


@pytest.fixture(scope="module")
def found() -> list[StrategyOutcome]:
    return outcomes(CASE, [name for name in STRATEGIES if name != "optuna_gp"], [0.5, 0.25])


def test_every_strategy_has_an_outcome_for_every_budget_it_can_be_given(found: list[StrategyOutcome]) -> None:
    shares = {name: sorted(one.share for one in found if one.strategy == name) for name in STRATEGIES}
    assert shares["screening"] == shares["random"] == [0.25, 0.5]
    assert len(shares["racing_greedy"]) == len(shares["similar"]) == 1


def test_budgets_are_kept(found: list[StrategyOutcome]) -> None:
    for one in found:
        if one.strategy in ("screening", "random", "local_search", "optuna_tpe"):
            assert one.evaluations <= one.share * one.greedy_evaluations


def test_exhaustive_greedy_is_what_others_are_measured_against(found: list[StrategyOutcome]) -> None:
    (reference,) = (one for one in found if one.strategy == REFERENCE)
    assert reference.difference == 0
    assert reference.evaluations == 80 * (1 + 10 + 9)


def test_the_same_case_has_the_same_outcomes(found: list[StrategyOutcome]) -> None:
    again = outcomes(CASE, ["screening"], [0.25])[-1]
    before = next(one for one in found if one.strategy == "screening" and one.share == 0.25)
    assert (again.difference, again.evaluations, again.base_kept) == (
        before.difference,
        before.evaluations,
        before.base_kept,
    )


def outcome(share: float, difference: float) -> StrategyOutcome:
    return StrategyOutcome(
        case=CASE,
        strategy="screening",
        share=share,
        evaluations=round(1000 * share),
        greedy_evaluations=1000,
        difference=difference,
        exported=difference,
        regret=0.1,
        base_kept=False,
        score_covered=True,
        gain_covered=None,
        seconds=0.001,
    )


@pytest.mark.parametrize(
    ("differences", "expected"), [((0.2, 0.1, -0.1), "14"), ((0.2, 0.1, 0.1), "> 20"), ((-0.2, 0.1, 0.1), "< 5")]
)
def test_the_saving_is_where_the_difference_falls_below_zero(differences: tuple[float, ...], expected: str) -> None:
    shares = (0.2, 0.1, 0.05)
    found = [outcome(share, difference) for share, difference in zip(shares, differences, strict=True)]
    assert savings(found).splitlines()[-1] == f"| mixed | 10 | 2 | screening | {expected} |"


def test_the_table_has_a_line_for_each_budget() -> None:
    lines = table([outcome(0.2, 0.1), outcome(0.2, 0.3), outcome(0.1, 0.0)]).splitlines()
    assert len(lines) == 4
    assert any("| 200 | 5.0 | +0.200 [" in line for line in lines)


def test_the_command_writes_its_outcomes_and_prints_its_table(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    command = [sys.executable, "-m", "search.bench.strategies", "--landscapes", "no_signal", "--pools", "6", "--most"]
    command += ["2", "--shares", "0.5", "--seeds", "2", "--jobs", "1", "--strategies", "random", "--json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "| no_signal | 6 | 2 | random |" in done.stdout
    assert {one["strategy"] for one in json.loads(path.read_text())} == {"random", REFERENCE}


def test_strategies_are_compared_with_racing_landscape_by_landscape() -> None:
    found = [
        replace(outcome(0.2, difference), strategy=name, case=Case("mixed", 10, 2, seed))
        for seed, pair in enumerate([(0.3, 0.1), (0.0, -0.4)])
        for name, difference in zip(("screening", "racing_greedy"), pair, strict=True)
    ]
    (*_, line) = against_racing(found).splitlines()
    assert line.startswith("| mixed | 10 | 2 | screening | 200 | +0.300 [")
    assert against_racing(found[::2]) == ""


def test_a_cheap_judge_is_compared_with_none_at_as_many_answers_of_the_judge() -> None:
    made = outcomes(CASE, ["screening"], [0.5], judges=["0", "length"])
    text = against_no_judge(made)
    assert [line.split(" | ")[3] for line in text.splitlines()[2:]] == ["0", "length"]
    judged = [one.evaluations for one in made if one.strategy.startswith("screening")]
    assert max(judged) - min(judged) <= 16
    assert against_no_judge(one for one in made if one.strategy == REFERENCE) == ""


def test_coverage_counts_all_searches_of_a_strategy() -> None:
    found = [outcome(0.2, 0.0), replace(outcome(0.1, 0.0), score_covered=False, gain_covered=True)]
    assert coverage(found).splitlines()[-1] == "| screening | 1 | 50.0 % of 2 | 100.0 % of 1 |"


def test_outcomes_are_read_as_they_were_written(found: list[StrategyOutcome], tmp_path: Path) -> None:
    (tmp_path / "found.json").write_text(json.dumps([asdict(one) for one in found]))
    assert read(tmp_path / "found.json") == found
