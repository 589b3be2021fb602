"""What the study of informative questions rests on, and that it can tell a gain from none."""

from statistics import fmean

import numpy as np
import pytest

from search.bench.informative_questions import effects_learnt, table
from search.bench.landscape import Landscape
from search.bench.landscapes import LANDSCAPES
from search.bench.question_slopes import ALIKE, QUESTIONS, GroupScores, by_slope, by_spread, regress
from search.problem.candidate import Candidate
from search.problem.trial import Trial

pytestmark = pytest.mark.heavy
BASE = Candidate(())


@pytest.mark.parametrize("name", ["mixed", "preference"])
def test_variances_of_the_base_prompts_scores_are_those_of_very_many_repeats(name: str) -> None:
    landscape = Landscape(LANDSCAPES[name], 0, pool=4)
    trial = Trial(BASE, landscape.search)
    scores = np.array([[*landscape.score(trial, repeat).scores.values()] for repeat in range(1500)])
    _, noise = landscape.base_moments(landscape.search)
    np.testing.assert_allclose(noise, scores.var(axis=0), rtol=0.2, atol=0.2 * noise.mean())


def test_slopes_are_what_a_demonstrations_effect_does_to_each_questions_mean() -> None:
    landscape = Landscape(LANDSCAPES["unequal"], 0, pool=400)
    best = landscape.pool[int(landscape.effect.argmax())]
    rises = [landscape.truth(Candidate((best,)), [name]) - landscape.truth(BASE, [name]) for name in landscape.search]
    slope, _ = landscape.base_moments(landscape.search)
    assert np.corrcoef(rises, slope)[0, 1] > 0.8


def test_a_quarter_of_the_questions_carries_most_of_the_variance_of_preferences_and_not_of_ratings() -> None:
    def share(name: str) -> float:
        landscape = Landscape(LANDSCAPES[name], 1, pool=2, further=2000)
        noise = np.sort(landscape.base_moments(landscape.further)[1])
        return float(noise[1500:].sum() / noise.sum())

    assert share("preference") > 0.8
    assert share("mixed") < 0.5


def answers_of_unequal_questions(noise: np.ndarray, slope: np.ndarray) -> GroupScores:
    draw, answers = np.random.default_rng(0), GroupScores()
    effects = draw.normal(size=12)
    for _ in range(60):
        features = np.concatenate([[3.0], np.isin(np.arange(12), draw.permutation(12)[:3])])
        for question in range(QUESTIONS):
            answers.features.append(features)
            answers.asked.append(question)
            answers.scores.append(
                float(slope[question] * (features[1:] @ effects) + noise[question] ** 0.5 * draw.normal())
            )
    return answers


def test_with_many_answers_slopes_and_spreads_of_questions_are_learnt() -> None:
    draw = np.random.default_rng(1)
    noise, slope = (draw.permutation(np.linspace(low, 2 - low, QUESTIONS)) for low in (0.1, 0.3))
    answers, learnt, spread = answers_of_unequal_questions(noise, slope), ALIKE, ALIKE
    for _ in range(3):
        learnt = by_slope(regress(answers, learnt), learnt)
    spread = by_spread(regress(answers, learnt), learnt)
    assert np.corrcoef(learnt.slope, slope)[0, 1] > 0.9
    assert np.corrcoef(spread.noise, noise)[0, 1] > 0.9
    assert np.corrcoef(spread.often, noise**0.5)[0, 1] > 0.8


def test_answers_weigh_one_over_how_often_their_question_is_asked() -> None:
    answers = answers_of_unequal_questions(np.linspace(0.1, 1.9, QUESTIONS), np.ones(QUESTIONS))
    learnt = by_spread(regress(answers, ALIKE), ALIKE)
    weight = learnt.slope / learnt.noise * learnt.often
    np.testing.assert_allclose(weight, weight[0])


def test_knowing_which_questions_tell_most_pays_where_they_are_unequal() -> None:
    seeds = [effects_learnt("unequal", seed, 16, 500, 1) for seed in range(6)]
    assert fmean(rules["known"].correlation - rules["alike"].correlation for rules in seeds) > 0.1
    rows = table("unequal", 500, seeds).splitlines()
    assert [row.split(" | ")[2] for row in rows] == ["alike", "known", "by spread", "by slope", "by 1 earlier sets"]
