"""What every strategy must do. Subclass `StrategyKit` and give it a `make` fixture."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import pytest

from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.strategy import Strategy

MakeStrategy = Callable[[SearchSpace], Strategy]
Value = Callable[[Candidate], float | None]

SPACE = SearchSpace(
    base=("base 1", "base 2"),
    pool=tuple("abcdefgh"),
    questions=("q1", "q2", "q3"),
    insert_at=1,
    max_added=2,
)

SPACES = {
    "plain": SPACE,
    "without the base's": replace(SPACE, base_use="drop"),
    "with the base's to choose from": replace(SPACE, base_use="optional", pool=(*SPACE.pool, *SPACE.base), max_added=3),
    "in the pool's order": replace(SPACE, order="fixed", max_added=3),
    "two at least": replace(SPACE, min_added=2),
    "one that must be there": replace(SPACE, required=("b",), max_added=3),
    "some that must not meet": replace(SPACE, mutually_exclusive=(frozenset("abc"), frozenset("gh")), max_added=3),
    "few tokens": replace(
        SPACE, max_added=3, max_tokens=20, tokens={name: 4 + number for number, name in enumerate(SPACE.pool)}
    ),
}


def worth(candidate: Candidate) -> float:
    """Additive, with a bonus for an early `c`: the best two added are c, then h."""
    names = [name for name in candidate.demonstrations if len(name) == 1]
    return sum("abcdefgh".index(name) / 8 + (0.5 if name == "c" else 0) for name in names) + (names[:1] == ["c"])


def scored(trial: Trial, value: float | None) -> ScoredTrial:
    if value is None:
        return ScoredTrial(trial, {}, dict.fromkeys(trial.questions, "GenerationFailed"), None)
    return ScoredTrial(trial, dict.fromkeys(trial.questions, value), {}, value)


def drive(strategy: Strategy, space: SearchSpace, value: Value = worth, window: int = 4) -> list[Trial]:
    """The coordinator's loop without anything behind it; all trials in the order asked, the base's first."""
    trials = [Trial(space.compose(()), space.questions)]
    under_way = deque(trials)
    while True:
        while len(under_way) < window and (asked := strategy.ask(window - len(under_way))):
            assert len(asked) <= window - len(under_way)
            under_way.extend(asked)
            trials.extend(asked)
        if not under_way:
            return trials
        trial = under_way.popleft()
        strategy.tell(scored(trial, value(trial.candidate)))
        assert len(trials) < 10_000


class StrategyKit:
    """The tests, inherited. `finds` is the best candidate it must find in the kit's landscape; None for a baseline."""

    finds: ClassVar[Candidate | None] = SPACE.compose(("c", "h"))

    @pytest.fixture
    def make(self) -> MakeStrategy:
        """Each call makes the strategy anew, with one seed."""
        raise NotImplementedError

    @pytest.mark.parametrize("name", SPACES)
    def test_every_candidate_fits_into_the_space_and_those_ranked_are_allowed(
        self, make: MakeStrategy, name: str
    ) -> None:
        space = SPACES[name]
        strategy = make(space)
        trials = drive(strategy, space)
        assert trials[0] == Trial(space.compose(()), space.questions)
        for trial in (trial for trial in trials[1:] if not trial.again):
            added = space.added(trial.candidate)
            assert added
            assert space.compose(added) == trial.candidate
            assert space.fits(added)
            assert set(added) <= set(space.pool)
            assert set(space.required) <= set(added)
            assert trial.questions
            assert len(set(trial.questions)) == len(trial.questions)
            assert set(trial.questions) <= set(space.questions)
        assert all(space.allows(space.added(candidate)) for candidate in strategy.ranking())

    @pytest.mark.parametrize("name", SPACES)
    def test_nothing_is_asked_for_twice(self, make: MakeStrategy, name: str) -> None:
        trials = drive(make(SPACES[name]), SPACES[name])
        asked = [(trial.candidate, trial.screening, trial.again, name) for trial in trials for name in trial.questions]
        assert len(set(asked)) == len(asked)

    @pytest.mark.parametrize("window", [1, 4, 13])
    def test_the_same_calls_give_the_same_trials(self, make: MakeStrategy, window: int) -> None:
        assert drive(make(SPACE), SPACE, window=window) == drive(make(SPACE), SPACE, window=window)

    def test_it_finds_the_best_of_a_plain_landscape(self, make: MakeStrategy) -> None:
        strategy = make(SPACE)
        drive(strategy, SPACE)
        if self.finds is None:
            assert worth(strategy.ranking()[0]) > worth(SPACE.compose(()))
        else:
            assert strategy.ranking()[0] == self.finds

    def test_the_ranking_is_empty_before_anything_is_told(self, make: MakeStrategy) -> None:
        assert list(make(SPACE).ranking()) == []

    def test_the_ranking_holds_only_candidates_that_were_scored(self, make: MakeStrategy) -> None:
        strategy = make(SPACE)
        trials = drive(strategy, SPACE, lambda candidate: None if "h" in candidate.demonstrations else 1.0)
        ranking = strategy.ranking()
        assert len(set(ranking)) == len(ranking)
        assert set(ranking) <= {trial.candidate for trial in trials if "h" not in trial.candidate.demonstrations}

    def test_it_ends_when_nothing_but_the_base_can_be_scored(self, make: MakeStrategy) -> None:
        strategy = make(SPACE)
        base = SPACE.compose(())
        drive(strategy, SPACE, lambda candidate: 1.0 if candidate == base else None)
        assert list(strategy.ranking()) == [base]

    def test_it_ends_when_all_scores_are_equal(self, make: MakeStrategy) -> None:
        drive(make(SPACE), SPACE, lambda _: 5.0)

    def test_the_plan_is_an_upper_bound_at_every_moment(self, make: MakeStrategy) -> None:
        strategy = make(SPACE)
        plans: list[int] = []

        def value(candidate: Candidate) -> float:
            plans.append(strategy.planned())
            return worth(candidate)

        trials = drive(strategy, SPACE, value)
        answers = sum(len(trial.questions) for trial in trials)
        assert all(plan >= answers for plan in plans)
        assert strategy.planned() == answers

    def test_a_pool_smaller_than_the_room_is_no_trouble(self, make: MakeStrategy) -> None:
        space = SearchSpace(("base",), ("only",), ("q",), 0, 1)
        trials = drive(make(space), space, lambda _: random.Random(0).random(), window=30)
        assert [space.added(trial.candidate) for trial in trials if not trial.again] == [(), ("only",)]
