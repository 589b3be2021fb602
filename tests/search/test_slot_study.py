"""A study over slots."""

from dataclasses import replace

import pytest

from search.slot_study import SlotStudy
from search.space import SearchSpace
from tests.kits.strategy_kit import SPACE, SPACES

SMALL = SearchSpace((), ("a", "b", "c"), ("q",), 0, 2)


def study(space: SearchSpace = SMALL, names: str = "", random_first: int = 1) -> SlotStudy:
    return SlotStudy(space, tuple(names) or space.pool, sampler="tpe", random_first=random_first, seed=0)


def proposals(asked: SlotStudy, told: bool = True) -> list[tuple[str, ...]]:
    """All there are; each is told its size as soon as it is proposed, or none ever is."""
    found: list[tuple[str, ...]] = []
    while (choice := asked.propose(found[0] if found else ())) is not None:
        found.append(choice)
        if told:
            asked.tell(choice, float(len(choice)))
    return found


@pytest.mark.parametrize("name", SPACES)
def test_every_proposal_is_allowed_and_new(name: str) -> None:
    space = replace(SPACES[name], max_added=2)
    found = proposals(study(space))
    assert found
    assert len(set(found)) == len(found)
    assert all(choice and space.allows(choice) for choice in found)


@pytest.mark.parametrize("told", [True, False])
def test_a_small_space_is_proposed_whole_then_nothing(told: bool) -> None:
    everything = {("a",), ("b",), ("c",), *[(x, y) for x in "abc" for y in "abc" if x != y]}
    asked = study()
    assert set(proposals(asked, told)) == everything
    assert asked.propose(()) is None


def test_only_the_demonstrations_of_the_shortlist_are_proposed() -> None:
    assert set(proposals(study(names="ac"))) == {("a",), ("c",), ("a", "c"), ("c", "a")}


def test_suggestions_come_first_in_their_order() -> None:
    asked = study()
    for choice in (("c", "a"), ("b",)):
        asked.suggest(choice)
    assert [asked.propose(()), asked.propose(())] == [("c", "a"), ("b",)]


def test_a_suggestion_that_is_known_not_allowed_or_not_to_be_spelt_is_passed_over() -> None:
    space = replace(SPACE, apart=(frozenset("ab"),))
    asked = study(space, "abcd")
    asked.learn(("c",), 1.0)
    for choice in (("c",), ("a", "b"), ("h",), ("d", "c")):
        asked.suggest(choice)
    assert asked.propose(()) == ("d", "c")


def test_what_is_required_is_in_every_proposal_wherever_it_stands() -> None:
    found = proposals(study(replace(SMALL, required=("b",))))
    assert set(found) == {("b",), ("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")}


def test_a_choice_that_could_not_be_scored_is_not_proposed_again() -> None:
    asked = study()
    first = asked.propose(())
    assert first is not None
    asked.tell(first, None)
    assert first not in proposals(asked)
