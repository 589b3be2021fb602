"""The effects model against a dense computation of the same model."""

import math
from dataclasses import replace

import numpy as np
import pytest

from search.statistics.effects import EffectsModel, drift_between
from search.statistics.effects_posterior import Fit
from search.statistics.hyperparameters import Hyperparameters, OwnVariances
from search.statistics.observed_scores import Floats, ObservedScores, OrderedSet

QUESTIONS, DEMONSTRATIONS, SCALE = 6, 9, 2.0
HYPER = Hyperparameters(effect=0.2, explained_share=0.4, set_effect=0.3, noise=0.9, recency=0.3, dilution=0.5)
DRAW = np.random.default_rng(7)
EMBEDDING = DRAW.normal(size=(DEMONSTRATIONS, 3))
OWN = OwnVariances(noise=DRAW.uniform(0.5, 2, QUESTIONS), effect=DRAW.uniform(0.7, 4, DEMONSTRATIONS))


def told(sets: int = 15) -> ObservedScores:
    """The empty set on all questions, random ones on three each, one of them twice."""
    draw, scores = np.random.default_rng(1), ObservedScores()
    scores.tell((), range(QUESTIONS), 6 + 3 * draw.normal(size=QUESTIONS))
    for number in range(sets):
        ordered = tuple(draw.choice(DEMONSTRATIONS, 1 + number % 4, replace=False).tolist())
        scores.tell(ordered, draw.choice(QUESTIONS, 3, replace=False), 6 + 3 * draw.normal(size=3))
    scores.tell(scores.sets[-1], [0, 0, 3], [5.0, 7.0, 6.0])
    return scores


class Dense:
    """Everything as one normal distribution: levels, m, b, theta, each set's own effect; then scores with noise."""

    def __init__(
        self, scores: ObservedScores, hyper: Hyperparameters, further: OrderedSet, hint: Floats | None = None
    ) -> None:
        self.hint = hint
        self.sets = [*scores.sets, further]
        self.width = QUESTIONS + 2 + DEMONSTRATIONS
        self.hyper = hyper
        prior = np.zeros((self.width + len(self.sets),) * 2)
        prior[:QUESTIONS, :QUESTIONS] = 1.5**2 * np.eye(QUESTIONS) + 3.0**2
        prior[QUESTIONS, QUESTIONS], prior[QUESTIONS + 1, QUESTIONS + 1] = 0.3**2, 0.15**2
        prior[QUESTIONS + 2 : self.width, QUESTIONS + 2 : self.width] = self.effects_covariance()
        for place, one in enumerate(self.sets):
            prior[self.width + place, self.width + place] = hyper.set_effect**2 * bool(one)
        self.covariance_before = prior
        rows, asked = np.concatenate(scores.rows), np.concatenate(scores.questions)
        design = np.array([self.row(self.sets[row]) for row in rows])
        design[np.arange(len(asked)), asked] = 1
        values = np.concatenate(scores.values) / SCALE
        covariance = design @ prior @ design.T + hyper.noise**2 * np.diag(OWN.noise[asked])
        gain = prior @ design.T @ np.linalg.inv(covariance)
        self.mean, self.covariance = gain @ values, prior - gain @ design @ prior
        square = values @ np.linalg.solve(covariance, values)
        self.log_evidence = -0.5 * (square + np.linalg.slogdet(2 * math.pi * covariance)[1])

    def effects_covariance(self) -> Floats:
        unit = EMBEDDING / np.linalg.norm(EMBEDDING, axis=1, keepdims=True)
        centred = unit - unit.mean(axis=0)
        centred = centred / math.sqrt((centred**2).sum(axis=1).mean())
        known = centred @ centred.T
        if self.hint is not None:
            standard = (self.hint - self.hint.mean()) / self.hint.std()
            known = (known + np.outer(standard, standard)) / 2
        share, effect = self.hyper.explained_share, self.hyper.effect
        covariance: Floats = effect**2 * (share * known + (1 - share) * np.eye(DEMONSTRATIONS))
        return covariance * np.sqrt(np.outer(OWN.effect, OWN.effect))

    def row(self, ordered: OrderedSet) -> Floats:
        """What the value of a set beyond the empty one is made of."""
        row, size = np.zeros(self.width + len(self.sets)), len(ordered)
        slope = max(1, size) ** -self.hyper.dilution
        for place, member in enumerate(ordered):
            x = 2 * place / (size - 1) - 1 if size > 1 else 0.0
            row[QUESTIONS + 2 + member] = slope * (1 + self.hyper.recency * x)
        unit = EMBEDDING / np.linalg.norm(EMBEDDING, axis=1, keepdims=True)
        alike = sum(
            max(0.0, float(unit[a] @ unit[b]) - 0.3) / 0.7
            for place, a in enumerate(ordered)
            for b in ordered[place + 1 :]
        )
        row[QUESTIONS], row[QUESTIONS + 1] = slope * size, slope * alike
        row[self.width + self.sets.index(ordered)] = 1
        return row


FURTHER: OrderedSet = (8, 0, 3)
MODEL = EffectsModel(QUESTIONS, DEMONSTRATIONS, EMBEDDING, SCALE)
HINT = 100 + 7 * DRAW.normal(size=DEMONSTRATIONS)


@pytest.fixture(scope="module", params=[None, HINT], ids=["without a hint", "with a hint"])
def hint(request: pytest.FixtureRequest) -> Floats | None:
    given: Floats | None = request.param
    return given


@pytest.fixture(scope="module")
def dense(hint: Floats | None) -> Dense:
    return Dense(told(), HYPER, FURTHER, hint)


@pytest.fixture(scope="module")
def fit(hint: Floats | None) -> Fit:
    return EffectsModel(QUESTIONS, DEMONSTRATIONS, EMBEDDING, SCALE, hint).at(told(), HYPER, OWN)


def test_the_evidence_is_that_of_the_dense_computation(dense: Dense, fit: Fit) -> None:
    assert fit.log_evidence == pytest.approx(dense.log_evidence, rel=1e-10)


def test_the_posterior_mean_is_that_of_the_dense_computation(dense: Dense, fit: Fit) -> None:
    assert fit.mean == pytest.approx(dense.mean[: dense.width], abs=1e-10)


def test_the_posterior_covariance_is_that_of_the_dense_computation(dense: Dense, fit: Fit) -> None:
    covariance = np.linalg.inv(fit.factor @ fit.factor.T)
    assert covariance == pytest.approx(dense.covariance[: dense.width, : dense.width], abs=1e-10)


@pytest.mark.parametrize("over", [(), told().sets[4]])
def test_gains_of_told_and_untold_sets_are_those_of_the_dense_computation(
    dense: Dense, fit: Fit, over: OrderedSet
) -> None:
    sets = [*told().sets[1:], FURTHER, ()]
    means, spreads = fit.gains(sets, over)
    for one, mean, spread in zip(sets, means, spreads, strict=True):
        difference = dense.row(one) - dense.row(over)
        assert mean == pytest.approx(SCALE * difference @ dense.mean, abs=1e-9)
        variance = difference @ dense.covariance @ difference
        assert spread == pytest.approx(SCALE * math.sqrt(max(0.0, variance)), abs=1e-6)


def test_without_luck_a_gain_lasts_as_it_is(fit: Fit) -> None:
    for one, over in ((told().sets[1], ()), (told().sets[2], told().sets[4])):
        means, spreads = fit.gains([one], over)
        assert fit.lasting_gain(one, over, 0.0) == pytest.approx((means[0], spreads[0]))


def test_effects_that_are_nothing_but_luck_last_in_no_gain() -> None:
    scores = ObservedScores()
    scores.tell((), range(QUESTIONS), [6.0] * QUESTIONS)
    for member in range(DEMONSTRATIONS):
        scores.tell((member,), range(QUESTIONS), [6.0 + (member == 3)] * QUESTIONS)
    fit = EffectsModel(QUESTIONS, DEMONSTRATIONS, None, step=True).at(scores, replace(HYPER, set_effect=0.01))
    (three, spread), (four, _) = (fit.lasting_gain((one,), (), 2 * HYPER.effect**2) for one in (3, 4))
    assert three - four < 0.2 * float(fit.gains([(3,)], (4,))[0][0])
    assert spread > 0


def test_with_a_step_the_empty_sets_level_follows_from_its_own_scores() -> None:
    """Larger sets are worth more, which says nothing of how much the first demonstration adds."""
    scores = ObservedScores()
    scores.tell((), range(QUESTIONS), [6.0] * QUESTIONS)
    for number in range(60):
        size = 1 + number % 3
        scores.tell(
            tuple((number + at) % DEMONSTRATIONS for at in range(size)),
            range(QUESTIONS),
            [5.7 + 0.1 * size] * QUESTIONS,
        )
    with_step, without = (
        EffectsModel(QUESTIONS, DEMONSTRATIONS, None, step=step)
        .at(scores, replace(HYPER, effect=0.01, set_effect=0.01))
        .gains([(0, 1, 2)], ())
        for step in (True, False)
    )
    assert with_step[1][0] > 1.2 * without[1][0]
    assert abs(with_step[0][0]) < abs(without[0][0])


def test_weaker_effects_are_part_of_every_proof(fit: Fit) -> None:
    strengths = [each.hyper for each in fit.by_strength(0.0)]
    assert (
        min(one.effect for one in strengths) < 0.05 * HYPER.effect < HYPER.effect < max(one.effect for one in strengths)
    )
    assert min(one.set_effect for one in strengths) < 0.05 * HYPER.set_effect


def test_luck_on_the_questions_asked_is_there_however_weak_the_effects_that_last(fit: Fit) -> None:
    luck = np.full(DEMONSTRATIONS, 0.09)
    for strength in fit.by_strength(luck):
        assert strength.hyper.effect**2 * strength.own.effect == pytest.approx(strength.hyper.effect**2 + luck)


def test_luck_averages_out_over_the_questions_that_a_demonstration_was_met_on_each_as_often_as_another() -> None:
    scores = ObservedScores()
    scores.tell((), range(QUESTIONS), [6.0] * QUESTIONS)
    for member in (0, 1):
        scores.tell((member,), range(4), [6.0] * 4)
    for other in (2, 3, 4):
        scores.tell((1, other), [0], [6.0])
    met = (
        EffectsModel(QUESTIONS, DEMONSTRATIONS, None)
        .at(scores, replace(HYPER, dilution=0.0, recency=0.0))
        .questions_met()
    )
    assert met[0] == pytest.approx(4)
    assert met[1] == pytest.approx((4 + 3) ** 2 / (4**2 + 3))
    assert met[2] == met[5] == 1


def test_values_are_gains_over_the_empty_set(fit: Fit) -> None:
    sets = [*told().sets, FURTHER]
    assert fit.values(sets) == pytest.approx(fit.gains(sets, ())[0], abs=1e-10)


def test_draws_have_the_posterior_mean_and_covariance(fit: Fit) -> None:
    draws = fit.draws(40_000, 1.0, np.random.default_rng(0))
    covariance = np.linalg.inv(fit.factor @ fit.factor.T)
    spread = np.sqrt(np.diag(covariance))
    assert np.abs((draws.mean(axis=0) - fit.mean) / spread).max() < 0.03
    assert np.abs((np.cov(draws.T) - covariance) / np.outer(spread, spread)).max() < 0.05


def test_sampled_values_of_sets_spread_as_their_gains_do(fit: Fit) -> None:
    draw = np.random.default_rng(0)
    sets = [*told().sets[1:6], FURTHER]
    sampled = fit.sampled_values(sets, fit.draws(40_000, 1.0, draw), 1.0, draw)
    means, spreads = fit.gains(sets, ())
    assert sampled.mean(axis=0) == pytest.approx(means, abs=0.03)
    assert sampled.std(axis=0) == pytest.approx(spreads, rel=0.05)


def test_a_tempered_draw_lies_nearer_to_the_mean(fit: Fit) -> None:
    near, far = (fit.draws(1, temper, np.random.default_rng(3)) - fit.mean for temper in (0.5, 1.0))
    assert near == pytest.approx(0.5 * far)


def test_the_hyperparameters_found_are_better_than_those_at_the_start() -> None:
    scores = told()
    found = MODEL.fit(scores, sweeps=6).hyper
    start = Hyperparameters()
    assert MODEL.at(scores, found).log_evidence + found.log_prior() > (
        MODEL.at(scores, start).log_evidence + start.log_prior()
    )


def test_hyperparameters_come_back_from_free_coordinates() -> None:
    back = Hyperparameters.from_free(HYPER.free())
    assert back.free() == pytest.approx(HYPER.free())


def test_known_effects_are_recovered_from_many_scores() -> None:
    draw, scores = np.random.default_rng(5), ObservedScores()
    effects, levels = 0.4 * draw.normal(size=30), 5 + 1.5 * draw.normal(size=20)
    scores.tell((), range(20), levels + 0.5 * draw.normal(size=20))
    for _ in range(400):
        ordered = tuple(draw.choice(30, 3, replace=False).tolist())
        asked = draw.choice(20, 8, replace=False)
        worth = 3**-0.4 * effects[list(ordered)].sum()
        scores.tell(ordered, asked, levels[asked] + worth + 0.5 * draw.normal(size=8))
    fit = EffectsModel(20, 30, None).fit(scores, sweeps=6)
    worths = fit.worths(fit.mean)
    assert np.corrcoef(worths, effects)[0, 1] > 0.98
    assert fit.hyper.noise == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize("embedded", [True, False])
def test_a_hint_that_tells_effects_brings_the_posterior_nearer_to_them(embedded: bool) -> None:
    draw, scores = np.random.default_rng(5), ObservedScores()
    effects, embedding = 0.3 * draw.normal(size=60), draw.normal(size=(60, 8)) if embedded else None
    for _ in range(40):
        ordered = tuple(draw.choice(60, 6, replace=False).tolist())
        scores.tell(ordered, range(8), 6**-0.4 * effects[list(ordered)].sum() + draw.normal(size=8))
    plain, hinted = (
        EffectsModel(8, 60, embedding, hint=hint).fit(scores, sweeps=3)
        for hint in (None, effects + 0.3 * draw.normal(size=60))
    )
    errors = [float(np.std(fit.worths(fit.mean) - effects)) for fit in (plain, hinted)]
    assert errors[1] < 0.85 * errors[0]
    assert hinted.log_evidence > plain.log_evidence


def test_a_constant_hint_changes_nothing() -> None:
    constant = EffectsModel(QUESTIONS, DEMONSTRATIONS, EMBEDDING, SCALE, np.full(DEMONSTRATIONS, 0.1))
    assert constant.at(told(), HYPER).mean == pytest.approx(MODEL.at(told(), HYPER).mean)


def test_a_noisier_question_is_found_out() -> None:
    draw, scores = np.random.default_rng(5), ObservedScores()
    for _ in range(60):
        ordered = tuple(draw.choice(10, 2, replace=False).tolist())
        scores.tell(ordered, range(5), draw.normal(size=5) * [3, 1, 1, 1, 1])
    own = EffectsModel(5, 10, None).fit(scores, sweeps=3).own.noise
    assert own[0] > 3 * own[1:].max()


def test_one_effect_far_larger_than_all_others_is_not_drawn_in_with_them() -> None:
    draw, scores = np.random.default_rng(5), ObservedScores()
    effects = 0.02 * draw.normal(size=20)
    effects[7] = 1.5
    for _ in range(60):
        ordered = tuple(draw.choice(20, 2, replace=False).tolist())
        scores.tell(ordered, range(5), effects[list(ordered)].sum() + draw.normal(size=5))
    fit = EffectsModel(5, 20, None).fit(scores, sweeps=3)
    alike = EffectsModel(5, 20, None).at(scores, fit.hyper)
    assert fit.own.effect[7] > 2 * np.delete(fit.own.effect, 7).max()
    assert fit.mean[5 + 2 + 7] > alike.mean[5 + 2 + 7]


def test_a_demonstration_of_which_nothing_is_known_is_no_exception_however_odd_its_hint() -> None:
    draw, scores, hint = np.random.default_rng(5), ObservedScores(), np.random.default_rng(6).normal(size=20)
    hint[0] = 9.0
    for _ in range(60):
        ordered = tuple((1 + draw.choice(19, 2, replace=False)).tolist())
        scores.tell(ordered, range(5), draw.normal(size=5))
    model, fit = EffectsModel(5, 20, None, hint=hint), None
    for _ in range(20):
        fit = model.fit(scores, fit, sweeps=1)
    assert fit is not None
    assert 0.5 < fit.own.effect[0] < 1.5


def test_without_an_embedding_the_share_it_tells_changes_nothing() -> None:
    model, scores = EffectsModel(QUESTIONS, DEMONSTRATIONS, None), told()
    evidence = [model.at(scores, replace(HYPER, explained_share=share)).log_evidence for share in (0.1, 0.8)]
    assert evidence[0] == pytest.approx(evidence[1])


def drifted(steps: float, seed: int = 0, sets: int = 150) -> ObservedScores:
    """Random sets on three of 30 questions each; the level rises by `steps` from the first to the last."""
    draw, scores = np.random.default_rng(seed), ObservedScores()
    level, theta = 6 + 1.5 * draw.normal(size=30), 0.2 * draw.normal(size=DEMONSTRATIONS)
    scores.tell((), range(30), level + draw.normal(size=30))
    for number in range(sets):
        ordered = tuple(draw.choice(DEMONSTRATIONS, 3, replace=False).tolist())
        asked = draw.choice(30, 3, replace=False)
        moved = steps * number / sets
        scores.tell(ordered, asked, level[asked] + theta[list(ordered)].sum() * 3**-0.4 + moved + draw.normal(size=3))
    return scores


def test_periods_are_columns_of_the_dense_computation() -> None:
    model = EffectsModel(QUESTIONS, DEMONSTRATIONS, EMBEDDING, SCALE)
    model.periods, hyper, scores = 4, replace(HYPER, drift=0.3), told()
    fit, plain = model.at(scores, hyper, OWN), Dense(scores, HYPER, FURTHER)
    rows, asked = np.concatenate(scores.rows), np.concatenate(scores.questions)
    design = np.array([plain.row(plain.sets[row]) for row in rows])
    design[np.arange(len(asked)), asked] = 1
    walk = np.tril(np.ones((4, 4)))
    period = np.eye(4)[scores.periods(4)]
    prior = plain.covariance_before
    covariance = design @ prior @ design.T + 0.3**2 * period @ walk @ walk.T @ period.T
    covariance += HYPER.noise**2 * np.diag(OWN.noise[asked])
    values = np.concatenate(scores.values) / SCALE
    square = values @ np.linalg.solve(covariance, values)
    assert fit.log_evidence == pytest.approx(-0.5 * (square + np.linalg.slogdet(2 * math.pi * covariance)[1]), rel=1e-9)
    expected = 0.3**2 * walk @ walk.T @ period.T @ np.linalg.solve(covariance, values)
    assert fit.mean[QUESTIONS : QUESTIONS + 4] == pytest.approx(expected, abs=1e-9)


def test_a_level_of_the_judge_that_moves_is_found_and_one_that_does_not_is_not() -> None:
    model = EffectsModel(30, DEMONSTRATIONS, None, step=True)
    fits = [(model.fit(scores), scores) for scores in (drifted(1.5), drifted(0.0))]
    moved, stayed = (drift_between(still, model.with_drift(scores, still)) for still, scores in fits)
    assert 0.7 < moved < 2.3
    assert stayed == 0.0
