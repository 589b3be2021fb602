"""Optuna as a guide."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from configs.schema.strategy import OptunaConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import TOO_LONG, ScoredTrial, Trial
from search.strategies.optuna.search import OptunaSearch
from tests.kits.strategy_kit import SPACE, MakeStrategy, StrategyKit, drive, scored, worth

pytestmark = pytest.mark.heavy

LONG = replace(SPACE, questions=tuple(f"q{number}" for number in range(24)))
BASE = Trial(LONG.compose(()), LONG.questions)


def search(space: SearchSpace = SPACE, seed: int = 0, **knobs: Any) -> OptunaSearch:
    config = {"kind": "optuna", "max_demonstrations": 2, "sampler": "tpe", "trials": 20} | knobs
    return OptunaSearch(space, OptunaConfig.model_validate(config), seed)


class TestGaussianProcess(StrategyKit):
    finds = None  # so few trials keep the test fast

    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: search(space, sampler="gp", trials=6)


class TestParzenEstimator(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: search(space, trials=40)


class TestGenetic(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: search(space, sampler="nsga2", trials=60)


class TestFromSingles(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: search(space, warm_start="singles", block=1, trials=40)


class TestWithoutWarmStart(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: search(space, warm_start="none", prune=False, trials=60)


def questions_met(trials: list[Trial]) -> Counter[Candidate]:
    return Counter(
        {
            one: sum(len(trial.questions) for trial in trials if trial.candidate == one)
            for one in {trial.candidate for trial in trials}
        }
    )


def test_the_warm_start_takes_its_share_and_asks_about_blocks() -> None:
    trials = drive(search(LONG, trials=20, warm_start_share=0.5, block=6), LONG)
    groups = trials[1 : 1 + 20 * 24 // 2 // 6]
    assert all(len(trial.questions) == 6 and len(trial.candidate) == 4 for trial in groups)


def test_single_demonstrations_are_dealt_one_at_a_time() -> None:
    trials = drive(search(LONG, warm_start="singles"), LONG)
    assert Counter(LONG.added(trial.candidate) for trial in trials[1:9]) == {(name,): 1 for name in "abcdefgh"}


def test_the_groups_of_the_warm_start_decide_what_is_proposed() -> None:
    space = SearchSpace((), tuple(f"d{number:02}" for number in range(40)), LONG.questions, 0, 3)

    def value(candidate: Candidate) -> float:
        return sum(name in ("d07", "d21", "d33") for name in candidate.demonstrations) + 0.0

    strategy = search(space, max_demonstrations=3, trials=60)
    trials = drive(strategy, space, value)
    groups = 0.4 * 60 * 24 // 8
    assert len({name for trial in trials[1 + int(groups) :] for name in trial.candidate.demonstrations}) <= 16
    assert value(strategy.ranking()[0]) == 3


def test_who_is_proven_worse_than_the_best_is_asked_no_further() -> None:
    trials = drive(search(LONG, warm_start="none"), LONG, lambda candidate: -float(len(candidate)))
    met = questions_met(trials)
    assert met.pop(BASE.candidate) == 24
    assert set(met.values()) == {8}


def test_what_pruning_saves_pays_for_further_proposals() -> None:
    pruned, whole = (
        drive(search(LONG, warm_start="none", trials=10, prune=prune), LONG, lambda candidate: -float(len(candidate)))
        for prune in (True, False)
    )
    assert len(questions_met(whole)) == 11
    assert len(questions_met(pruned)) > 20
    assert sum(questions_met(pruned).values()) <= 11 * 24


def test_equals_are_not_pruned() -> None:
    met = questions_met(drive(search(LONG, warm_start="none"), LONG, lambda _: 5.0))
    assert set(met.values()) == {24}


def test_only_candidates_that_have_met_all_questions_are_recommended() -> None:
    strategy = search(LONG, trials=15)
    met = questions_met(drive(strategy, LONG))
    assert len(strategy.ranking()) > 1
    assert all(met[candidate] == 24 for candidate in strategy.ranking())


def test_a_group_that_is_proposed_later_is_not_asked_about_the_same_questions_again() -> None:
    space = replace(LONG, pool=("a", "b"))
    trials = drive(search(space, trials=3, warm_start_share=0.7), space)
    pairs = Counter((trial.candidate, name) for trial in trials for name in trial.questions)
    assert set(pairs.values()) == {1}
    assert max(questions_met(trials[1:]).values()) == 24


def test_a_proposal_goes_on_after_a_block_that_failed() -> None:
    strategy = search(LONG, warm_start="none", trials=1)
    strategy.tell(scored(BASE, 1.0))
    means = [2.0, None, 2.0]
    while asked := strategy.ask(1):
        strategy.tell(scored(asked[0], means.pop(0)))
    assert not means
    assert len(strategy.ranking()) == 2


def test_a_proposal_that_is_too_long_is_asked_no_further() -> None:
    strategy = search(LONG, warm_start="none", trials=2)
    strategy.tell(scored(BASE, 1.0))
    (first,) = strategy.ask(1)
    strategy.tell(ScoredTrial(first, {}, dict.fromkeys(first.questions, TOO_LONG), None))
    assert first.candidate not in {trial.candidate for trial in strategy.ask(10)}


def test_where_the_base_prompt_is_too_long_means_decide() -> None:
    strategy = search(trials=8)
    drive(strategy, SPACE, lambda candidate: None if candidate == SPACE.compose(()) else worth(candidate))
    assert worth(strategy.ranking()[0]) > 1


def test_the_place_among_the_base_s_is_found_too() -> None:
    space = replace(SPACE, vary_position=True)
    strategy = search(space, trials=120)
    drive(strategy, space, lambda candidate: worth(candidate) + (space.place(candidate) == 2))
    assert strategy.ranking()[0] == space.compose(("c", "h"), 2)


def test_the_best_of_the_warm_start_is_tried_in_every_place_at_once() -> None:
    space = replace(LONG, vary_position=True)
    trials = drive(search(space, trials=40), space, window=1)
    first = next(at for at, trial in enumerate(trials) if space.place(trial.candidate) != space.insert_at)
    best = space.added(trials[first].candidate)
    proposed = list(dict.fromkeys(trial.candidate for trial in trials[first - 1 :]))
    tried = [one for one in proposed if space.added(one) == best]
    assert {space.place(one) for one in tried} == {0, 1, 2}
    assert proposed[: len(tried)] == tried


def test_the_decoding_is_found_with_the_demonstrations() -> None:
    space = replace(SPACE, decodings=("hot", "cold"))
    strategy = search(space, trials=150)
    trials = drive(strategy, space, lambda candidate: worth(candidate) + (candidate.decoding == "cold"))
    assert strategy.ranking()[0] == space.compose(("c", "h"), decoding="cold")
    assert {space.compose((), decoding=one) for one in space.decodings} <= {trial.candidate for trial in trials}


def test_a_space_smaller_than_the_budget_is_searched_whole() -> None:
    space = SearchSpace((), ("a", "b", "c"), ("q",), 0, 2)
    added = {space.added(trial.candidate) for trial in drive(search(space, trials=500), space)}
    assert added == {(), ("a",), ("b",), ("c",), *[(x, y) for x in "abc" for y in "abc" if x != y]}


def test_candidates_that_cannot_be_scored_do_not_mislead_it() -> None:
    strategy = search(trials=40)
    drive(strategy, SPACE, lambda candidate: None if "c" in candidate.demonstrations else worth(candidate))
    assert worth(strategy.ranking()[0]) == worth(SPACE.compose(("h", "g")))


def test_four_slots_of_forty_come_near_the_best_in_sixty_trials() -> None:
    space = SearchSpace((), tuple(f"d{number:02}" for number in range(40)), ("q",), 0, 4)

    def value(candidate: Candidate) -> float:
        return sum(int(name[1:]) ** 2 for name in candidate.demonstrations) / 1000

    guided = search(space, max_demonstrations=4, trials=60)
    drive(guided, space, value)
    assert value(guided.ranking()[0]) > 4.9  # the best there is: 5.63


@pytest.mark.parametrize("seed", range(8))
def test_the_base_prompt_is_never_proposed_as_something_new(seed: int) -> None:
    space = SearchSpace((), tuple("abcdefgh"), ("q",), 0, 1)
    trials = drive(search(space, trials=8, warm_start="none", seed=seed), space, window=6)
    assert [trial.candidate for trial in trials].count(space.compose(())) == 1


def test_a_group_of_the_warm_start_that_has_met_all_questions_is_ranked() -> None:
    strategy = search(LONG, block=24, trials=20)
    strategy.tell(scored(BASE, 1.0))
    group = strategy.ask(1)[0]
    strategy.tell(scored(group, 3.0))
    assert strategy.ranking() == [group.candidate, BASE.candidate]
    assert strategy.stage() == "warm start: groups of demonstrations leave a shortlist"


def test_a_group_that_has_met_some_questions_is_not_ranked() -> None:
    strategy = search(LONG, block=8, trials=20)
    strategy.tell(scored(BASE, 1.0))
    strategy.tell(scored(strategy.ask(1)[0], 3.0))
    assert strategy.ranking() == [BASE.candidate]
