"""Group screening."""

from pathlib import Path

import pytest

from configs.schema.strategy import ScreeningConfig
from search.bench.landscape import Landscape
from search.bench.landscapes import LANDSCAPES
from search.bench.second_judge import JudgedTwice
from search.bench.simulation import simulate
from search.problem.candidate import Candidate
from search.problem.material import Material
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.make import make_strategy
from search.strategies.parts.screening_budget import GROUPS, SETS, answers_of_groups
from search.strategies.parts.shortlist import fewer_questions, shortlist
from search.strategies.screening import Screening
from search.strategies.strategy import stage_of
from tests.kits.strategy_kit import SPACE, MakeStrategy, StrategyKit, drive, scored, worth


def screening(space: SearchSpace = SPACE, evaluations: int = 150, seed: int = 0) -> Screening:
    config = ScreeningConfig(kind="screening", evaluations=evaluations, max_demonstrations=3)
    return Screening(space, config, seed)


class TestScreening(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return screening


def with_a_cheap_judge(space: SearchSpace = SPACE, evaluations: int = 150, seed: int = 0) -> Screening:
    config = ScreeningConfig(
        kind="screening", evaluations=evaluations, max_demonstrations=3, screening_judge_answers=240
    )
    return Screening(space, config, seed, has_screening_judge=True)


class TestScreeningWithACheapJudge(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return with_a_cheap_judge


def told_by_both(strategy: Screening, scale: float) -> list[Trial]:
    """Everything that it asks, when the cheap judge sees what the judge sees, on another scale."""
    asked = [Trial(SPACE.compose(()), SPACE.questions)]
    for trial in asked:
        seen = worth(trial.candidate)
        strategy.tell(scored(trial, scale * seen if trial.screening else seen))
        asked.extend(strategy.ask(3))
    return asked


def test_a_cheap_judge_scores_what_it_may_before_the_judge_is_asked_and_costs_the_judge_nothing() -> None:
    strategy = with_a_cheap_judge()
    planned = strategy.planned()
    asked = told_by_both(strategy, 100.0)
    first = [trial.screening for trial in asked[1:]]
    assert first == sorted(first, reverse=True)
    assert sum(len(trial.questions) for trial in asked if trial.screening) == strategy.screened() <= 240
    assert sum(len(trial.questions) for trial in asked if not trial.screening) <= 150
    assert sum(len(trial.questions) for trial in asked) == strategy.planned() <= planned


def test_what_only_the_cheap_judge_has_scored_is_never_recommended() -> None:
    strategy = with_a_cheap_judge()
    judged = {trial.candidate for trial in told_by_both(strategy, 1.0) if not trial.screening}
    assert set(strategy.ranking()) <= judged


def test_a_cheap_judge_that_always_says_the_same_changes_nothing_but_what_it_cost() -> None:
    strategy = with_a_cheap_judge()
    asked = told_by_both(strategy, 0.0)
    assert strategy.agreement() is None
    assert [trial for trial in asked if not trial.screening] == told_by_both(screening(), 1.0)


@pytest.mark.heavy
def test_a_cheap_judge_that_agrees_leads_it_to_better_sets() -> None:
    gains = []
    for seed in range(4):
        landscape = Landscape(LANDSCAPES["mixed"], seed, pool=60)
        space = landscape.space(3)
        config = ScreeningConfig(kind="screening", evaluations=480, max_demonstrations=3)
        alone = simulate(Screening(space, config, seed), landscape, space)
        strategy = Screening(space, config, seed, has_screening_judge=True)
        found = simulate(strategy, JudgedTwice(landscape, "0.95", seed), space)
        assert found.evaluations <= 480
        gains.append(found.found_truth - alone.found_truth)
    assert sum(gains) / len(gains) > 0.03


def test_it_keeps_to_its_budget_and_spends_it() -> None:
    landscape = Landscape(LANDSCAPES["mixed"], 1, pool=30)
    space = landscape.space(3)
    found = simulate(screening(space, 800), landscape, space)
    assert 780 <= found.evaluations <= 800


def test_it_beats_the_base_where_there_is_much_to_win() -> None:
    landscape = Landscape(LANDSCAPES["decisive"], 3, pool=40)
    space = landscape.space(3)
    found = simulate(screening(space, 1200), landscape, space)
    assert found.truth > found.base_truth + 0.4
    assert found.win_probability > 0.95


@pytest.mark.heavy
def test_a_likelihood_that_tells_effects_leads_it_to_better_sets() -> None:
    gains = []
    for seed in range(4):
        landscape = Landscape(LANDSCAPES["mixed"], seed, pool=100)
        space = landscape.space(3)
        config = ScreeningConfig(kind="screening", evaluations=480, max_demonstrations=3)
        found = [
            simulate(Screening(space, config, seed, None, likelihood), landscape, space).found_truth
            for likelihood in (None, -40 + landscape.effect)
        ]
        gains.append(found[1] - found[0])
    assert sum(gains) / len(gains) > 0.1


def test_without_any_signal_the_base_is_kept() -> None:
    kept = 0
    for seed in range(4):
        landscape = Landscape(LANDSCAPES["no_signal"], seed, pool=16)
        space = landscape.space(3)
        kept += simulate(screening(space, 400, seed=seed), landscape, space).winner == Candidate(())
    assert kept >= 3


def test_another_seed_asks_other_things() -> None:
    assert drive(screening(seed=0), SPACE) != drive(screening(seed=1), SPACE)


def test_nothing_is_asked_before_the_base_has_been_told() -> None:
    strategy = screening()
    assert list(strategy.ask(5)) == []
    strategy.tell(scored(Trial(SPACE.compose(()), SPACE.questions), 1.0))
    assert strategy.ask(5)


def test_it_stops_early_when_nothing_more_is_to_be_gained() -> None:
    config = ScreeningConfig(kind="screening", evaluations=3000, least_gain=0.5, max_demonstrations=3)
    landscape = Landscape(LANDSCAPES["no_signal"], 0, pool=12)
    space = landscape.space(3)
    assert simulate(Screening(space, config, 0), landscape, space).evaluations < 2500


def test_a_window_of_any_size_is_kept_busy_to_half_a_batch() -> None:
    strategy = screening(evaluations=2000)
    strategy.tell(scored(Trial(SPACE.compose(()), SPACE.questions), worth(SPACE.compose(()))))
    assert len(strategy.ask(1000)) >= 8


def test_what_is_recommended_has_met_all_search_questions() -> None:
    landscape = Landscape(LANDSCAPES["mixed"], 1, pool=30)
    space = landscape.space(3)
    strategy, met = screening(space, 800), dict[Candidate, set[str]]()
    for trial in drive(strategy, space, lambda one: landscape.score(Trial(one, space.questions)).mean):
        met.setdefault(trial.candidate, set()).update(trial.questions)
    assert [len(met[one]) for one in strategy.ranking()[:2]] == [80, 80]


def test_scores_beside_failures_are_not_thrown_away() -> None:
    strategy = screening()
    base = SPACE.compose(())
    strategy.tell(scored(Trial(base, SPACE.questions), 1.0))
    for trial in strategy.ask(50):
        first, *others = trial.questions
        strategy.tell(ScoredTrial(trial, dict.fromkeys(others, 2.0), {first: "JudgeFailed"}, None))
    while trials := strategy.ask(50):
        for trial in trials:
            strategy.tell(scored(trial, 2.0))
    assert strategy.ranking()[0] != base


def test_a_base_prompt_at_the_end_of_the_scale_does_not_set_the_unit_of_effects() -> None:
    gains = []
    for seed in range(4):
        landscape = Landscape(LANDSCAPES["floor"], seed, pool=30)
        space = landscape.space(3)
        found = simulate(screening(space, 700, seed=seed), landscape, space)
        gains.append(found.found_truth - found.base_truth)
    assert sum(gains) / len(gains) > 0.1


def test_sets_of_five_are_proposed_where_a_pool_of_thirty_has_440_answers() -> None:
    landscape = Landscape(LANDSCAPES["mixed"], 0, pool=30)
    space = landscape.space(5)
    strategy = Screening(space, ScreeningConfig(kind="screening", evaluations=440, max_demonstrations=5), 0)
    stages = set[str]()

    def value(candidate: Candidate) -> float | None:
        stages.add(strategy.stage())
        return landscape.score(Trial(candidate, space.questions)).mean

    drive(strategy, space, value)
    assert SETS in stages


@pytest.mark.parametrize("most", [4, 8])
def test_a_shortlist_is_of_as_many_as_the_groups_meet_that_are_tried_where_only_some_questions_are_asked(
    most: int, tmp_path: Path
) -> None:
    space = SearchSpace((), tuple(f"d{n}" for n in range(1200)), tuple(f"q{n}" for n in range(805)), 0, most)
    config = ScreeningConfig(kind="screening", evaluations=2000, max_demonstrations=most, embedding="none")
    strategy, groups = make_strategy(config, space, 0, Material("", (), (), (), (), {}), tmp_path), list[Trial]()
    strategy.tell(scored(Trial(space.compose(()), space.questions), 5.0))
    while (trials := strategy.ask(64)) and stage_of(strategy) == GROUPS:
        groups += trials
        for trial in trials:
            strategy.tell(scored(trial, 5.0 + len(trial.candidate)))
    answers = answers_of_groups(config, fewer_questions(space, 0), 2000 - 805)
    assert answers / 8 == pytest.approx(len(groups), abs=12)
    met = {name for trial in groups for name in trial.candidate.demonstrations}
    assert met <= set(shortlist(space, answers, None, 0).pool)


def test_every_third_group_is_smaller() -> None:
    strategy = screening(evaluations=2000)
    strategy.tell(scored(Trial(SPACE.compose(()), SPACE.questions), worth(SPACE.compose(()))))
    sizes = {len(SPACE.added(trial.candidate)) for trial in strategy.ask(12)}
    assert sizes == {1, 2}
