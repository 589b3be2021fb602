"""Landscapes tell the truth about themselves."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from search.bench.landscape import Landscape
from search.bench.landscapes import LANDSCAPES, MIXED
from search.problem.candidate import Candidate
from search.problem.trial import Trial

pytestmark = pytest.mark.heavy


def landscape(name: str = "mixed", seed: int = 0, pool: int = 12) -> Landscape:
    return Landscape(LANDSCAPES[name], seed, pool=pool, search=20, held_out=20)


SET = Candidate(("d0003", "d0001", "d0007"))


def test_a_score_is_the_same_whenever_and_with_whatever_else_it_is_asked_for() -> None:
    one, other = landscape(), landscape()
    whole = one.score(Trial(SET, one.search)).scores
    other.score(Trial(Candidate(("d0002",)), other.search))
    parts = other.score(Trial(SET, other.search[10:])).scores | other.score(Trial(SET, other.search[:10])).scores
    assert whole == parts


def test_another_seed_repeat_or_order_gives_other_scores() -> None:
    one = landscape()
    scores = one.score(Trial(SET, one.search)).scores
    assert scores != landscape(seed=1).score(Trial(SET, one.search)).scores
    assert scores != one.score(Trial(SET, one.search), repeat=1).scores
    assert scores != one.score(Trial(Candidate(SET.demonstrations[::-1]), one.search)).scores


@pytest.mark.parametrize("name", LANDSCAPES)
def test_the_truth_is_the_mean_of_very_many_repeats(name: str) -> None:
    one = landscape(name)
    trial = Trial(SET, one.search)
    means = [one.score(trial, repeat).mean for repeat in range(2500)]
    error = np.std(np.array(means, dtype=float)) / np.sqrt(len(means))
    assert one.truth(SET, one.search) == pytest.approx(np.mean(np.array(means, dtype=float)), abs=4.5 * error)


def test_scores_lie_on_the_judges_scale() -> None:
    points = landscape().score(Trial(SET, landscape().search)).scores.values()
    assert set(points) <= {float(value) for value in range(1, 11)}
    assert set(landscape("binary").score(Trial(SET, landscape().search)).scores.values()) <= {0.0, 1.0}


def test_without_signal_all_sets_are_worth_the_same_but_for_what_single_questions_do() -> None:
    knobs = replace(LANDSCAPES["no_signal"], question_effect_spread=0.0)
    one = Landscape(knobs, 0, pool=8)
    assert one.truth(SET, one.held_out) == pytest.approx(one.truth(Candidate(()), one.held_out))


def test_one_demonstration_decides_where_it_is_said_to() -> None:
    one = landscape("decisive")
    best = one.pool[int(one.effect.argmax())]
    truths = {name: one.truth(Candidate((name,)), one.held_out) for name in one.pool}
    assert max(truths, key=truths.__getitem__) == best
    assert sorted(truths.values())[-1] - sorted(truths.values())[-2] > 0.5


def test_in_the_additive_landscape_effects_add_up_before_the_judge_rounds() -> None:
    knobs = replace(LANDSCAPES["additive"], recency=0.0, question_effect_spread=0.0, sensitivity_spread=0.01)
    knobs = replace(knobs, thresholds=tuple(np.linspace(-60, 60, 1201)), lowest=0.0, step=0.1)
    one = Landscape(knobs, 4, pool=6)
    base = one.truth(Candidate(()), one.search)
    alone = [one.truth(Candidate((name,)), one.search) - base for name in one.pool[:3]]
    assert one.truth(Candidate(one.pool[:3]), one.search) - base == pytest.approx(sum(alone), abs=0.01)


def test_order_matters_most_where_it_is_said_to() -> None:
    def spread(name: str) -> float:
        one = landscape(name, seed=3)
        return float(np.std([one.truth(Candidate(order), one.search) for order in permutations(one.pool[:4])]))

    assert spread("order") > 2 * spread("mixed")


def test_the_ceiling_is_no_worse_than_any_pair() -> None:
    one = landscape(pool=8)
    best = max(one.truth(Candidate(pair), one.search) for pair in permutations(one.pool, 2))
    assert one.truth(one.ceiling(2), one.search) == pytest.approx(best)


def test_further_questions_change_nothing_else() -> None:
    few, many = Landscape(MIXED, 2, pool=9), Landscape(MIXED, 2, pool=9, further=50)
    assert few.score(Trial(SET, few.held_out)) == many.score(Trial(SET, many.held_out))
    assert len(many.further) == 50


def test_sets_of_one_style_lose_nothing_and_mixed_ones_do() -> None:
    plain, styled = (Landscape(replace(MIXED, styles=2, style_loss=loss), 0, pool=12) for loss in (0.0, 0.8))
    losses = [
        plain.truth(Candidate(pair), plain.held_out) - styled.truth(Candidate(pair), styled.held_out)
        for pair in permutations(plain.pool, 2)
    ]
    assert {round(loss, 1) > 0.3 for loss in losses} == {True, False}
    assert min(losses) == 0


def test_a_judge_that_drifts_says_the_same_at_the_same_moment_and_ends_elsewhere() -> None:
    drifting, trial = landscape("drift"), Trial(SET, landscape().search)
    first, same, last = (drifting.score(trial, moment=moment).mean for moment in (0.0, 0.0, 1.0))
    assert first == same
    assert first is not None
    assert last is not None
    assert 0.3 < abs(last - first) < 0.7
    assert landscape().score(trial, moment=1.0) == landscape().score(trial)


@pytest.fixture(scope="module")
def wide() -> Landscape:
    """Of very many demonstrations."""
    return landscape(pool=3000)


@pytest.mark.parametrize("agreement", [0.0, 0.6, 0.95])
def test_another_judges_effects_correlate_as_far_as_it_agrees(agreement: float, wide: Landscape) -> None:
    other = wide.under_another_judge(agreement, 0.0, 0)
    assert np.corrcoef(wide.effect, other.effect)[0, 1] == pytest.approx(agreement, abs=0.06)
    assert other.effect.std() == pytest.approx(wide.effect.std(), rel=0.06)


def test_another_judge_sees_the_same_answer_with_noise_partly_its_own() -> None:
    landscape = Landscape(MIXED, 1, pool=4, search=2000)
    other = landscape.under_another_judge(1.0, 0.0, 1)
    trial = Trial(Candidate(()), landscape.search)
    said = [judge.score(trial) for judge in (landscape, other)]
    assert other.score(replace(trial, screening=True)).scores != said[1].scores


def test_a_second_verdict_on_an_answer_differs_less_than_one_on_another_answer() -> None:
    one = landscape()
    first, again, other = (
        np.array([*scored.scores.values()])
        for scored in (
            one.score(Trial(SET, one.search)),
            one.score(Trial(SET, one.search, again=1)),
            one.score(Trial(SET, one.search), 1),
        )
    )
    assert 0 < np.abs(first - again).mean() < np.abs(first - other).mean()


def test_a_quarter_of_the_questions_carries_most_of_the_variance_of_preferences_and_not_of_ratings() -> None:
    def share(name: str) -> float:
        one = Landscape(LANDSCAPES[name], 1, pool=2, search=400)
        base = Trial(Candidate(()), one.search)
        noise = np.sort(np.array([[*one.score(base, repeat).scores.values()] for repeat in range(100)]).var(axis=0))
        return float(noise[300:].sum() / noise.sum())

    assert share("preference") > 0.8
    assert share("mixed") < 0.5
