"""Two judges' scores of the same answers beside each other."""

from hypothesis import given, settings
from hypothesis import strategies as st

from search.results.bridge import Scales, bridge

OLD, NEW = (1.0, 10.0), (0.0, 1.0)


@st.composite
def scored(draw: st.DrawFn, low: float, high: float) -> dict[str, dict[str, float]]:
    ends = st.sampled_from([low, high]) | st.floats(low, high)
    return {name: {f"q{number}": draw(ends) for number in range(4)} for name in ("base", "other")}


@settings(max_examples=12)  # agreement is drawn again and again: 0.4 s each
@given(scored(*OLD), scored(*NEW))
def test_no_interval_of_a_bridge_leaves_the_scale_of_its_judge(
    before: dict[str, dict[str, float]], now: dict[str, dict[str, float]]
) -> None:
    held = bridge("search", "base", before, now, 0.95, Scales(OLD, NEW))
    assert held is not None
    inside = [(held.shift, NEW[0] - OLD[1], NEW[1] - OLD[0])]
    for prompt in held.prompts:
        inside += [(prompt.earlier, *OLD), (prompt.now, *NEW)]
        for gain, (low, high) in ((prompt.earlier_gain, OLD), (prompt.now_gain, NEW)):
            inside += [(gain, low - high, high - low)] if gain else []
    for value, low, high in inside:
        assert low - 1e-9 <= value.low <= value.mean + 1e-9
        assert value.mean - 1e-9 <= value.high <= high + 1e-9


def test_best_is_no_prompt_that_met_a_few_easy_questions() -> None:
    scores = {"base": dict.fromkeys("abcdefgh", 5.0), "sure": dict.fromkeys("abcdefg", 7.0), "lucky": {"a": 9.0}}
    held = bridge("search", "base", scores, scores, 0.95)
    assert held is not None
    assert held.best == ("sure", "sure")


def test_a_prompt_that_gains_is_best_though_the_base_prompt_alone_has_met_most_questions() -> None:
    easy, hard = dict.fromkeys("abcd", 8.0), dict.fromkeys("efgh", 2.0)
    gained, lost = dict.fromkeys("efgh", 4.0), dict.fromkeys("abcd", 7.0)
    for others, best in (
        ({"other": gained}, "other"),
        ({"other": gained, "easy": lost}, "other"),
        ({"easy": lost}, "base"),
    ):
        scores = {"base": easy | hard, **others}
        held = bridge("search", "base", scores, scores, 0.95)
        assert held is not None
        assert held.best == (best, best)


def test_a_shift_is_bounded_only_where_both_scales_are_known() -> None:
    assert Scales(OLD, NEW).shift == (-10.0, 0.0)
    assert Scales(OLD, None).shift is None
