"""Whether it pays to ask the questions that tell most, and how much of that can be learnt from a search's own answers.

    python -m search.bench.informative_questions --landscapes mixed unequal preference --seeds 200

Groups of three demonstrations are judged on blocks of questions, as `screening` does first. A regression in which each
question has a level, a slope s_q and a variance of its noise h_q, both relative to the average question's, tells
effects. Ways to choose questions, all with the same number of answers:

    alike             all equally often; s_q = 1, h_q learnt and shrunk to 1, as `screening` does
    known             in proportion to s_q^2 / h_q, both as they truly are: what there is to be gained
    by spread         in proportion to the learnt sqrt(h_q), with s_q = sqrt(h_q): then the estimate weighs each answer
                      by one over how likely its question was to be asked, so that it is of all questions' mean whatever
                      their slopes are (Neyman 1934; Horvitz and Thompson 1952)
    by slope          in proportion to s_q^2 / h_q, s_q learnt from how a question's scores go with what sets are
                      expected to do, shrunk to 1 (a two-parameter item-response model; EM)
    by earlier sets   the same, learnt from other sets' answers to all questions beforehand, which come on top

None is asked more than four times as often as the average, and all at least 0.3 times. "Correlation" is that of effects
told and true ones, "gain" the true gain of the three best told over the base prompt; both with 95 % intervals, paired.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean

import numpy as np

from search.bench.landscape import Floats, Landscape
from search.bench.landscapes import LANDSCAPES
from search.bench.question_slopes import (
    ALIKE,
    QUESTIONS,
    Effects,
    GroupScores,
    Questions,
    alike,
    by_slope,
    by_spread,
    most_telling,
    regress,
    unchanged,
)
from search.problem.candidate import Candidate
from search.problem.trial import Trial
from search.statistics.estimates import Estimate, estimate

_FURTHER, _GROUP, _BLOCK, _ROUNDS, _DILUTION = 400, 3, 8, 6, 0.37
_CONFIDENCE = 0.95

Learn = Callable[[Effects, Questions], Questions]


def _true_questions(landscape: Landscape) -> Questions:
    slope, noise = landscape.base_moments(landscape.search)
    return most_telling(*(np.maximum(values / values.mean(), 0.02) for values in (slope, noise)))


class _Study:
    """One landscape and what is asked of it."""

    def __init__(self, name: str, seed: int, pool: int) -> None:
        self.landscape = Landscape(LANDSCAPES[name], seed, pool=pool, search=QUESTIONS, further=_FURTHER)
        self._seed, self._pool = seed, pool
        self._base = self.landscape.truth(Candidate(()), self.landscape.further)
        self.effects = self._true_effects()

    def _true_effects(self) -> Floats:
        """The mean truth of ten random groups that hold a demonstration, [N]."""
        draw, groups = np.random.default_rng(self._seed), []
        for number in range(self._pool):
            for _ in range(10):
                others = draw.permutation(self._pool - 1)[: _GROUP - 1]
                groups.append(draw.permutation([number, *(others + (others >= number))]))
        truths = self.landscape.truths(np.array(groups), self.landscape.further)
        means: Floats = truths.reshape(self._pool, 10).mean(axis=1)
        return means

    def gain(self, worths: Floats) -> float:
        """The true gain of the three that seem best."""
        best = np.argsort(-worths)[:_GROUP][::-1]
        return float(self.landscape.truths(best[None], self.landscape.further)[0]) - self._base

    def ask(self, answers: GroupScores, group: Sequence[int], questions: Sequence[int]) -> None:
        """Have a group judged."""
        names = tuple(self.landscape.search[number] for number in questions)
        members = Candidate(tuple(self.landscape.pool[number] for number in group))
        scores = self.landscape.score(Trial(members, names)).scores
        features = np.zeros(1 + self._pool)
        features[[0, *(1 + np.array(group, dtype=int))]] = [len(group), *[1] * len(group)]
        features *= max(1, len(group)) ** -_DILUTION
        for number, name in zip(questions, names, strict=True):
            answers.features.append(features)
            answers.asked.append(number)
            answers.scores.append(scores[name])

    def search(self, count: int, questions: Questions, learn: Learn) -> Effects:
        """Have groups judged, and learn of questions, round by round; `count` judged answers, the base prompt's
        included."""
        draw = np.random.default_rng([self._seed, 1])
        answers, dealt = GroupScores(), list[int]()
        met = np.zeros((self._pool, QUESTIONS))
        self.ask(answers, (), range(QUESTIONS))
        blocks = (count - QUESTIONS) // _BLOCK
        for number in range(blocks):
            if len(dealt) < _GROUP:
                dealt = draw.permutation(self._pool).tolist()
            group, dealt = tuple(dealt[:_GROUP]), dealt[_GROUP:]
            wanted = (met[list(group)].sum(axis=0) + draw.random(QUESTIONS) * 0.5) / questions.often
            block = np.argsort(wanted)[:_BLOCK]
            met[np.ix_(np.array(group), block)] += 1
            self.ask(answers, group, block.tolist())
            if (number + 1) % max(1, blocks // _ROUNDS) == 0:
                questions = learn(regress(answers, questions), questions)
        return regress(answers, questions)

    def learnt_beforehand(self, sets: int) -> Questions:
        """What answers of so many sets to all questions tell of these."""
        draw, answers = np.random.default_rng([self._seed, 2]), GroupScores()
        for _ in range(sets):
            self.ask(answers, draw.permutation(self._pool)[:_GROUP].tolist(), range(QUESTIONS))
        questions = ALIKE
        for _ in range(3):
            questions = by_slope(regress(answers, questions), questions)
        return questions


@dataclass(frozen=True, slots=True)
class LearntEffects:
    """What one way of choosing questions achieved on one landscape."""

    correlation: float
    gain: float


def effects_learnt(name: str, seed: int, pool: int, count: int, sets: int) -> Mapping[str, LearntEffects]:
    """All rules for choosing questions on one landscape, with `count` answers each; the last learns from `sets`."""
    study = _Study(name, seed, pool)
    rules: Mapping[str, tuple[Questions, Learn]] = {
        "alike": (ALIKE, alike),
        "known": (_true_questions(study.landscape), unchanged),
        "by spread": (ALIKE, by_spread),
        "by slope": (ALIKE, by_slope),
        f"by {sets} earlier sets": (study.learnt_beforehand(sets), unchanged),
    }
    results = {}
    for rule, (questions, learn) in rules.items():
        worths = study.search(count, questions, learn).worths()
        results[rule] = LearntEffects(float(np.corrcoef(worths, study.effects)[0, 1]), study.gain(worths))
    return results


def table(name: str, count: int, seeds: Sequence[Mapping[str, LearntEffects]]) -> str:
    """A landscape's rows in Markdown."""
    lines = []
    for rule in seeds[0]:
        own, alike = [results[rule] for results in seeds], [results["alike"] for results in seeds]
        more = estimate([a.correlation - b.correlation for a, b in zip(own, alike, strict=True)], _CONFIDENCE)
        gained = estimate([a.gain - b.gain for a, b in zip(own, alike, strict=True)], _CONFIDENCE)
        cells = [name, count, rule, f"{fmean(a.correlation for a in own):.3f}", _interval(more)]
        cells += [f"{fmean(a.gain for a in own):+.4f}", _interval(gained)]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def _interval(value: Estimate | None) -> str:
    assert value is not None
    return f"{value.mean:+.4f} [{value.low:+.4f}, {value.high:+.4f}]"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m search.bench.informative_questions", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--landscapes", nargs="+", choices=list(LANDSCAPES), default=["mixed", "unequal", "preference"])
    parser.add_argument("--pool", type=int, default=50, help="demonstrations, N")
    parser.add_argument("--answers", nargs="+", type=int, default=[740], help="judged, the base prompt's 80 included")
    parser.add_argument("--earlier-sets", type=int, default=25, help="that the last rule learns from beforehand")
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--first-seed", type=int, default=0)
    arguments = parser.parse_args()
    print("| landscape | answers | questions chosen | correlation | more than alike | gain | more than alike |")
    print("|---" * 7 + "|")
    for name, count in product(arguments.landscapes, arguments.answers):
        seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
        print(
            table(
                name,
                count,
                [effects_learnt(name, seed, arguments.pool, count, arguments.earlier_sets) for seed in seeds],
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
