"""The warm start."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.optuna.warm_start import WarmStart

SPACE = SearchSpace((), tuple("abcdefghijkl"), tuple(f"q{number}" for number in range(12)), 0, 3)
BLOCKS = [SPACE.questions[:4], SPACE.questions[4:8], SPACE.questions[8:]]


def worth(candidate: Candidate) -> float:
    """`k` and `c` are good, `a` is bad."""
    return sum({"k": 0.9, "c": 0.6, "a": -0.5}.get(name, 0.0) for name in candidate.demonstrations)


def scored(trial: Trial, value: Callable[[Candidate], float] = worth) -> ScoredTrial:
    """Questions differ by up to a point."""
    scores = {name: 5 + value(trial.candidate) + int(name[1:]) / 12 for name in trial.questions}
    return ScoredTrial(trial, scores, {}, 5.0)


def warm_start(space: SearchSpace = SPACE, trials: int = 48, size: int = 3, keep: int = 4) -> WarmStart:
    base = scored(Trial(space.compose(()), space.questions))
    return WarmStart(space, base, BLOCKS, trials=trials, size=size, keep=keep, seed=0)


def run(warm: WarmStart, room: int = 4) -> list[Trial]:
    trials: list[Trial] = []
    while not warm.over:
        asked = warm.ask(room)
        trials.extend(asked)
        for trial in asked:
            warm.tell(scored(trial))
    return trials


def test_the_good_ones_stay_in_and_make_the_best_set() -> None:
    warm = warm_start()
    run(warm)
    assert {"k", "c"} <= set(warm.shortlist())
    assert "a" not in warm.shortlist()
    assert len(warm.shortlist()) == 4
    assert all({"k", "c"} <= set(choice) for choice in warm.best_sets(2)[:1])


def test_single_demonstrations_tell_the_good_ones_too() -> None:
    warm = warm_start(trials=36, size=1)
    assert all(len(trial.candidate) == 1 for trial in run(warm))
    assert {"k", "c"} <= set(warm.shortlist())


def test_before_the_model_knows_anything_all_are_dealt_equally_often() -> None:
    trials = warm_start().ask(8)
    dealt = Counter(name for trial in trials for name in trial.candidate.demonstrations)
    assert dealt == dict.fromkeys(SPACE.pool, 2)


def test_nobody_is_asked_about_a_question_twice_in_the_same_group() -> None:
    trials = run(warm_start())
    assert len(set(trials)) == len(trials) == 48


def test_what_is_required_is_in_every_group_and_in_the_shortlist() -> None:
    warm = warm_start(replace(SPACE, required=("a",)))
    assert all("a" in trial.candidate.demonstrations for trial in run(warm))
    assert "a" in warm.shortlist()
    assert all("a" in choice for choice in warm.best_sets(3))


def test_it_ends_early_when_there_is_nothing_left_to_ask() -> None:
    space = replace(SPACE, pool=("a", "b"))
    assert len(run(warm_start(space, trials=500, size=1))) == 2 * len(BLOCKS)


def test_without_groups_everybody_stays_in_and_no_set_is_better() -> None:
    warm = warm_start(trials=0)
    assert warm.over
    assert list(warm.ask(4)) == []
    assert warm.shortlist() == SPACE.pool
    assert warm.best_sets(3) == []


def test_groups_that_could_not_be_scored_teach_nothing() -> None:
    warm = warm_start(trials=12)
    while not warm.over:
        for trial in warm.ask(4):
            warm.tell(ScoredTrial(trial, {}, dict.fromkeys(trial.questions, "JudgeFailed"), None))
    assert len(warm.shortlist()) == 4
