"""Which turns count, and how much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from configs.errors import InputError
from configs.schema.scoring import ScoringConfig
from evaluators.objective import Objective
from evaluators.question import Question

scores = st.floats(-1e3, 1e3)
weights = st.lists(st.floats(0.1, 10), min_size=1, max_size=4)


@given(weights, st.data())
def test_the_objective_lies_between_the_worst_and_the_best_turn(
    given_weights: list[float], data: st.DataObject
) -> None:
    given_scores = data.draw(st.lists(scores, min_size=1, max_size=len(given_weights)))
    combined = Objective(tuple(given_weights)).combine(given_scores)
    assert min(given_scores) - 1e-9 <= combined <= max(given_scores) + 1e-9


@given(weights, st.floats(0.1, 10), st.data())
def test_only_the_ratio_of_weights_matters(given_weights: list[float], factor: float, data: st.DataObject) -> None:
    given_scores = data.draw(st.lists(scores, min_size=len(given_weights), max_size=len(given_weights)))
    scaled = Objective(tuple(factor * weight for weight in given_weights)).combine(given_scores)
    assert scaled == pytest.approx(Objective(tuple(given_weights)).combine(given_scores), abs=1e-6)


@pytest.mark.parametrize(
    ("named", "turn_weights"), [("turn_1", (1.0,)), ("turn_2", (0.0, 1.0)), ("mean", (1.0, 1.0)), ((1, 3), (1.0, 3.0))]
)
def test_names_stand_for_weights(named: object, turn_weights: tuple[float, ...]) -> None:
    assert Objective.of(ScoringConfig.model_validate({"objective": named})).weights == turn_weights


@pytest.mark.parametrize("unfit", [[], [0.0], [1.0, 0.0], [-1.0, 1.0], "turn_3"])
def test_an_objective_that_counts_nothing_at_its_end_is_refused(unfit: object) -> None:
    with pytest.raises(ValidationError):
        ScoringConfig.model_validate({"objective": unfit})


def test_a_question_without_any_turn_that_counts_is_refused() -> None:
    short, long = Question("short", ("one",)), Question("long", ("one", "two"))
    Objective((1.0, 1.0)).check([short, long])
    with pytest.raises(InputError, match=r"1 question has fewer turns \(first: short\)"):
        Objective((0.0, 1.0)).check([short, long])
