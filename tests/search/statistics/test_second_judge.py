"""The effects model with another judge's scores: against one normal distribution of both judges, and what it learns."""

from dataclasses import replace

import numpy as np
import pytest

from search.statistics.effects import EffectsModel
from search.statistics.effects_prior import FIXED
from search.statistics.hyperparameters import Hyperparameters
from search.statistics.observed_scores import Floats, ObservedScores, OrderedSet

QUESTIONS, DEMONSTRATIONS, AGREEMENT = 5, 7, 0.6
EMBEDDING = np.random.default_rng(3).normal(size=(DEMONSTRATIONS, 2))
OTHER, OWN = Hyperparameters(effect=0.3), Hyperparameters(effect=0.2, noise=0.8, agreement=AGREEMENT)


def told(seed: int, sets: int) -> ObservedScores:
    draw, scores = np.random.default_rng(seed), ObservedScores()
    scores.tell((), range(QUESTIONS), 6 + draw.normal(size=QUESTIONS))
    for number in range(sets):
        ordered = tuple(draw.choice(DEMONSTRATIONS, 1 + number % 3, replace=False).tolist())
        scores.tell(ordered, draw.choice(QUESTIONS, 3, replace=False), 6 + 2 * draw.normal(size=3))
    return scores


def linear(model: EffectsModel, scores: ObservedScores, hyper: Hyperparameters) -> tuple[Floats, Floats, Floats]:
    """Design [n, Q + 2 + N], values [n] and covariance [n, n] of what is not linear: noise, and sets' own effects."""
    rows, asked = np.concatenate(scores.rows), np.concatenate(scores.questions)
    features = model.features(model.layout(scores.sets), hyper).toarray()[rows]
    own = np.array([hyper.set_effect**2 * bool(scores.sets[row]) for row in rows])
    covariance = hyper.noise**2 * np.eye(len(rows)) + own * (rows[:, None] == rows)
    return np.hstack([np.eye(QUESTIONS)[asked], features]), np.concatenate(scores.values), covariance


def test_the_posterior_is_that_of_one_normal_distribution_of_both_judges_effects() -> None:
    model = EffectsModel(QUESTIONS, DEMONSTRATIONS, EMBEDDING)
    cheap, dear = told(1, 20), told(2, 8)
    fit = model.with_other_effects(model.at(cheap, OTHER).effects()).at(dear, OWN)

    width, theta = QUESTIONS + FIXED + DEMONSTRATIONS, slice(QUESTIONS + FIXED, None)
    priors = [
        np.linalg.inv(model.prior_precision(hyper, np.ones(DEMONSTRATIONS))[0])
        for hyper in (OTHER, replace(OWN, agreement=0))
    ]
    prior = np.zeros((2 * width, 2 * width))
    prior[:width, :width], prior[width:, width:] = priors
    shared = AGREEMENT * OWN.effect / OTHER.effect * priors[0][theta, theta]
    prior[width + QUESTIONS + FIXED :, QUESTIONS + FIXED : width] = shared
    prior[QUESTIONS + FIXED : width, width + QUESTIONS + FIXED :] = shared.T
    parts = [linear(model, cheap, OTHER), linear(model, dear, OWN)]
    counts = [len(values) for _, values, _ in parts]
    design, noise = np.zeros((sum(counts), 2 * width)), np.zeros((sum(counts), sum(counts)))
    for place, (rows, _, covariance) in enumerate(parts):
        start = place * counts[0]
        design[start : start + counts[place], place * width : (place + 1) * width] = rows
        noise[start : start + counts[place], start : start + counts[place]] = covariance
    values = np.concatenate([values for _, values, _ in parts])
    gain = prior @ design.T @ np.linalg.inv(design @ prior @ design.T + noise)
    mean, covariance = gain @ values, prior - gain @ design @ prior
    assert fit.mean == pytest.approx(mean[width:], abs=1e-8)
    spread = np.linalg.inv(fit.factor)
    assert spread.T @ spread == pytest.approx(covariance[width:, width:], abs=1e-8)


def judged(effects: Floats, seed: int, groups: int) -> ObservedScores:
    """Groups of 5 on blocks of 8 of 40 questions, as noisy as a plausible judge's scores."""
    draw, scores = np.random.default_rng(seed), ObservedScores()
    levels = draw.normal(6, 1.5, 40)
    scores.tell((), range(40), levels + draw.normal(size=40))
    for _ in range(groups):
        group: OrderedSet = tuple(draw.choice(len(effects), 5, replace=False).tolist())
        block = draw.choice(40, 8, replace=False)
        scores.tell(group, block, levels[block] + effects[list(group)].sum() * 5**-0.37 + draw.normal(size=8))
    return scores


@pytest.fixture(scope="module")
def effects() -> Floats:
    return 0.3 * np.random.default_rng(0).normal(size=30)


def with_other(effects: Floats, others: Floats) -> tuple[EffectsModel, ObservedScores]:
    model = EffectsModel(40, len(effects), None)
    return model.with_other_effects(model.fit(judged(others, 1, 200)).effects()), judged(effects, 2, 60)


def test_a_judge_that_sees_the_same_is_found_to_agree_and_one_that_sees_others_is_not(effects: Floats) -> None:
    same, scores = with_other(effects, effects)
    dealt, _ = with_other(effects, np.random.default_rng(5).permutation(effects))
    agreements = [model.fit(scores).hyper.agreement for model in (same, dealt)]
    assert agreements[0] > 0.7
    assert agreements[1] < 0.35


def test_what_a_judge_that_agrees_has_said_brings_the_posterior_nearer_to_the_effects(effects: Floats) -> None:
    model, scores = with_other(effects, effects)
    alone = EffectsModel(40, len(effects), None).fit(scores)
    told_effects = [fit.worths(fit.mean) - fit.worths(fit.mean).mean() for fit in (alone, model.fit(scores))]
    errors = [float(np.abs(said - effects + effects.mean()).mean()) for said in told_effects]
    assert errors[1] < 0.8 * errors[0]


def test_what_is_foretold_is_nothing_alone_and_much_where_judges_agree(effects: Floats) -> None:
    model, scores = with_other(effects, effects)
    assert EffectsModel(40, len(effects), None).fit(scores).foretold == 0
    assert 0.3 < model.fit(scores).foretold < 1


def test_at_no_agreement_another_judges_scores_change_nothing(effects: Floats) -> None:
    model, scores = with_other(effects, effects)
    alone = EffectsModel(40, len(effects), None)
    hyper = Hyperparameters()
    assert model.at(scores, hyper).mean == pytest.approx(alone.at(scores, hyper).mean)
    assert model.at(scores, hyper).log_evidence == pytest.approx(alone.at(scores, hyper).log_evidence)
