"""Landscapes with known truth: what a judge would say of any candidate, and what it would say on average.

A landscape is drawn once from a seed. Its score of (candidate, question, repeat) is a fixed number, however often and
in whatever order it is asked for, as with a ledger behind it. Before noise, the score of demonstrations c_1 ... c_n on
question q is

    level + d_q + s_q * bend(n^-dilution * sum_j [(1 + recency * x_j) * a_{c_j} + x_j * b_{c_j}]
                             + sqrt(2 / n) * pairs + own) + n^-1/2 * sum_j g_{c_j, q}

with d_q the question's level, s_q > 0 how much the prompt matters for it, a_c the demonstration's effect, x_j in
[-1, 1] its position (1 is last), b_c its taste for a position, `pairs` over all pairs (a symmetric term, one that
changes sign with their order, a loss for similarity above 0.3), `own` what this set does beyond all that and what a mix
of styles costs it, and g_cq what a demonstration does to one question alone, which no held-out question shares.
bend(v) = v / (1 + v / saturation) for v > 0. Noise is normal with a spread of its own for each question; the judge then
rounds to its scale. Where the judge drifts, its level moves with the moment at which it is asked, in [0, 1]: up or down
by half of `drift` in a line and by the other half in a wave, both drawn with the landscape.

The defaults are anchored on measurements: question levels spread by 1.5 points on a scale of 1 to 10, single additions
by 0.15 to 0.19 (Zhao et al., ICLR 2025), a judge's rating of the same text by 0.5 and with sampling by about 1.
"""

from collections.abc import Sequence
from copy import copy
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from search.bench.landscapes import LandscapeKnobs
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_OTHER_JUDGE = 0.5  # correlation of two judges' noise on one answer
_SAME_ANSWER = 0.87  # correlation of the noise of two verdicts on one answer: 0.5 of 1 point is the judge's own


class Landscape:
    """One landscape, drawn.

    Args:
        pool: demonstrations, N >= 1.
        search, held_out: questions of either kind.
        further: questions of the same kind that nobody is asked; they stand for all there could be.
    """

    def __init__(
        self, knobs: LandscapeKnobs, seed: int, *, pool: int, search: int = 80, held_out: int = 80, further: int = 0
    ) -> None:
        self.knobs = knobs
        self.pool = tuple(f"d{number:04}" for number in range(pool))
        self.search = tuple(f"q{number:03}" for number in range(search))
        self.held_out = tuple(f"h{number:03}" for number in range(held_out))
        self.further = tuple(f"f{number:05}" for number in range(further))
        self._index = {name: number for number, name in enumerate(self.pool)}
        self._question = {name: number for number, name in enumerate((*self.search, *self.held_out, *self.further))}
        self._salt = np.uint64(_mixed(np.array([seed + 1], dtype=np.uint64))[0])
        draw = np.random.default_rng(seed)
        topics = _unit(draw.normal(size=(knobs.topics, knobs.embedding_size)))
        self.embedding = self._draw_embedding(draw, topics, pool)
        self._draw_demonstrations(draw, pool)
        self._style: Ints = np.random.default_rng([seed, knobs.styles]).integers(knobs.styles, size=pool)
        self._draw_pairs(draw, pool)
        self._draw_questions(draw, topics, (search, held_out, further))

    def _draw_embedding(self, draw: np.random.Generator, topics: Floats, count: int) -> Floats:
        around = topics[draw.integers(len(topics), size=count)]
        return _unit(around + draw.normal(size=around.shape) * self.knobs.topic_width)

    def _draw_demonstrations(self, draw: np.random.Generator, pool: int) -> None:
        knobs = self.knobs
        explained = _standardised(self.embedding @ draw.normal(size=knobs.embedding_size))
        free = draw.standard_t(knobs.effect_tail, size=pool) * np.sqrt(1 - 2 / knobs.effect_tail)
        share = knobs.explained_share
        effect = knobs.effect_spread * (np.sqrt(share) * explained + np.sqrt(1 - share) * free)
        effect -= (draw.random(pool) < knobs.harmful) * draw.uniform(0.2, 0.8, size=pool)
        effect[draw.integers(pool)] += knobs.decisive
        self.effect: Floats = effect
        self._taste = knobs.position_spread * draw.normal(size=pool)

    def _draw_pairs(self, draw: np.random.Generator, pool: int) -> None:
        knobs = self.knobs
        similarity = np.maximum(self.embedding @ self.embedding.T - 0.3, 0) / 0.7
        symmetric = np.triu(draw.normal(size=(pool, pool)), 1) * knobs.pair_spread
        ordered = np.triu(draw.normal(size=(pool, pool)), 1) * knobs.order_spread
        self._pairs = symmetric + symmetric.T + ordered - ordered.T - knobs.similarity_loss * similarity

    def _draw_questions(self, draw: np.random.Generator, topics: Floats, counts: Sequence[int]) -> None:
        """Each part from draws of its own, so that more of the last changes nothing in the first."""
        knobs = self.knobs
        mixing = draw.normal(size=(knobs.embedding_size, knobs.embedding_size))
        parts = [
            self._draw_part(part, topics, mixing, count) for part, count in zip(draw.spawn(3), counts, strict=True)
        ]
        self.question_embedding, self._level, self._sensitivity, self._noise = (
            np.concatenate([part[place] for part in parts]) for place in range(4)
        )
        self._alone = np.concatenate([part[4] for part in parts], axis=1)

    def _draw_part(
        self, draw: np.random.Generator, topics: Floats, mixing: Floats, count: int
    ) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        knobs = self.knobs
        about = self._draw_embedding(draw, topics, count)
        level = knobs.level + knobs.question_spread * draw.normal(size=count)
        shape = knobs.sensitivity_spread**-2
        sensitivity = draw.gamma(shape, 1 / shape, size=count)
        noise = knobs.noise * np.exp(knobs.noise_variation * draw.normal(size=count))
        shared = self.embedding @ mixing @ about.T
        if count:
            shared = _standardised(shared - shared.mean(axis=1, keepdims=True))  # what all questions share is in a_c
        alone = np.sqrt(0.3) * shared + np.sqrt(0.7) * draw.normal(size=shared.shape)
        return about, level, sensitivity, noise, knobs.question_effect_spread * alone

    def under_another_judge(self, agreement: float, length: float, seed: int) -> Self:
        """The same pool and questions in another judge's eyes.

        Args:
            agreement: correlation of effects, of pairs and of what single questions gain, in [0, 1].
            length: spread of what only the other judge sees in each demonstration, in points.
        """
        other, draw = copy(self), np.random.default_rng([seed, 2])
        dealt, own = draw.permutation(len(self.pool)), (1 - agreement**2) ** 0.5

        def mixed(values: Floats, anew: Floats) -> Floats:
            middle = values.mean()
            combined: Floats = middle + agreement * (values - middle) + own * (anew - middle)
            return combined

        other.effect = mixed(self.effect, self.effect[dealt]) + length * draw.normal(size=len(dealt))
        other._taste = mixed(self._taste, self._taste[dealt])
        other._pairs = mixed(self._pairs, self._pairs[np.ix_(dealt, dealt)])
        other._alone = mixed(self._alone, self._alone[dealt])
        other._level, other._noise = draw.permutation(self._level), draw.permutation(self._noise)
        return other

    def space(self, max_added: int) -> SearchSpace:
        """All ordered choices of up to `max_added`; the base prompt has no demonstrations of its own."""
        return SearchSpace(base=(), pool=self.pool, questions=self.search, insert_at=0, max_added=max_added)

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest score that the judge can give."""
        return self.knobs.lowest, self.knobs.lowest + self.knobs.step * len(self.knobs.thresholds)

    def score(self, trial: Trial, repeat: int = 0, *, moment: float = 0.0) -> ScoredTrial:
        """What the judge says, asked at this moment of the search, in [0, 1]; nothing ever fails here."""
        chosen = self._numbers(trial.candidate)
        asked = np.array([self._question[name] for name in trial.questions])
        key = self._key(chosen[None])[0] + np.uint64(repeat)
        noise = _normal(_mixed(key ^ (asked.astype(np.uint64) << np.uint64(32))))
        if trial.again:  # the answer stays, what the judge makes of it is drawn anew
            anew = _normal(_mixed(_mixed(key ^ (asked.astype(np.uint64) << np.uint64(32))) + np.uint64(trial.again)))
            noise = _SAME_ANSWER * noise + (1 - _SAME_ANSWER**2) ** 0.5 * anew
        if trial.screening:
            anew = _normal(_mixed(_mixed(key ^ (asked.astype(np.uint64) << np.uint64(32))) - np.uint64(1)))
            noise = _OTHER_JUDGE * noise + (1 - _OTHER_JUDGE**2) ** 0.5 * anew
        before = self._before_noise(chosen[None], asked)[0] + self._drifted(moment)
        stated = self._stated(before + self._noise[asked] * noise)
        scores = dict(zip(trial.questions, stated.tolist(), strict=True))
        return ScoredTrial(trial, scores, {}, float(stated.mean()))

    def _drifted(self, moment: float) -> float:
        phase, sign = float(self._salt >> np.uint64(40)) / 2**24, 1 if int(self._salt) & 1 else -1
        wave = np.sin(2 * np.pi * (moment + phase)) - np.sin(2 * np.pi * phase)
        return self.knobs.drift * (sign * moment / 2 + float(wave) / 4)

    def _stated(self, noisy: Floats) -> Floats:
        passed = np.searchsorted(np.array(self.knobs.thresholds), noisy, side="left").astype(float)
        passed_scores: Floats = self.knobs.lowest + self.knobs.step * passed
        return passed_scores

    def truth(self, candidate: Candidate, questions: Sequence[str], moment: float = 0.0) -> float:
        """Mean score over these questions and over all the noise there could be; exact. `moment` as `score` takes it:
        at 0 the judge has not drifted."""
        return float(self.truths(self._numbers(candidate)[None], questions, moment)[0])

    def truths(self, sets: Ints, questions: Sequence[str], moment: float = 0.0) -> Floats:
        """`truth` of many sets of one size: [B, n] numbers of demonstrations, in order, to [B]."""
        asked = np.array([self._question[name] for name in questions])
        parts = [self._mean_stated(sets[start : start + 500], asked, moment) for start in range(0, len(sets), 500)]
        return np.concatenate(parts)

    def _mean_stated(self, sets: Ints, asked: Ints, moment: float) -> Floats:
        before, noise = self._before_noise(sets, asked) + self._drifted(moment), self._noise[asked]
        passed = np.zeros(len(sets))
        for threshold in self.knobs.thresholds:
            passed += ndtr((before - threshold) / noise).mean(axis=1)
        stated: Floats = self.knobs.lowest + self.knobs.step * passed
        return stated

    def _before_noise(self, sets: Ints, asked: Ints) -> Floats:
        """[B, n] and [m] to [B, m]."""
        size = sets.shape[1]
        score: Floats = self._level[asked] + self._sensitivity[asked] * self._worth(sets)[:, None]
        for place in range(size):
            score = score + self._alone[sets[:, place][:, None], asked] / size**0.5
        return score

    def _worth(self, sets: Ints) -> Floats:
        """What a set does to a question of sensitivity 1: [B, n] to [B]."""
        knobs, size = self.knobs, sets.shape[1]
        if size == 0:
            return np.zeros(len(sets))
        place = np.linspace(-1, 1, size) if size > 1 else np.zeros(1)
        alone = self.effect[sets] * (1 + knobs.recency * place) + self._taste[sets] * place
        worth: Floats = alone.sum(axis=1) * size**-knobs.dilution
        if size > 1:
            first, second = np.triu_indices(size, 1)
            worth = worth + np.sqrt(2 / size) * self._pairs[sets[:, first], sets[:, second]].sum(axis=1)
            mixed = self._style[sets[:, first]] != self._style[sets[:, second]]
            worth = worth - knobs.style_loss * mixed.mean(axis=1)
        worth = worth + knobs.set_spread * _normal(self._key(np.sort(sets, axis=1)))
        bent = worth / (1 + np.maximum(worth, 0) / knobs.saturation)
        return np.where(worth > 0, bent, worth)

    def _key(self, sets: Ints) -> NDArray[np.uint64]:
        """A number that nothing but this landscape and this ordered set has: [B, n] to [B]."""
        key = np.full(len(sets), self._salt)
        for place in range(sets.shape[1]):
            key = _mixed(key ^ (sets[:, place].astype(np.uint64) + np.uint64(1)))
        return key

    def _numbers(self, candidate: Candidate) -> Ints:
        return np.array([self._index[name] for name in candidate.demonstrations], dtype=np.int64)

    def ceiling(self, size: int) -> Candidate:
        """The best set that noise-free greedy steps, then swaps and moves, find on the search questions."""
        chosen: list[int] = []
        for _ in range(size):
            further = np.array([[*chosen, number] for number in range(len(self.pool)) if number not in chosen])
            chosen = further[self.truths(further, self.search).argmax()].tolist()
        best, gained = self.truths(np.array([chosen]), self.search)[0], True
        while gained:
            near = self._neighbours(chosen)
            truths = self.truths(near, self.search)
            gained = bool(truths.max() > best + 1e-9)
            if gained:
                best, chosen = truths.max(), near[truths.argmax()].tolist()
        return Candidate(tuple(self.pool[name] for name in chosen))

    def _neighbours(self, chosen: Sequence[int]) -> Ints:
        """One demonstration exchanged for one of the strongest, or moved."""
        strongest = [number for number in np.argsort(-self.effect)[: max(30, 3 * len(chosen))] if number not in chosen]
        near = []
        for place in range(len(chosen)):
            rest = [*chosen[:place], *chosen[place + 1 :]]
            near += [[*chosen[:place], int(effect), *chosen[place + 1 :]] for effect in strongest]
            near += [[*rest[:to], chosen[place], *rest[to:]] for to in range(len(chosen)) if to != place]
        return np.array(near)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser (Steele, Lea and Flood 2014): every bit of the input reaches every bit of the output."""
    with np.errstate(over="ignore"):
        values = values + np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _normal(bits: NDArray[np.uint64]) -> Floats:
    """Standard normal numbers from evenly spread ones."""
    normal: Floats = ndtri(((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)
    return normal


def _unit(rows: Floats) -> Floats:
    unit: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _standardised(values: Floats) -> Floats:
    standardised: Floats = (values - values.mean()) / (values.std() or 1.0)
    return standardised
