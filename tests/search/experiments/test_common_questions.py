"""Draws of a condition that do not have scores for the same questions."""

from search.experiments.cell import Condition
from search.experiments.common_questions import holes_without_common_question, notes_on_common_questions

_CONDITIONS: tuple[Condition, ...] = ({"examples": "none", "n": 0}, {"examples": "random", "n": 3})
_ONE_DRAW = {0: {"a": 1.0, "b": 1.0}}


def _holes_and_notes(**draws: dict[str, float]) -> tuple[list[str], list[str]]:
    scores = {(0, "toy"): _ONE_DRAW, (1, "toy"): dict(enumerate(draws.values(), start=1))}
    holes = holes_without_common_question(_CONDITIONS, scores, "toy", "toy")
    return [f"{hole.name}: {hole.reason}" for hole in holes], [*notes_on_common_questions(_CONDITIONS, scores, "toy")]


def test_draws_without_a_question_in_common_are_a_hole_with_its_reason() -> None:
    holes, notes = _holes_and_notes(first={"a": 1.0}, second={"b": 2.0})
    assert holes == ["examples random, n 3: no question of toy has a score in all 2 draws"]
    assert not notes


def test_a_mean_over_fewer_questions_than_the_draws_have_says_over_how_many() -> None:
    holes, (note,) = _holes_and_notes(first={"a": 1.0, "b": 2.0}, second={"b": 2.0, "c": 1.0})
    assert not holes
    assert note == (
        "toy, examples random, n 3: the mean is over the 1 of 3 questions that all 2 draws have a score for."
    )


def test_draws_with_the_same_questions_need_no_word() -> None:
    assert _holes_and_notes(first={"a": 1.0}, second={"a": 2.0}) == ([], [])
    assert _holes_and_notes() == ([], [])
