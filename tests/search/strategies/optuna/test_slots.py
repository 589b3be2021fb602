"""A study over slots."""

from dataclasses import replace

import pytest

from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.strategies.optuna.slots import Sampler, SlotStudy
from tests.kits.strategy_kit import SPACE, SPACES

SMALL = SearchSpace((), ("a", "b", "c"), ("q",), 0, 2)
NOTHING = Candidate(())


def study(space: SearchSpace = SMALL, names: str = "", random_first: int = 1, sampler: Sampler = "tpe") -> SlotStudy:
    return SlotStudy(space, tuple(names) or space.pool, sampler=sampler, random_first=random_first, seed=0)


def proposals(asked: SlotStudy, told: bool = True) -> list[Candidate]:
    """All there are; each is told its size as soon as it is proposed, or none ever is."""
    found: list[Candidate] = []
    while (one := asked.propose(found[0] if found else NOTHING)) is not None:
        found.append(one)
        if told:
            asked.tell(one, float(len(one)))
    return found


def all_of(*names: str) -> set[Candidate]:
    """Candidates by the letters of their demonstrations."""
    return {Candidate(tuple(one)) for one in names}


@pytest.mark.parametrize("name", SPACES)
def test_every_proposal_is_allowed_and_new(name: str) -> None:
    space = replace(SPACES[name], max_added=2)
    found = proposals(study(space))
    assert found
    assert len(set(found)) == len(found)
    assert space.compose(()) not in found
    assert all(space.allows(space.added(one)) for one in found)


@pytest.mark.parametrize("told", [True, False])
def test_a_small_space_is_proposed_whole_then_nothing(told: bool) -> None:
    asked = study()
    assert set(proposals(asked, told)) == all_of("a", "b", "c", "ab", "ac", "ba", "bc", "ca", "cb")
    assert asked.propose(NOTHING) is None


@pytest.mark.parametrize("sampler", ["gp", "tpe", "nsga2"])
@pytest.mark.heavy
def test_where_any_place_will_do_each_is_tried_for_each_choice(sampler: Sampler) -> None:
    space = SearchSpace(("x", "y"), ("a", "b"), ("q",), 1, 1, vary_position=True)
    assert set(proposals(study(space, sampler=sampler))) == all_of("axy", "xay", "xya", "bxy", "xby", "xyb")


@pytest.mark.parametrize("sampler", ["gp", "tpe", "nsga2"])
@pytest.mark.heavy
def test_every_decoding_is_tried_with_every_choice_and_with_the_base_prompt(sampler: Sampler) -> None:
    space = replace(SMALL, pool=("a", "b"), max_added=1, decodings=("hot", "cold"))
    found = set(proposals(study(space, sampler=sampler)))
    every = {Candidate(names, how) for names in ((), ("a",), ("b",)) for how in ("", "hot", "cold")}
    assert found == every - {NOTHING}


def test_only_the_demonstrations_of_the_shortlist_are_proposed() -> None:
    assert set(proposals(study(names="ac"))) == all_of("a", "c", "ac", "ca")


def test_suggestions_come_first_in_their_order() -> None:
    space = replace(SPACE, vary_position=True)
    asked = study(space)
    suggested = [space.compose(("c", "a"), 2), space.compose(("b",)), space.compose(("b",), 0)]
    for one in suggested:
        asked.suggest(one)
    assert [asked.propose(space.compose(())) for _ in suggested] == suggested


def test_a_suggestion_that_is_known_not_allowed_or_not_to_be_spelt_is_passed_over() -> None:
    space = replace(SPACE, mutually_exclusive=(frozenset("ab"),))
    asked = study(space, "abcd")
    asked.learn(space.compose(("c",)), 1.0)
    for choice in (("c",), ("a", "b"), ("h",), ("d", "c")):
        asked.suggest(space.compose(choice))
    assert asked.propose(space.compose(())) == space.compose(("d", "c"))


def test_what_is_required_is_in_every_proposal_wherever_it_stands() -> None:
    assert set(proposals(study(replace(SMALL, required=("b",))))) == all_of("b", "ab", "ba", "bc", "cb")


def test_a_candidate_that_could_not_be_scored_is_not_proposed_again() -> None:
    asked = study()
    first = asked.propose(NOTHING)
    assert first is not None
    asked.tell(first, None)
    assert first not in proposals(asked)
