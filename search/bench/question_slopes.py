"""A regression of scores on demonstrations in which questions differ, and what it tells of the questions.

The score of a set on question q is d_q + s_q * (m + sum of effects) * size^-0.37 + noise with the variance noise * h_q,
all in the unit and with the priors of `search.statistics.effects`; s_q and h_q are relative to the average question's.
"""

from dataclasses import dataclass, field

import numpy as np

from search.bench.landscape import Floats, Ints

QUESTIONS = 80
_LEVELS, _ANY, _EFFECTS, _NOISE = 1.5, 0.3, 0.2, 1.12
_USUAL_SPREAD = 1.8
_LEAST, _MOST = 0.3, 4.0  # how often a question is asked, beside the average one
_SLOPES = 0.5  # their spread a priori
_IMAGINARY = 20.0
_NEAR = 6.0  # ranks by level within which questions' noise is alike


@dataclass(slots=True)
class GroupScores:
    """Scores of sets: features of the sets [n, 1 + N], questions and scores [n]."""

    features: list[Floats] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Questions:
    """What is held for true of each question, relative to the average one: slope, variance of noise, and how often it
    is to be asked, [Q]."""

    slope: Floats
    noise: Floats
    often: Floats


ONES = np.ones(QUESTIONS)
ALIKE = Questions(ONES, ONES, ONES)


def _bounded(wanted: Floats) -> Floats:
    most = np.minimum(wanted / wanted.mean(), _MOST)
    bounded: Floats = _LEAST + (1 - _LEAST) * most / most.mean()
    return bounded


def most_telling(slope: Floats, noise: Floats) -> Questions:
    """Return questions that are asked the oftener, the more their slope tells beside their noise, [Q] each."""
    return Questions(slope, noise, _bounded(slope**2 / noise))


@dataclass(frozen=True, slots=True)
class Effects:
    """The posterior of the regression.

    Attributes:
        mean: of levels, what any demonstration does, and effects, [Q + 1 + N], in the unit.
        covariance: of the same.
        features, asked, scores: as `GroupScores` has them, scores in the unit and less their mean.
        noise: variance of the average question's noise.
    """

    mean: Floats
    covariance: Floats
    features: Floats
    asked: Ints
    scores: Floats
    noise: float

    def worths(self) -> Floats:
        """What each demonstration does, [N]."""
        return self.mean[QUESTIONS + 1 :]

    def residuals(self, slope: Floats) -> Floats:
        """What is left of each score."""
        return self.scores - self.mean[self.asked] - slope[self.asked] * (self.features @ self.mean[QUESTIONS:])


def regress(answers: GroupScores, questions: Questions) -> Effects:
    """Return the posterior of the regression under what is held for true of the questions."""
    features, asked, scores = np.array(answers.features), np.array(answers.asked), np.array(answers.scores)
    scores = (scores - scores.mean()) / ((scores.std() or 1.0) / _USUAL_SPREAD)
    noise = _NOISE**2
    rows = np.hstack([np.eye(QUESTIONS)[asked], questions.slope[asked][:, None] * features])
    prior = np.full(rows.shape[1], _EFFECTS**-2)
    prior[:QUESTIONS], prior[QUESTIONS] = _LEVELS**-2, _ANY**-2
    for _ in range(2):  # the noise is what the first leaves
        weights = 1 / (noise * questions.noise[asked])
        covariance = np.linalg.inv(np.diag(prior) + rows.T @ (rows * weights[:, None]))
        mean = covariance @ (rows.T @ (weights * scores))
        effects = Effects(mean, covariance, features, asked, scores, noise)
        squares = effects.residuals(questions.slope) ** 2 / questions.noise[asked]
        noise = float(squares.sum() / max(1, len(scores) - QUESTIONS))
    return effects


def _learnt_noise(effects: Effects, questions: Questions, *, own: bool) -> Floats:
    """h_q: from the question's own residuals, shrunk to the average or, where it may differ widely, to that of
    questions with a level like its own, as far as questions seem to differ."""
    squares = np.bincount(effects.asked, effects.residuals(questions.slope) ** 2, QUESTIONS)
    met = np.maximum(np.bincount(effects.asked, minlength=QUESTIONS) - 1.0, 0)
    squares = squares / max(squares.sum() / max(met.sum(), 1.0), 1e-12)
    if not own:
        shrunk: Floats = (squares + _IMAGINARY) / (met + _IMAGINARY)
        return shrunk
    rank = np.argsort(np.argsort(effects.mean[:QUESTIONS])).astype(float)
    near = np.exp(-0.5 * ((rank[:, None] - rank) / _NEAR) ** 2)
    expected = (near @ squares + _NEAR) / (near @ met + _NEAR)
    often = met >= 2
    times, ratio = met[often], squares[often] / met[often] / expected[often]
    excess = float((times * ((ratio - 1) ** 2 - 2 / times)).sum() / max((times + 2).sum(), 1.0))
    imaginary = min(_IMAGINARY, max(1.0, 2 / max(excess, 1e-3)))
    noise: Floats = np.maximum((squares + imaginary * expected) / (met + imaginary), 0.02)
    return noise


def _learnt_slope(effects: Effects, questions: Questions) -> Floats:
    """s_q that maximise the expected log-posterior, with mean 1."""
    asked, features = effects.asked, effects.features
    expected = features @ effects.mean[QUESTIONS:]
    shared = features @ effects.covariance[QUESTIONS:]
    variance = (shared[:, QUESTIONS:] * features).sum(axis=1)
    weights = 1 / (effects.noise * questions.noise[asked])
    products = expected * (effects.scores - effects.mean[asked]) - shared[np.arange(len(asked)), asked]
    product = np.bincount(asked, weights * products, QUESTIONS)
    square = np.bincount(asked, weights * (expected**2 + variance), QUESTIONS)
    slope = np.clip((product + _SLOPES**-2) / (square + _SLOPES**-2), 0.05, 8.0)
    mean_one: Floats = slope / slope.mean()
    return mean_one


def alike(effects: Effects, questions: Questions) -> Questions:
    """Return questions that differ in nothing but their noise, as it is learnt."""
    return Questions(ONES, _learnt_noise(effects, questions, own=False), ONES)


def by_spread(effects: Effects, questions: Questions) -> Questions:
    """Return questions whose slopes follow the spread of their scores, noise as it is learnt."""
    noise = _learnt_noise(effects, questions, own=True)
    often = _bounded(noise**0.5)
    slope = noise / often  # so that answers weigh slope / noise = 1 / often
    return Questions(slope / slope.mean(), noise, often)


def by_slope(effects: Effects, questions: Questions) -> Questions:
    """Return questions with slopes and noise as they are learnt."""
    return most_telling(_learnt_slope(effects, questions), _learnt_noise(effects, questions, own=False))


def unchanged(_: Effects, questions: Questions) -> Questions:
    """Return what was held for true before."""
    return questions
