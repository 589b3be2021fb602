"""What is a candidate, and what is allowed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.problem.candidate import Candidate
from search.problem.space import SearchSpace

KEPT = SearchSpace(base=("x", "y"), pool=("a", "b", "c", "d"), questions=("q",), insert_at=1, max_added=3)
DROPPED = replace(KEPT, base_use="drop")
ANYWHERE = replace(KEPT, vary_position=True)
OPTIONAL = replace(KEPT, base_use="optional", pool=("a", "b", "c", "d", "x", "y"))


@pytest.mark.parametrize("space", [KEPT, DROPPED, OPTIONAL])
def test_the_empty_choice_is_the_base_prompt_as_it_is(space: SearchSpace) -> None:
    assert space.compose(()) == Candidate(("x", "y"))
    assert space.added(space.compose(())) == ()
    assert space.allows(())


@pytest.mark.parametrize("space", [KEPT, DROPPED, OPTIONAL, ANYWHERE])
@given(data=st.data())
def test_a_candidate_tells_what_was_chosen_and_where_it_was_put(space: SearchSpace, data: st.DataObject) -> None:
    chosen = tuple(data.draw(st.permutations(space.pool)))[: data.draw(st.integers(1, space.max_added))]
    place = data.draw(st.sampled_from(space.places))
    if space.allows(chosen):
        candidate = space.compose(chosen, place)
        assert space.added(candidate) == chosen
        assert space.place(candidate) == place


def test_chosen_ones_stand_among_the_base_s_alone_or_with_those_that_were_chosen() -> None:
    assert KEPT.compose(("b", "a")).demonstrations == ("x", "b", "a", "y")
    assert DROPPED.compose(("b", "a")).demonstrations == ("b", "a")
    assert OPTIONAL.compose(("b", "y")).demonstrations == ("b", "y")


def test_the_base_s_own_are_members_only_where_they_can_be_chosen() -> None:
    assert KEPT.members(KEPT.compose(("b",))) == ("b",)
    assert DROPPED.members(DROPPED.compose(())) == ()
    assert OPTIONAL.members(OPTIONAL.compose(())) == ("x", "y")


def test_the_base_prompt_under_another_name_is_not_allowed() -> None:
    assert not OPTIONAL.allows(("x", "y"))
    assert OPTIONAL.allows(("y", "x"))
    assert not replace(OPTIONAL, order="fixed").allows(("y", "x"))


def test_a_fixed_order_is_the_pool_s() -> None:
    fixed = replace(KEPT, order="fixed")
    assert fixed.compose(("c", "a")) == fixed.compose(("a", "c"))
    assert fixed.arrange(("c", "a")) == ("a", "c")


@pytest.mark.parametrize(
    ("space", "good", "bad"),
    [
        (KEPT, ("a", "b", "c"), ("a", "b", "c", "d")),
        (KEPT, ("a",), ("a", "a")),
        (replace(KEPT, mutually_exclusive=(frozenset("ab"), frozenset("cd"))), ("a", "c"), ("b", "c", "a")),
        (replace(KEPT, max_tokens=10, tokens={"x": 3, "y": 2, "a": 5, "b": 6}), ("a",), ("b",)),
        (replace(DROPPED, max_tokens=10, tokens={"x": 3, "y": 2, "a": 5, "b": 6}), ("b",), ("a", "b")),
    ],
)
def test_what_breaks_a_rule_does_not_fit(space: SearchSpace, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    assert space.fits(good)
    assert not space.fits(bad)
    assert not space.allows(bad)


def test_too_few_or_the_wrong_ones_may_be_tried_but_not_win() -> None:
    for space in (replace(KEPT, min_added=2), replace(KEPT, required=("b",))):
        assert space.fits(("a",))
        assert not space.allows(("a",))
        assert space.allows(("a", "b"))


def test_the_size_counts_ordered_choices_or_sets() -> None:
    assert KEPT.size() == 4 + 12 + 24
    assert replace(KEPT, order="fixed").size(least=2) == 6 + 4
    assert ANYWHERE.size() == 3 * KEPT.size()


def test_there_are_places_to_choose_from_only_among_demonstrations_that_are_kept() -> None:
    assert ANYWHERE.places == (1, 0, 2)
    assert KEPT.places == (1,)
    assert len(replace(ANYWHERE, base_use="drop").places) == 1


def test_the_base_prompt_in_another_decoding_is_a_candidate_where_nothing_need_be_added() -> None:
    space = replace(KEPT, decodings=("hot",))
    hot = space.compose((), decoding="hot")
    assert hot != space.compose(())
    assert space.added(hot) == ()
    assert space.holds(hot)
    assert not replace(space, min_added=1).holds(hot)
    assert not replace(space, required=("a",)).holds(hot)


def test_the_size_counts_every_decoding_of_every_choice_and_of_the_base_prompt() -> None:
    space = replace(KEPT, decodings=("hot", "cold"))
    assert space.size() == 3 * KEPT.size()
    assert space.size(least=0) == 3 * KEPT.size() + 2
