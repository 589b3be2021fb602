"""How often the intervals of experiments hold the truth: means, differences, shares of the gap, crossings.

    python -m search.bench.experiment_intervals --samples 2000

Scores are made up: draws, questions and the rest of each answer are normal, the latter two with a standard deviation of
1.5, as MT-Bench's have about. A difference is to a condition without draws, on the same
questions. The true share of the gap is a half; the true crossing lies between two n.
"""

import argparse
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.statistics.crossing import crossing
from search.statistics.draws import Draws, difference_of_draws, mean_of_draws, share_of_gap

_CONFIDENCE = 0.95
_SPREAD = 1.5  # of questions, and of the rest
_COUNTS, _GAINS = (3, 10, 30, 100), (-0.6, -0.3, 0.3, 0.6)
_CROSSING = math.sqrt(300)
Floats = NDArray[np.float64]


def _named(table: Floats) -> Draws:
    return {draw: {f"q{at}": float(score) for at, score in enumerate(row)} for draw, row in enumerate(table)}


def held(draws: int, questions: int, spread: float, random: np.random.Generator) -> tuple[bool, bool, bool]:
    """Whether the intervals of a mean, a difference and a share hold the truth, in one made-up experiment.

    Args:
        spread: standard deviation of draws.
    """
    of_questions = random.normal(0, _SPREAD, questions)
    reached = 7 + random.normal(0, spread, (draws, 1)) + of_questions + random.normal(0, _SPREAD, (draws, questions))
    base = 6 + of_questions + random.normal(0, _SPREAD, (1, questions))
    target = 8 + of_questions + random.normal(0, _SPREAD, (1, questions))
    mean = mean_of_draws(_named(reached), _CONFIDENCE)
    difference = difference_of_draws(_named(reached), _named(base), _CONFIDENCE)
    share = share_of_gap(_named(reached), _named(base), _named(target), _CONFIDENCE)
    assert mean is not None
    assert difference is not None
    assert share is not None
    gain = difference.estimate
    return mean.low <= 7 <= mean.high, gain.low <= 1 <= gain.high, share.low <= 0.5 <= share.high


def crosses(draws: int, questions: int, spread: float, random: np.random.Generator) -> bool:
    """Whether the interval of a crossing holds the true one, in one made-up experiment."""
    shape = (draws, len(_COUNTS), questions)
    of_questions, own = random.normal(0, _SPREAD, (2, questions))
    first, second = (
        6 + of_questions + random.normal(0, spread, (*shape[:2], 1)) + random.normal(0, _SPREAD, shape)
        for _ in range(2)
    )
    second += np.array(_GAINS)[None, :, None] + own
    estimated = crossing(_COUNTS, first, second, _CONFIDENCE)
    return estimated.low <= _CROSSING <= estimated.high


def table(draws: Sequence[int], questions: Sequence[int], spreads: Sequence[float], samples: int) -> str:
    """Coverage in Markdown, in per cent, a line for each number of draws and questions and each spread."""
    lines = ["| draws | questions | spread of draws | mean | difference | share | crossing |", "|---" * 7 + "|"]
    random = np.random.default_rng(0)
    for count in draws:
        for number in questions:
            for spread in spreads:
                hits = np.array([held(count, number, spread, random) for _ in range(samples)]).mean(axis=0)
                few = max(1, samples // 5)  # a bootstrap each
                crossed = sum(crosses(count, number, spread, random) for _ in range(few)) / few
                shown = " | ".join(f"{100 * share:.1f}" for share in (*hits, crossed))
                lines.append(f"| {count} | {number} | {spread:g} | {shown} |")
    return "\n".join(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m search.bench.experiment_intervals", description=__doc__)
    parser.add_argument("--draws", nargs="+", type=int, default=[2, 3, 5])
    parser.add_argument("--questions", nargs="+", type=int, default=[80])
    parser.add_argument("--spreads", nargs="+", type=float, default=[0, 0.1, 0.3, 1])
    parser.add_argument("--samples", type=int, default=2000)
    arguments = parser.parse_args()
    print(table(arguments.draws, arguments.questions, arguments.spreads, arguments.samples))


if __name__ == "__main__":
    main()
