"""The table of all searches, ours and others'."""

from collections.abc import Sequence
from math import isfinite
from statistics import fmean

from search.bench.peers.searches import PeerOutcome
from search.statistics.estimates import Estimate, estimate, unpaired_difference

_CONFIDENCE = 0.95


def peers_table(outcomes: Sequence[PeerOutcome], base: float) -> str:
    """A Markdown table: held-out score of each method at each budget, and the first method's minus it.

    Args:
        base: the base prompt's own held-out score.
    """
    groups: dict[tuple[int, str, str], list[PeerOutcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.budget, outcome.system, outcome.method), []).append(outcome)
    ours = next((own for own in outcomes if own.budget), None)
    lines = [
        f"The base prompt alone: {base:.2f}. Intervals: 95 %, over seeds.",
        "",
        "| budget | system | method | judged answers | added | held-out score | ours minus it | seeds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (budget, system, method), own in sorted(groups.items(), key=lambda group: group[0][0]):
        scores = [outcome.held_out for outcome in own]
        first = [
            done.held_out
            for done in outcomes
            if ours is not None and (done.system, done.method, done.budget) == (ours.system, ours.method, budget)
        ]
        gap = None if own[0].held_out in first else unpaired_difference(first, scores, _CONFIDENCE)
        cells = (
            f"{budget:,}" if budget else "-",
            system,
            method,
            f"{fmean(outcome.used for outcome in own):,.0f}",
            f"{fmean(outcome.size for outcome in own):.1f}",
            _shown(estimate(scores, _CONFIDENCE)),
            _shown(gap, signed=True),
            str(len(own)),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _shown(value: Estimate | None, signed: bool = False) -> str:
    if value is None:
        return ""
    sign = "+" if signed else ""
    if not isfinite(value.low):
        return f"{value.mean:{sign}.2f}"
    return f"{value.mean:{sign}.2f} [{value.low:{sign}.2f}, {value.high:{sign}.2f}]"
