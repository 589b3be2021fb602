"""How figures are said."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from configs.schema.judge import JudgeConfig
from search.live.eta import Eta, show_eta
from search.results.wording import show_estimate, show_gain, show_judge, show_span
from search.statistics.estimates import Estimate, estimate


def test_failed_questions_stand_beside_the_mean() -> None:
    assert show_estimate(estimate([5.0, 5.0], 0.95, failed=3)) == "5.00 [5.00, 5.00], n=2, 3 failed"
    assert show_estimate(Estimate(1, 0, 2, 9)) == "1.00 [0.00, 2.00], n=9"


@pytest.mark.parametrize(
    ("eta", "said"),
    [
        (None, "ETA unknown"),
        (Eta(720, 540, 1020), "ETA 12 min (9-17)"),
        (Eta(42.4, 38, 51), "ETA 42 s (38-51)"),
        (Eta(9000, 7200, 12_600), "ETA 2.5 h (2-3.5)"),
        (Eta(720, 540), "ETA 12 min (9 or more)"),
        (Eta(720), "ETA 12 min or so"),
        (Eta(0, 0, 0), "ETA 0 s"),
        (Eta(60.1, 59.9, 60.3), "ETA 60 s"),
    ],
)
def test_a_time_left_comes_with_its_doubt_in_one_unit(eta: Eta | None, said: str) -> None:
    assert show_eta(eta) == said


@given(st.floats(0, 1e8))
def test_a_span_is_said_to_two_digits_or_a_little_more(seconds: float) -> None:
    number, unit = show_span(seconds).split()
    each = {"s": 1, "min": 60, "h": 3600, "days": 86_400}[unit]
    assert math.isclose(float(number) * each, seconds, rel_tol=0.06, abs_tol=0.06)


def test_an_estimate_without_both_ends_says_that_it_has_no_interval() -> None:
    for low, high in ((-math.inf, math.inf), (-math.inf, 10.0), (1.0, math.inf), (math.nan, math.nan)):
        lone = Estimate(4.0, low, high, 1)
        assert show_estimate(lone) == "4.00 [no interval], n=1"
        assert show_gain(lone) == "+4.00 [no interval]"
    assert show_gain(Estimate(-1.0, -2.0, 0.5, 9)) == "-1.00 [-2.00, +0.50]"


@pytest.mark.parametrize(
    ("judge", "words"),
    [
        ({"kind": "reference", "metric": "rouge_l"}, "reference rouge_l"),
        ({"kind": "function", "function": "mine:score", "repeats": 3}, "function mine:score, mean of 3 verdicts"),
        ({"kind": "reward_model", "model": {"name": "/home/me/reward"}}, "reward_model reward"),
        ({"kind": "mt_bench", "prompts_path": "p", "service": {"model": "gpt"}}, "mt_bench gpt"),
        ({"kind": "mt_bench", "prompts_path": "p", "service": {"model": "org/judge"}}, "mt_bench org/judge"),
        ({"kind": "mt_bench", "prompts_path": "p", "service": {"model": "/home/me/judge"}}, "mt_bench judge"),
        ({"kind": "mt_bench", "prompts_path": "p", "service": {"model": "~/me/judge"}}, "mt_bench judge"),
        ({"kind": "mt_bench", "prompts_path": "p", "service": {"model": "../me/judge"}}, "mt_bench judge"),
        (
            {
                "kind": "ensemble",
                "members": [
                    {"judge": {"kind": "reference"}},
                    {"weight": 0.5, "judge": {"kind": "function", "function": "mine:score"}},
                ],
            },
            "ensemble of reference chrf (weight 1), function mine:score (weight 0.5)",
        ),
    ],
)
def test_a_judge_is_named_by_what_tells_it_from_others_of_its_kind(judge: dict[str, object], words: str) -> None:
    assert show_judge(TypeAdapter(JudgeConfig).validate_python(judge, context={"folder": Path()})) == words
