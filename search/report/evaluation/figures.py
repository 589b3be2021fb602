"""An evaluation's findings as pictures."""

import html
from collections.abc import Sequence

import plotly.graph_objects as go

from search.report.drawing import (
    FIRST,
    FOURTH,
    PALE,
    SECOND,
    THIRD,
    Picture,
    drawn,
    forest,
    intervals,
    label,
    throughput_picture,
    whiskers,
)
from search.report.evaluation.findings import EvaluationFindings

_COLOURS = (FIRST, SECOND, THIRD, FOURTH)


def evaluation_pictures(findings: EvaluationFindings) -> dict[str, Picture]:
    """Pictures by name, those for which the evaluation has anything to show."""
    throughput = throughput_picture(findings.costs.throughput)
    pictures = (_differences(findings), _categories(findings), _lengths(findings), throughput)
    return {picture.name: picture for picture in pictures if picture is not None}


def _differences(findings: EvaluationFindings) -> Picture | None:
    rows = [variant.name for variant in findings.others]
    if not rows:
        return None
    values = [variant.result.difference for variant in findings.others]
    group = intervals("difference", rows, values, findings.numbers, [0.0] * len(rows))
    figure = forest(rows, [group], 36, _over_first(findings))
    return Picture("differences", figure, "Paired difference of each variant to the first, over questions.")


def _categories(findings: EvaluationFindings) -> Picture | None:
    names = _most_different(findings)
    rows = list(dict.fromkeys(row.category for row in findings.categories))
    if not rows or not names:
        return None
    labels = [row or "no category" for row in rows]
    differences = {(row.category, row.variant): row.difference for row in findings.categories}
    groups = []
    for at, name in enumerate(names):
        offset = 0.6 * ((at + 0.5) / len(names) - 0.5)
        values = [differences[row, name] for row in rows]
        offsets = [offset] * len(rows)
        groups.append(intervals(label(name), labels, values, findings.numbers, offsets, colour=_COLOURS[at]))
    figure = forest(labels, groups, 20 + 18 * len(names), _over_first(findings))
    figure.update_layout(showlegend=True)
    fewer = f", of the {len(names)} that differ most" if len(names) < len(findings.others) else ""
    return Picture("categories", figure, f"Paired difference to the first variant by category{fewer}.")


def _most_different(findings: EvaluationFindings) -> Sequence[str]:
    """The most different variants, as many as there are colours, in their order."""
    sizes = {
        variant.name: abs(variant.result.difference.mean) for variant in findings.others if variant.result.difference
    }
    chosen = sorted(sizes, key=lambda name: -sizes[name])[: len(_COLOURS)]
    return [name for name in sizes if name in chosen]


def _over_first(findings: EvaluationFindings) -> str:
    assert findings.first is not None
    return f"difference to “{label(findings.first.name)}”, points"


def _lengths(findings: EvaluationFindings) -> Picture | None:
    rows = [(variant, variant.length, variant.result.score) for variant in findings.variants]
    shown = [
        (variant.name, length, score) for variant, length, score in rows if length is not None and score is not None
    ]
    if not shown:
        return None
    dots = go.Scatter(
        x=[length.mean for _, length, _ in shown],
        y=[score.mean for *_, score in shown],
        error_x=whiskers([length for _, length, _ in shown]) | {"color": PALE},
        error_y=whiskers([score for *_, score in shown]) | {"color": PALE},
        mode="markers+text",
        marker={"color": [SECOND, *[FIRST] * (len(shown) - 1)], "size": 9},
        text=[label(name) for name, *_ in shown],
        textposition="top right",
        cliponaxis=False,
        hovertext=[
            f"{html.escape(name)}<br>{length.mean:.0f} characters, {findings.numbers.score(score.mean)}"
            for name, length, score in shown
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    figure = drawn([dots], 360)
    figure.update_xaxes(title="mean length of the answers, characters")
    figure.update_yaxes(title="score")
    return Picture("lengths", figure, "Mean length of the answers and score of each variant, with intervals.")
