"""A local search behind another strategy."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from configs.schema.strategy import LocalSearchConfig, StrategyConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import TOO_LONG, ScoredTrial, Trial
from search.strategies.local_search import LocalSearch
from search.strategies.make import strategy_of
from search.strategies.parts.polish import Polished
from search.strategies.strategy import Strategy
from tests.kits.strategy_kit import SPACE, MakeStrategy, StrategyKit, drive, scored, worth

LONG = replace(SPACE, questions=tuple(f"q{number}" for number in range(24)))


def polished(space: SearchSpace, polish: int = 300, **knobs: Any) -> Strategy:
    config: StrategyConfig = TypeAdapter(StrategyConfig).validate_python(
        {"max_demonstrations": 2, "polish": polish} | (knobs or {"kind": "random", "trials": 3})
    )
    return strategy_of(config, space, 0, None)


class TestPolishedRandomSearch(StrategyKit):
    finds = None  # three questions prove nothing

    @pytest.fixture
    def make(self) -> MakeStrategy:
        return polished


class TestPolishedRace(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: polished(space, kind="successive_halving", evaluations=60)


class TestPolishedOptuna(StrategyKit):
    finds = None

    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: polished(space, kind="optuna", sampler="tpe", trials=10)


def answers(trials: list[Trial]) -> int:
    return sum(len(trial.questions) for trial in trials)


def test_the_local_search_keeps_to_its_own_budget_and_pays_for_nothing_that_is_known() -> None:
    first = drive(polished(LONG, polish=0), LONG)
    both = drive(polished(LONG, polish=160), LONG)
    assert both[: len(first)] == first
    assert 0 < answers(both) - answers(first) <= 160


def test_what_is_proven_better_is_found_and_replaces_the_start() -> None:
    """Three random sets do not find the best; the local search from the best of them does."""
    first, both = polished(LONG, polish=0), polished(LONG, polish=2000)
    drive(first, LONG)
    drive(both, LONG)
    assert first.ranking()[0] != both.ranking()[0] == LONG.compose(("c", "h"))
    assert first.ranking()[0] in both.ranking()[1:]


@pytest.mark.parametrize("polish", [1, 8, 15, 16, 40])
def test_few_answers_prove_nothing_and_the_start_stays(polish: int) -> None:
    def noisy(trial: Trial) -> ScoredTrial:
        draw = random.Random(repr(trial))
        scores = {name: draw.gauss(5, 1) for name in trial.questions}
        return ScoredTrial(trial, scores, {}, sum(scores.values()) / len(scores))

    rankings = []
    for strategy in (polished(LONG, 0), polished(LONG, polish)):
        under_way = [Trial(LONG.compose(()), LONG.questions)]
        while under_way:
            strategy.tell(noisy(under_way.pop(0)))
            under_way.extend(strategy.ask(1))
        rankings.append(strategy.ranking())
    assert rankings[0][0] == rankings[1][0]


class Fixed:
    """A first stage that asks for these, and ranks the last of them first."""

    def __init__(self, trials: list[Trial]) -> None:
        self._trials, self._to_come, self._told = trials, list(trials), 0

    def ask(self, room: int) -> list[Trial]:
        asked, self._to_come = self._to_come[:room], self._to_come[room:]
        return asked

    def tell(self, scored: ScoredTrial) -> None:
        self._told += 1

    def planned(self) -> int:
        return answers(self._trials) + len(LONG.questions)

    def ranking(self) -> list[Candidate]:
        return [trial.candidate for trial in reversed(self._trials)] if self._told else []


def local(start: Sequence[str]) -> Strategy:
    config = LocalSearchConfig(kind="local_search", start=tuple(start), evaluations=400, neighbours=3)
    return LocalSearch(LONG, config, 0)


def test_a_base_prompt_that_has_met_few_questions_in_another_decoding_is_no_start() -> None:
    hot = replace(LONG.compose(()), decoding="hot")
    space = replace(LONG, decodings=("hot",))
    strategy = Polished(space, Fixed([Trial(hot, LONG.questions[:8])]), local, 400)
    trials = drive(strategy, space)
    assert {trial.candidate.decoding for trial in trials[2:]} == {""}


def test_a_candidate_that_was_too_long_once_is_so_for_good() -> None:
    first = LONG.compose(("h",))
    strategy = Polished(LONG, Fixed([Trial(first, LONG.questions[:8]), Trial(first, LONG.questions[8:16])]), local, 400)
    strategy.tell(scored(Trial(LONG.compose(()), LONG.questions), 0.0))
    block, other = strategy.ask(2)
    strategy.tell(scored(block, 9.0))
    strategy.tell(ScoredTrial(other, {}, dict.fromkeys(other.questions, TOO_LONG), None))
    while asked := strategy.ask(1):
        assert asked[0].candidate != first
        strategy.tell(scored(asked[0], 1.0))


def test_it_starts_from_what_the_first_stage_ranks_first() -> None:
    first = polished(LONG, polish=0)
    told = drive(first, LONG)
    best = set(first.ranking()[0].demonstrations)
    near = [set(trial.candidate.demonstrations) for trial in drive(polished(LONG), LONG)[len(told) :][:6]]
    assert near
    assert all(len(best ^ one) <= 2 for one in near)


def test_the_best_keeps_its_place_and_its_decoding() -> None:
    space = replace(SPACE, vary_position=True, decodings=("hot",))

    def value(candidate: Candidate) -> float:
        return worth(candidate) + 2 * (space.place(candidate) == 2) + 2 * (candidate.decoding == "hot")

    strategy = polished(space, kind="optuna", sampler="tpe", trials=60, vary_position=True)
    drive(strategy, space, value)
    assert strategy.ranking()[0] == space.compose(("c", "h"), 2, "hot")


def test_where_the_base_prompt_in_another_decoding_is_best_the_search_goes_on_from_it() -> None:
    space = replace(SPACE, decodings=("hot",))
    hot = space.compose((), decoding="hot")
    strategy = polished(space, kind="optuna", sampler="tpe", trials=12)
    trials = drive(strategy, space, lambda candidate: 2.0 * (candidate.decoding == "hot") - len(candidate))
    assert strategy.ranking()[0] == hot
    assert len(set(trials)) == len(trials)


def test_what_failed_in_the_first_stage_is_no_neighbour_that_is_waited_for() -> None:
    """Every set with `h` is too long, one with `g` fails in too many questions: the search ends all the same."""

    def result(trial: Trial) -> ScoredTrial:
        if "h" in trial.candidate.demonstrations:
            return ScoredTrial(trial, {}, dict.fromkeys(trial.questions, TOO_LONG), None)
        if "g" in trial.candidate.demonstrations:
            few = {trial.questions[0]: 9.0}
            return ScoredTrial(trial, few, dict.fromkeys(trial.questions[1:], "GenerationFailed"), None)
        return scored(trial, worth(trial.candidate))

    strategy = polished(LONG, kind="random", trials=30)
    under_way = [Trial(LONG.compose(()), LONG.questions)]
    while under_way:
        strategy.tell(result(under_way.pop(0)))
        under_way.extend(strategy.ask(1))
    assert LONG.added(strategy.ranking()[0]) == ("c", "f")
