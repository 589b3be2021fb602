"""Variants side by side: paired differences, turns, categories, lengths."""

from pathlib import Path

from search.results.comparison import VariantResult, compare, read_variant_results, write_variant_results

CATEGORIES = {"q1": "maths", "q2": "maths", "q3": "prose"}


def outcome(
    name: str, scores: dict[str, float], failed: tuple[str, ...] = (), **turns: list[float | None]
) -> VariantResult:
    lengths = {key: 10 * number for number, key in enumerate(scores, start=1)}
    answers = {key: ["said"] for key in scores}
    return VariantResult(name, scores, dict.fromkeys(failed, "JudgeFailed"), lengths, turns, answers)


FIRST = outcome("first", {"q1": 1.0, "q2": 5.0, "q3": 9.0})


def test_differences_are_paired_over_the_questions_that_both_have() -> None:
    second = outcome("second", {"q1": 2.0, "q2": 6.0}, failed=("q3",))
    first, other = compare([FIRST, second], CATEGORIES, 0.95, 0.5)
    assert first.difference is None
    assert other.difference is not None
    assert (other.difference.mean, other.difference.low, other.difference.n) == (1.0, 1.0, 2)
    assert other.score is not None
    assert (other.score.mean, other.score.n, other.score.failed) == (4.0, 2, 1)
    assert (other.n, other.failed) == (2, 1)


def test_with_too_many_failures_there_is_no_mean_but_the_numbers_are_told() -> None:
    second = outcome("second", {"q1": 2.0}, failed=("q2", "q3"))
    _, other = compare([FIRST, second], CATEGORIES, 0.95, 0.05)
    assert (other.score, other.difference, other.n, other.failed) == (None, None, 1, 2)


def test_nothing_is_compared_with_a_first_contestant_of_which_too_many_failed() -> None:
    first, second = outcome("first", {"q1": 2.0}, failed=("q2", "q3")), outcome("second", {"q1": 1.0, "q2": 5.0})
    assert compare([first, second], CATEGORIES, 0.95, 0.05)[1].difference is None


def test_categories_have_means_of_their_own() -> None:
    (first,) = compare([FIRST], CATEGORIES, 0.95, 0.0)
    assert {name: value.mean for name, value in first.categories.items() if value} == {"maths": 3.0, "prose": 9.0}
    (plain,) = compare([FIRST], dict.fromkeys(CATEGORIES, ""), 0.95, 0.0)
    assert plain.categories == {}


def test_turns_have_means_of_their_own_where_they_count() -> None:
    one = outcome("one", {"q1": 3.0, "q2": 5.0}, q1=[2.0, 4.0], q2=[4.0, 6.0])
    (result,) = compare([one], {"q1": "", "q2": ""}, 0.95, 0.0)
    assert [turn.mean for turn in result.turns if turn] == [3.0, 5.0]
    second_only = outcome("one", {"q1": 3.0}, q1=[None, 3.0])
    (result,) = compare([second_only], {"q1": ""}, 0.95, 0.0)
    assert result.turns[0] is None


def test_the_mean_length_stands_beside_the_score() -> None:
    (first,) = compare([FIRST], CATEGORIES, 0.95, 0.0)
    assert first.length == 20.0


def test_outcomes_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    assert read_variant_results(path) == ([], {})
    write_variant_results(path, [FIRST], CATEGORIES)
    assert read_variant_results(path) == ([FIRST], CATEGORIES)


def test_an_interval_without_end_is_null_in_json() -> None:
    (one,) = compare([outcome("one", {"q1": 3.0})], {"q1": ""}, 0.95, 0.0)
    assert one.to_json()["score"] == {"mean": 3.0, "low": None, "high": None, "n": 1, "n_failed": 0}
