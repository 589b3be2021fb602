"""The allocation of answers, drawn: a bar for each demonstration and for each question."""

import html
from collections.abc import Sequence

import plotly.graph_objects as go

from configs.plural import show_many
from search.report.allocation import AnswerShare
from search.report.drawing import FIRST, PALE, Picture, drawn
from search.report.findings import Findings

_NAMED = 40  # bars that have room for a name below
_LONGEST_TICK = 14
_HEIGHT = 230


def demonstrations_picture(findings: Findings) -> Picture | None:
    """Answers behind each demonstration; None where none varies."""
    allocation = findings.allocation
    if allocation is None or not allocation.demonstrations:
        return None
    shown = [share for share in allocation.demonstrations if share.answers]
    untried = len(allocation.demonstrations) - len(shown)
    labels = [findings.labels.demonstration(share.name) for share in shown]
    figure = _bars("demonstration, most answers first", shown, labels)
    says = "Search answers behind each demonstration: all candidates that have it together, the chosen ones in colour."
    if untried:
        says += f" {show_many(untried, 'demonstration')} of the pool {'has' if untried == 1 else 'have'} none."
    return Picture("allocation", figure, says)


def asked_picture(findings: Findings) -> Picture | None:
    """Answers to each search question; None before anything is scored."""
    allocation = findings.allocation
    if allocation is None:
        return None
    labels = [findings.labels.question(share.name) for share in allocation.questions]
    figure = _bars("search question, in the order of the data", allocation.questions, labels)
    fewest, most = (pick(share.answers for share in allocation.questions) for pick in (min, max))
    each = f"{most:,} each" if fewest == most else f"between {fewest:,} and {most:,} each"
    return Picture("asked", figure, f"Answers to each search question: {each}, {allocation.answers:,} in all.")


def _bars(axis: str, shares: Sequence[AnswerShare], labels: Sequence[str]) -> go.Figure:
    named = len(shares) <= _NAMED
    bars = go.Bar(
        x=list(range(len(shares))),
        y=[share.answers for share in shares],
        marker={"color": [FIRST if share.chosen else PALE for share in shares], "line": {"width": 0}},
        text=[
            f"{html.escape(label)}<br>{show_many(share.answers, 'answer')}, {show_many(share.candidates, 'candidate')}"
            for share, label in zip(shares, labels, strict=True)
        ],
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
    )
    figure = drawn([bars], _HEIGHT + (60 if named else 0))
    ticks = [html.escape(_short(share.name)) for share in shares] if named else []
    figure.update_xaxes(title=axis, tickvals=list(range(len(ticks))), ticktext=ticks, tickangle=-45, showgrid=False)
    figure.update_yaxes(title="answers", rangemode="tozero")
    return figure


def _short(name: str) -> str:
    """The end of an id, since that is where ids of one data file differ."""
    return name if len(name) <= _LONGEST_TICK else f"…{name[1 - _LONGEST_TICK :]}"
