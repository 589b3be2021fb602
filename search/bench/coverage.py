"""How often intervals of a mean hold it, for few questions and scores of every kind.

    python -m search.bench.coverage --samples 20000

Populations: yes-or-no scores, ratings from 1 to 10 at the top of the scale, in its middle, and with rare bad ones, and
paired differences of yes-or-no scores. "t" is Student's interval, "ours" the one that knows the ends of the scale.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.statistics.intervals import Bounds, mean_interval

_CONFIDENCE = 0.95
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Population:
    """Scores that a judge may give, on a scale.

    Attributes:
        values, shares: [m] each; shares sum to 1.
        bounds: of the scale.
    """

    values: Floats
    shares: Floats
    bounds: Bounds

    @property
    def mean(self) -> float:
        return float(self.values @ self.shares)


def _yes_or_no(share: float) -> Population:
    return Population(np.array([0.0, 1.0]), np.array([1 - share, share]), (0.0, 1.0))


def _ratings(middle: float, spread: float) -> Population:
    """A normal opinion, rounded to a scale from 1 to 10 and cut off at its ends."""
    opinions = np.random.default_rng(0).normal(middle, spread, 400_000)
    values, counts = np.unique(np.clip(np.round(opinions), 1, 10), return_counts=True)
    return Population(values, counts / counts.sum(), (1.0, 10.0))


def _difference(first: float, second: float) -> Population:
    """The difference of independent yes-or-no scores with these shares of yes."""
    win, loss = first * (1 - second), second * (1 - first)
    return Population(np.array([-1.0, 0.0, 1.0]), np.array([loss, 1 - win - loss, win]), (-1.0, 1.0))


POPULATIONS: Mapping[str, Population] = {
    "yes 5 %": _yes_or_no(0.05),
    "yes 10 %": _yes_or_no(0.1),
    "yes 50 %": _yes_or_no(0.5),
    "yes 90 %": _yes_or_no(0.9),
    "ratings, middle": _ratings(6, 1.8),
    "ratings, high": _ratings(9, 2),
    "ratings, ceiling": _ratings(10, 1.5),
    "ratings, at the ceiling": _ratings(11, 2),
    "10, a tenth 7": Population(np.array([7.0, 10.0]), np.array([0.1, 0.9]), (1.0, 10.0)),
    "yes 15 % minus yes 5 %": _difference(0.15, 0.05),
    "yes 90 % minus yes 95 %": _difference(0.9, 0.95),
}


def covered(population: Population, count: int, samples: int, *, knows_bounds: bool, seed: int = 0) -> float:
    """Return the share of samples of `count` scores whose interval holds the population's mean."""
    drawn = np.random.default_rng(seed).choice(population.values, p=population.shares, size=(samples, count))
    bounds, mean = population.bounds if knows_bounds else None, population.mean
    ends = (mean_interval(sample, _CONFIDENCE, bounds) for sample in drawn)
    return sum(low - 1e-9 <= mean <= high + 1e-9 for low, high in ends) / samples


def table(counts: Sequence[int], samples: int) -> str:
    """Coverage in Markdown, a line a population."""
    lines = ["| scores | " + " | ".join(f"n {count}: t, ours" for count in counts) + " |"]
    lines.append("|---" * (1 + len(counts)) + "|")
    for name, population in POPULATIONS.items():
        cells = [
            ", ".join(
                f"{100 * covered(population, count, samples, knows_bounds=knows_bounds):.1f}"
                for knows_bounds in (False, True)
            )
            for count in counts
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m search.bench.coverage", description=__doc__)
    parser.add_argument("--counts", nargs="+", type=int, default=[8, 10, 20, 48, 80], help="questions, n")
    parser.add_argument("--samples", type=int, default=4000)
    arguments = parser.parse_args()
    print(table(arguments.counts, arguments.samples))


if __name__ == "__main__":
    main()
