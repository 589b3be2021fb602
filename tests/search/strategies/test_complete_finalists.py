"""Finalists meet all search questions before a ranking is final."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import ClassVar

import numpy as np
import pytest

from configs.schema.strategy import ExhaustiveGreedyConfig, RacingGreedyConfig, ScreeningConfig, SuccessiveHalvingConfig
from search.bench.landscape import Landscape
from search.bench.landscapes import LANDSCAPES
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.complete_finalists import CompleteFinalists
from search.strategies.exhaustive_greedy import ExhaustiveGreedy
from search.strategies.make import with_finalists
from search.strategies.racing_greedy import RacingGreedy
from search.strategies.screening import Screening
from search.strategies.strategy import Strategy
from search.strategies.successive_halving import SuccessiveHalving
from tests.kits.strategy_kit import SPACE, MakeStrategy, StrategyKit, drive, scored, worth

QUESTIONS = tuple(f"q{number}" for number in range(12))
WIDE = SearchSpace(base=("base",), pool=tuple("abcdefgh"), questions=QUESTIONS, insert_at=1, max_added=2)
A, B = WIDE.compose(("a",)), WIDE.compose(("b",))


class Impatient:
    """Asks about two candidates on few questions, and ranks the one that it met on the easy ones first."""

    def __init__(self) -> None:
        self.to_ask = [Trial(A, QUESTIONS[:2]), Trial(B, QUESTIONS[2:4])]
        self.told: list[Trial] = []

    def ask(self, room: int) -> Sequence[Trial]:
        asked, self.to_ask = self.to_ask[:room], self.to_ask[room:]
        return asked

    def tell(self, scored: ScoredTrial) -> None:
        self.told.append(scored.trial)

    def planned(self) -> int:
        return len(QUESTIONS) + 4

    def ranking(self) -> Sequence[Candidate]:
        return [A, B, WIDE.compose(())]


def races(space: SearchSpace = SPACE) -> Strategy:
    config = RacingGreedyConfig(kind="racing_greedy", block=2, p_value=0.4)
    return CompleteFinalists(RacingGreedy(space, config, 0), space, 0)


class TestOfRaces(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return races


class TestOfScreening(StrategyKit):
    finds: ClassVar[Candidate | None] = None  # not within so few answers

    @pytest.fixture
    def make(self) -> MakeStrategy:
        config = ScreeningConfig(kind="screening", evaluations=30, max_demonstrations=3)
        return lambda space: CompleteFinalists(Screening(space, config, 0), space, 0)


class TestOfRacesThatStopWhenDecided(StrategyKit):
    finds: ClassVar[Candidate | None] = None  # what is better than the base prompt ends them

    @pytest.fixture
    def make(self) -> MakeStrategy:
        config = RacingGreedyConfig(kind="racing_greedy", block=2, p_value=0.4)
        return lambda space: CompleteFinalists(RacingGreedy(space, config, 0), space, 0, 0.5)


class TestOfRacesWithDriftChecks(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        config = RacingGreedyConfig(kind="racing_greedy", block=2, p_value=0.4)
        return lambda space: CompleteFinalists(RacingGreedy(space, config, 0), space, 0, checks=3)


def met(trials: Sequence[Trial], candidate: Candidate) -> set[str]:
    return {name for trial in trials if trial.candidate == candidate for name in trial.questions}


@pytest.mark.parametrize("kind", ["races", "halving", "screening with a tiny budget"])
def test_the_first_two_of_the_final_ranking_have_met_all_questions(kind: str) -> None:
    halving = SuccessiveHalvingConfig(kind="successive_halving", evaluations=40)
    tiny = ScreeningConfig(kind="screening", evaluations=20, block=4)
    inner: dict[str, Strategy] = {
        "races": RacingGreedy(WIDE, RacingGreedyConfig(kind="racing_greedy", block=2, p_value=0.4), 0),
        "halving": SuccessiveHalving(WIDE, halving, 0),
        "screening with a tiny budget": Screening(WIDE, tiny, 0),
    }
    strategy = CompleteFinalists(inner[kind], WIDE, 0)
    trials = drive(strategy, WIDE, lambda candidate: worth(candidate) + 0.1)
    for finalist in strategy.ranking()[:2]:
        assert met(trials, finalist) == set(QUESTIONS)


def test_they_are_asked_only_about_what_they_have_not_met_and_the_strategy_is_not_told() -> None:
    inner = Impatient()
    trials = drive(CompleteFinalists(inner, WIDE, 0), WIDE)
    assert [trial.questions for trial in trials[3:]] == [QUESTIONS[2:], (*QUESTIONS[:2], *QUESTIONS[4:])]
    assert inner.told == trials[:3]


def test_what_all_questions_say_decides_over_what_few_said() -> None:
    strategy = CompleteFinalists(Impatient(), WIDE, 0)
    drive(strategy, WIDE, lambda candidate: {A: 0.4, B: 0.6}.get(candidate, 0.5))
    assert strategy.ranking() == [B, WIDE.compose(()), A]


def test_what_is_planned_is_never_less_than_what_is_asked() -> None:
    strategy = CompleteFinalists(Impatient(), WIDE, 0)
    planned = strategy.planned()
    trials = drive(strategy, WIDE)
    asked = sum(len(trial.questions) for trial in trials)
    assert strategy.planned() == asked <= planned


def test_a_finalist_that_cannot_be_scored_on_the_rest_stays_behind() -> None:
    strategy = CompleteFinalists(Impatient(), WIDE, 0)
    strategy.tell(scored(Trial(WIDE.compose(()), QUESTIONS), 0.5))
    for trial in strategy.ask(8):
        strategy.tell(scored(trial, 0.9))
    for trial in strategy.ask(8):
        strategy.tell(scored(trial, None if trial.candidate == A else 0.9))
    assert strategy.ranking()[0] == B


def greedy(error: float) -> CompleteFinalists:
    config = ExhaustiveGreedyConfig(kind="exhaustive_greedy", max_demonstrations=2, stop_without_gain=False)
    return CompleteFinalists(ExhaustiveGreedy(WIDE, config), WIDE, 0, error)


def test_a_search_ends_when_its_leader_is_proven_better_than_the_base_prompt() -> None:
    strategy, to_its_end = greedy(0.05), greedy(0.0)
    planned = strategy.planned()
    trials = drive(strategy, WIDE, lambda candidate: float(len(candidate)))
    assert len(trials) < len(drive(to_its_end, WIDE, lambda candidate: float(len(candidate))))
    assert strategy.ranking()[0] != WIDE.compose(())
    assert strategy.planned() == sum(len(trial.questions) for trial in trials) <= planned
    assert strategy.stage().startswith("the leader is proven better than the base prompt")


def test_a_search_goes_on_while_nothing_is_proven() -> None:
    strategy, to_its_end = greedy(0.05), greedy(0.0)
    assert drive(strategy, WIDE, lambda _: 0.5) == drive(to_its_end, WIDE, lambda _: 0.5)


def test_chance_leaders_seldom_end_a_search_however_many_there_are() -> None:
    """Of 100 searches among 30 candidates that are the base prompt's equals, 10 % may err."""
    wide = replace(WIDE, pool=tuple(f"d{number}" for number in range(30)), max_added=1)
    config = ExhaustiveGreedyConfig(kind="exhaustive_greedy", max_demonstrations=1)
    stopped = 0
    for seed in range(100):
        strategy, draw = CompleteFinalists(ExhaustiveGreedy(wide, config), wide, 0, 0.1), np.random.default_rng(seed)
        for trial in [
            Trial(wide.compose(()), QUESTIONS),
            *(Trial(wide.compose((name,)), QUESTIONS) for name in wide.pool),
        ]:
            strategy.ask(1)
            values = draw.normal(size=len(QUESTIONS)).tolist()
            strategy.tell(ScoredTrial(trial, dict(zip(QUESTIONS, values, strict=True)), {}, fmean(values)))
        stopped += strategy.stage().startswith("the leader is proven")
    assert stopped <= 10


class Suspicious(ExhaustiveGreedy):
    """Suspects a drift of the judge."""

    def suspects_drift(self) -> bool:
        return True


def test_nothing_is_proven_while_the_strategy_suspects_that_the_judge_drifts() -> None:
    config = ExhaustiveGreedyConfig(kind="exhaustive_greedy", max_demonstrations=2, stop_without_gain=False)
    strategy = CompleteFinalists(Suspicious(WIDE, config), WIDE, 0, 0.05)
    assert drive(strategy, WIDE, lambda candidate: float(len(candidate))) == drive(
        greedy(0.0), WIDE, lambda candidate: float(len(candidate))
    )


@pytest.mark.parametrize(("checks", "stops"), [(0, True), (1, False)])
def test_a_judge_whose_level_rises_proves_no_leader_where_it_judged_the_base_prompt_again(
    checks: int, stops: bool
) -> None:
    config = ExhaustiveGreedyConfig(kind="exhaustive_greedy", max_demonstrations=2, stop_without_gain=False)
    inner = ExhaustiveGreedy(WIDE, config)
    strategy = CompleteFinalists(inner, WIDE, 0, 0.05, checks=checks)
    asked = len(QUESTIONS)
    strategy.tell(scored(Trial(WIDE.compose(()), QUESTIONS), 0.0))
    while trials := strategy.ask(1):
        level = float(asked >= inner.planned() / 2)
        for trial in trials:
            asked += len(trial.questions)
            strategy.tell(scored(trial, level))
    assert strategy.stage().startswith("the leader is proven") == stops


def test_an_extended_search_goes_on_whatever_was_proven() -> None:
    config = ScreeningConfig(kind="screening", evaluations=60, block=4, max_demonstrations=2)
    strategy = CompleteFinalists(Screening(WIDE, config, 0), WIDE, 0, 0.2)
    trials = drive(strategy, WIDE, lambda candidate: float(len(candidate)))
    strategy.extend(120)
    assert strategy.planned() > sum(len(trial.questions) for trial in trials)
    assert strategy.ask(1)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_as_many_checks_of_a_drift_are_made_as_are_wanted_and_the_strategy_is_told_of_none(count: int) -> None:
    inner = Impatient()
    strategy = CompleteFinalists(inner, WIDE, 0, checks=count)
    planned = strategy.planned()
    trials = drive(strategy, WIDE)
    checks = [trial for trial in trials if trial.again]
    assert len(checks) == count
    assert {trial.candidate for trial in checks} == {WIDE.compose(())}
    assert not [trial for trial in inner.told if trial.again]
    assert strategy.planned() == sum(len(trial.questions) for trial in trials) <= planned


@pytest.mark.parametrize(("first", "second"), [(200, 400), (600, 1200), (900, 1000)])
def test_a_search_that_is_extended_checks_for_drift_in_what_is_added_too(first: int, second: int) -> None:
    landscape = Landscape(LANDSCAPES["mixed"], 1, pool=20)
    space = landscape.space(2)
    config = ScreeningConfig(kind="screening", evaluations=first, max_demonstrations=2, drift_checks=8)
    strategy = CompleteFinalists(Screening(space, config, 0), space, 0, checks=8)
    before = drive(strategy, space)
    strategy.extend(second)
    planned = strategy.planned()
    while trials := strategy.ask(8):
        before += trials
        for trial in trials:
            strategy.tell(scored(trial, 0.5))
    checks = [place for place, trial in enumerate(before) if trial.again]
    judged = [(name, trial.again) for trial in before if trial.again for name in trial.questions]
    assert len(set(judged)) == len(judged)  # none is asked for the same verdict twice
    assert len(checks) == 8 + max(1, round(8 * (1 - first / second)))
    assert strategy.planned() == sum(len(trial.questions) for trial in before) <= planned


@pytest.mark.parametrize("checks", [0, 3])
def test_verdicts_that_the_strategy_asked_for_again_reach_it(checks: int) -> None:
    config = ExhaustiveGreedyConfig(
        kind="exhaustive_greedy", max_demonstrations=3, stop_without_gain=False, later_verdicts=2
    )
    space = replace(WIDE, max_added=3)
    trials = drive(CompleteFinalists(ExhaustiveGreedy(space, config), space, 0, checks=checks), space)
    own = [trial for trial in trials if not (trial.again and trial.candidate == space.compose(()))]
    assert own == drive(ExhaustiveGreedy(space, config), space)
    assert len(own) == 1 + 8 + 2 * 7 + 2 * 6
    assert len(trials) - len(own) == checks


@pytest.mark.parametrize(("drift", "count"), [(0.0, 0), (3.0, 8)])
def test_automatic_checks_are_made_only_where_the_scores_say_that_the_judge_drifts(drift: float, count: int) -> None:
    landscape = Landscape(replace(LANDSCAPES["mixed"], drift=drift), 1, pool=20)
    space = landscape.space(2)
    config = ScreeningConfig(kind="screening", evaluations=900, max_demonstrations=2, drift_checks="auto")
    strategy = with_finalists(config, Screening(space, config, 0), space, 0)
    strategy.tell(landscape.score(Trial(space.compose(()), space.questions)))
    checks, answers = 0, 80
    while trials := strategy.ask(8):
        for trial in trials:
            checks, answers = checks + bool(trial.again), answers + len(trial.questions)
            strategy.tell(landscape.score(trial, moment=min(1.0, answers / 900)))
    assert checks == count
    assert strategy.planned() == answers
