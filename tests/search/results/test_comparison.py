"""Variants side by side: paired differences, turns, categories, lengths."""

from search.results.candidate_results import CandidateResults
from search.results.comparison import compare

CATEGORIES = {"q1": "maths", "q2": "maths", "q3": "prose"}


def variant(
    scores: dict[str, float], failed: tuple[str, ...] = (), **turns: tuple[float | None, ...]
) -> CandidateResults:
    lengths = {key: 10 * number for number, key in enumerate(scores, start=1)}
    return CandidateResults(0, scores, dict.fromkeys(failed, "JudgeFailed"), lengths, turns)


FIRST = variant({"q1": 1.0, "q2": 5.0, "q3": 9.0})


def test_differences_are_paired_over_the_questions_that_both_have() -> None:
    second = variant({"q1": 2.0, "q2": 6.0}, failed=("q3",))
    first, other = compare({"first": FIRST, "second": second}, CATEGORIES, 0.95, 0.5)
    assert first.difference is None
    assert other.difference is not None
    assert (other.difference.mean, other.difference.low, other.difference.n) == (1.0, 1.0, 2)
    assert other.score is not None
    assert (other.score.mean, other.score.n, other.score.failed) == (4.0, 2, 1)
    assert (other.n, other.failed) == (2, 1)


def test_with_too_many_failures_there_is_no_mean_but_the_numbers_are_told() -> None:
    second = variant({"q1": 2.0}, failed=("q2", "q3"))
    _, other = compare({"first": FIRST, "second": second}, CATEGORIES, 0.95, 0.05)
    assert (other.score, other.difference, other.n, other.failed) == (None, None, 1, 2)


def test_nothing_is_compared_with_a_first_variant_of_which_too_many_failed() -> None:
    first, second = variant({"q1": 2.0}, failed=("q2", "q3")), variant({"q1": 1.0, "q2": 5.0})
    assert compare({"first": first, "second": second}, CATEGORIES, 0.95, 0.05)[1].difference is None


def test_categories_have_means_of_their_own() -> None:
    (first,) = compare({"first": FIRST}, CATEGORIES, 0.95, 0.0)
    assert {name: value.mean for name, value in first.categories.items() if value} == {"maths": 3.0, "prose": 9.0}
    (plain,) = compare({"first": FIRST}, dict.fromkeys(CATEGORIES, ""), 0.95, 0.0)
    assert plain.categories == {}


def test_turns_have_means_of_their_own_where_they_count() -> None:
    one = variant({"q1": 3.0, "q2": 5.0}, q1=(2.0, 4.0), q2=(4.0, 6.0))
    (result,) = compare({"one": one}, {"q1": "", "q2": ""}, 0.95, 0.0)
    assert [turn.mean for turn in result.turns if turn] == [3.0, 5.0]
    second_only = variant({"q1": 3.0}, q1=(None, 3.0))
    (result,) = compare({"one": second_only}, {"q1": ""}, 0.95, 0.0)
    assert result.turns[0] is None


def test_the_mean_length_stands_beside_the_score() -> None:
    (first,) = compare({"first": FIRST}, CATEGORIES, 0.95, 0.0)
    assert first.length == 20.0


def test_an_interval_without_end_is_null_in_json() -> None:
    (one,) = compare({"one": variant({"q1": 3.0})}, {"q1": ""}, 0.95, 0.0)
    assert one.to_json()["score"] == {"mean": 3.0, "low": None, "high": None, "n": 1, "n_failed": 0}
