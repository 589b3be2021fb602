"""The ends of a judge's scale."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from configs.schema.judge import JudgeConfig
from configs.schema.judge_knobs import Bounds
from configs.schema.scoring import ScoringConfig
from configs.score_bounds import score_bounds

REFERENCE = {"kind": "reference", "low": 0, "high": 5}
FUNCTION = {"kind": "function", "function": "module:name"}


def bounds(judge: dict[str, Any], **scoring: Any) -> Bounds | None:
    return score_bounds(ScoringConfig(**scoring), TypeAdapter(JudgeConfig).validate_python(judge))


def members(*judges: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "ensemble", "members": [{"weight": 1 + at, "judge": judge} for at, judge in enumerate(judges)]}


def test_a_judge_whose_config_has_a_scale_has_its_ends() -> None:
    assert bounds(REFERENCE) == (0, 5)


def test_a_function_has_none_unless_they_are_given() -> None:
    assert bounds(FUNCTION) is None
    assert bounds(FUNCTION, bounds=[0, 1]) == (0, 1)


def test_an_ensemble_has_the_weighted_means_of_its_members_ends() -> None:
    assert bounds(members(REFERENCE, {"kind": "reference", "low": 3, "high": 11})) == pytest.approx((2, 9))


def test_an_ensemble_has_none_where_one_members_are_not_known() -> None:
    assert bounds(members(REFERENCE, FUNCTION)) is None


def test_ends_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValidationError, match="1 must lie below 0"):
        ScoringConfig(bounds=(1, 0))
