"""What all figures have in common. Colours suit a light and a dark page; the page sets those of text and grid."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.basedatatypes import BaseTraceType

from evaluators.ledger.queries import Stretch
from search.report.numbers import Numbers
from search.results.labels import shortened
from search.statistics.estimates import Estimate

FIRST, SECOND, THIRD, FOURTH, PALE = "#3f8fd2", "#d4762c", "#3d9e72", "#a06cc0", "#8b929c"
LONGEST = 18  # characters of a label beside an axis


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure.

    Attributes:
        name: of its file, and of its place in the page.
        says: what it shows, in a sentence.
    """

    name: str
    figure: go.Figure
    says: str


def drawn(traces: Sequence[BaseTraceType], height: int) -> go.Figure:
    """Traces on an empty ground, as wide as there is room."""
    axis = {"automargin": True, "zeroline": False, "fixedrange": True}
    layout = {
        "template": "none",
        "height": height,
        "margin": {"l": 8, "r": 12, "t": 12, "b": 8},
        "font": {"size": 12},
        "hoverlabel": {"align": "left"},
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": axis,
        "yaxis": axis,
    }
    return go.Figure(list(traces), layout)


def forest(rows: Sequence[str], groups: Sequence[go.Scatter], row_height: int, title: str) -> go.Figure:
    """Groups of intervals, row by row, beside a line at zero."""
    figure = drawn([group for group in groups if group.x], 115 + row_height * len(rows))
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[label(row) for row in rows],
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
    )
    figure.update_xaxes(title=title)
    figure.add_vline(0, line={"color": PALE, "width": 1.5})
    return figure


def intervals(
    name: str,
    rows: Sequence[str],
    values: Sequence[Estimate | None],
    numbers: Numbers,
    offsets: Sequence[float],
    chosen_for: bool = False,
    colour: str = FIRST,
) -> go.Scatter:
    """Means with their intervals, one row each, from the top down.

    Args:
        offsets: from the middle of the row.
        chosen_for: not to be taken at face value: pale and hollow.
    """
    shown = [
        (at + offset, row, value)
        for at, (row, value, offset) in enumerate(zip(rows, values, offsets, strict=True))
        if value is not None
    ]
    colour = PALE if chosen_for else colour
    symbol = "circle-open" if chosen_for else "circle"
    return go.Scatter(
        name=name,
        x=[value.mean for _, _, value in shown],
        y=[at for at, _, _ in shown],
        error_x=whiskers([value for _, _, value in shown]),
        mode="markers",
        marker={"color": colour, "size": 9, "symbol": symbol, "line": {"width": 2, "color": colour}},
        text=[
            f"{html.escape(row)}<br>{numbers.gain(value.mean)} "
            f"({numbers.interval(value, signed=True) or 'no interval'}), n = {value.n}"
            for _, row, value in shown
        ],
        hovertemplate=f"{name}: %{{text}}<extra></extra>",
    )


def whiskers(values: Sequence[Estimate]) -> dict[str, object]:
    """Error bars; none where there is no interval."""
    above = [value.high - value.mean for value in values]
    below = [value.mean - value.low for value in values]
    return {
        "type": "data",
        "symmetric": False,
        "array": [width if math.isfinite(width) else 0.0 for width in above],
        "arrayminus": [width if math.isfinite(width) else 0.0 for width in below],
        "thickness": 1.6,
        "width": 0,
    }


def label(text: str) -> str:
    """Text for an axis: short, and nothing but text."""
    return html.escape(shortened(text, LONGEST))


def throughput_picture(stretches: Sequence[Stretch]) -> Picture | None:
    """None without any."""
    if not stretches:
        return None
    unit, seconds = ("minutes", 60) if stretches[-1].start < 7200 else ("hours", 3600)
    bars = go.Bar(
        x=[(stretch.start + stretch.seconds / 2) / seconds for stretch in stretches],
        y=[stretch.tokens / stretch.seconds for stretch in stretches],
        width=[stretch.seconds / seconds * 0.92 for stretch in stretches],
        marker={"color": FIRST, "line": {"width": 0}},
        hovertemplate="%{y:,.0f} tokens/s<extra></extra>",
    )
    figure = drawn([bars], 240)
    figure.update_xaxes(title=f"{unit} since the first answer")
    figure.update_yaxes(title="tokens/s")
    return Picture("throughput", figure, "Tokens generated per second over time; a gap is a time without answers.")
