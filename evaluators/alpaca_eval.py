"""The figures of AlpacaEval's leaderboard, from annotations in its own format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from evaluators.question import Question

Annotation = Mapping[str, Any]
"""A row with `preference` from 1 (the baseline) to 2, None where there is none; for the length-controlled rate also
`output_1`, `output_2`, `generator_1`, `generator_2`, `annotator`."""


ANNOTATOR = "weighted_alpaca_eval_gpt4_turbo"


@dataclass(frozen=True, slots=True)
class WinRate:
    """AlpacaEval's win rates of one model.

    Attributes:
        percent: mean preference for the model, 0 to 100; NaN where there is none.
        standard_error: of it, over instructions, in percent; NaN for fewer than two.
        count: instructions with a preference.
    """

    percent: float
    standard_error: float
    count: int


@dataclass(frozen=True, slots=True)
class Absent:
    """A figure that cannot be had here, and why."""

    reason: str


def annotation(question: Question, answer: str, score: float, model: str, baseline: str) -> Annotation:
    """One of ours in AlpacaEval's format.

    Args:
        question: with its baseline's answer.
        score: of the judge `alpaca_eval`, 0 to 1.
        model, baseline: names of the two.
    """
    return {
        "instruction": question.query,
        "dataset": question.category,
        "output_1": question.baseline,
        "generator_1": baseline,
        "output_2": answer,
        "generator_2": model,
        "annotator": ANNOTATOR,
        "preference": score + 1,
    }


def win_rate(annotations: Sequence[Annotation]) -> WinRate:
    """The leaderboard's `win_rate` and `standard_error`: 0 is its older way to write a draw, 1.5."""
    preferences = [
        float(annotation["preference"] or 1.5) - 1 for annotation in annotations if annotation["preference"] is not None
    ]
    count = len(preferences)
    error = 100 * stdev(preferences) / sqrt(count) if count > 1 else float("nan")
    return WinRate(100 * fmean(preferences) if preferences else float("nan"), error, count)


def length_controlled_win_rate(annotations: Sequence[Annotation]) -> WinRate | Absent:
    """What the package `alpaca_eval` computes (Dubois et al. 2024), with files that it fetches from a hub; never
    anything else, since an imitation without those files is off by several points.

    Args:
        annotations: of all instructions in the benchmark's own order, which is how the package knows them.
    """
    try:
        from alpaca_eval.metrics import get_length_controlled_winrate  # noqa: PLC0415 -- optional, heavy

        figures = get_length_controlled_winrate([dict(annotation) for annotation in annotations], save_weights_dir=None)
    except ImportError as error:
        return Absent(f"the package alpaca_eval cannot be imported ({error}): pip install alpaca_eval 'setuptools<81'")
    except Exception as error:  # the package raises whatever the hub, pandas and scikit-learn raise
        return Absent(f"the package alpaca_eval could not compute it ({type(error).__name__}: {error})")
    return WinRate(
        float(figures["length_controlled_winrate"]), float(figures["lc_standard_error"]), int(figures["n_total"])
    )
