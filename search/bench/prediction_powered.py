"""Held-out gains with a cheap judge as control variate: how often intervals hold the truth, and how wide they are.

    python -m search.bench.prediction_powered --counts 20 80 --further 1 3

Differences of two prompts on a scale from 1 to 10 are drawn for the judge (mean 0.4, spread 1.5, rounded) and for the
cheap judge, on n questions that both score and on so many times more that the cheap judge scores alone. "Width" is
relative to the interval of the judge's n alone, beside what the best weight would give without rounding,
sqrt(1 - correlation**2 * N / (n + N)); "unused" the share of samples that leave the cheap judge no weight.
"""

import argparse
from collections.abc import Sequence
from itertools import product
from math import sqrt

import numpy as np

from search.statistics.prediction_powered import prediction_powered

_CONFIDENCE, _BOUNDS = 0.95, (-9.0, 9.0)
_GAIN, _SPREAD = 0.4, 1.5


def table(
    counts: Sequence[int], further: Sequence[int], correlations: Sequence[float], samples: int, seed: int = 0
) -> str:
    """Coverage, width and share of samples without weight in Markdown, a line a case."""
    draw = np.random.default_rng(seed)
    lines = [
        "| n | N | correlation | plain covers | powered covers | width, best | unused |",
        "|---|---|---|---|---|---|---|",
    ]
    for count, times, correlation in product(counts, further, correlations):
        more = count * times
        held, widths = [], []
        for _ in range(samples):
            common, own = draw.normal(size=(2, count + more))
            judged = np.clip(np.round(_GAIN + _SPREAD * common[:count]), *_BOUNDS)
            screened = np.round(_SPREAD * (correlation * common + sqrt(1 - correlation**2) * own))
            names = [str(number) for number in range(count + more)]
            sides = (dict(zip(names, judged.tolist(), strict=False)), dict(zip(names, screened.tolist(), strict=True)))
            powered = prediction_powered(*sides, _CONFIDENCE, _BOUNDS)
            assert powered is not None
            held.append([gain.low <= _GAIN <= gain.high for gain in (powered.plain, powered.mean)])
            widths.append((powered.width, powered.weight == 0))
        plain, own_share = 100 * np.mean(held, axis=0)
        width, unused = np.mean(widths, axis=0)
        best = sqrt(1 - correlation**2 * more / (count + more))
        cells = (count, more, f"{correlation:g}", f"{plain:.1f} %", f"{own_share:.1f} %")
        lines.append("| " + " | ".join(map(str, cells)) + f" | {width:.2f}, {best:.2f} | {100 * unused:.0f} % |")
    return "\n".join(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m search.bench.prediction_powered", description=__doc__)
    parser.add_argument("--counts", nargs="+", type=int, default=[10, 20, 80], help="questions that both score, n")
    parser.add_argument(
        "--further", nargs="+", type=int, default=[1, 3], help="times n that the cheap one scores alone"
    )
    parser.add_argument("--correlations", nargs="+", type=float, default=[0.0, 0.3, 0.5, 0.8, 0.95])
    parser.add_argument("--samples", type=int, default=2000)
    arguments = parser.parse_args()
    print(table(arguments.counts, arguments.further, arguments.correlations, arguments.samples))


if __name__ == "__main__":
    main()
