"""The findings as pictures."""

import html
import math
from collections.abc import Callable, Sequence

import numpy as np
import plotly.graph_objects as go

from configs.plural import show_many
from search.report.allocation_figures import asked_picture, demonstrations_picture
from search.report.candidates import CandidateScore, HeatMap
from search.report.contributions import Contribution
from search.report.drawing import FIRST, PALE, SECOND, Picture, drawn, forest, intervals, label, throughput_picture
from search.report.findings import Findings
from search.report.history import Milestone
from search.report.numbers import count

_ROWS = 24  # of contributions
_NAMED_QUESTIONS = 120  # more have no room beside a heat map
_GAIN = "gain over the base prompt, points"
_CHOSEN_FOR = "search (chosen for it)"


def search_pictures(findings: Findings) -> dict[str, Picture]:
    """Pictures by name, those for which the run has anything to show."""
    makers: tuple[Callable[[Findings], Picture | None], ...] = (
        _gains,
        _history,
        demonstrations_picture,
        asked_picture,
        _contributions,
        _questions,
        _categories,
        _lengths,
        lambda findings: throughput_picture(findings.costs.throughput),
    )
    return {picture.name: picture for make in makers if (picture := make(findings)) is not None}


def _gains(findings: Findings) -> Picture | None:
    others = [finalist for finalist in findings.finalists if finalist.search_gain or finalist.held_out_gain]
    if not others:
        return None
    rows, numbers = [finalist.role for finalist in others], findings.numbers
    held_out = intervals(
        "held-out", rows, [finalist.held_out_gain for finalist in others], numbers, [-0.13] * len(rows)
    )
    search = intervals(
        _CHOSEN_FOR, rows, [finalist.search_gain for finalist in others], numbers, [0.13] * len(rows), True
    )
    figure = forest(rows, [held_out, search], 62, _GAIN)
    return Picture("gains", figure, "Paired gain over the base prompt, held-out and search questions apart.")


def _categories(findings: Findings) -> Picture | None:
    rows = list(dict.fromkeys(row.category for row in findings.categories))
    if not rows:
        return None
    gains = {(row.category, row.side): row.gain for row in findings.categories}
    labels, numbers = [row or "no category" for row in rows], findings.numbers
    held_out, search = ([gains.get((row, side)) for row in rows] for side in ("held_out", "search"))
    groups = [
        intervals("held-out", labels, held_out, numbers, [-0.13] * len(rows)),
        intervals(_CHOSEN_FOR, labels, search, numbers, [0.13] * len(rows), True),
    ]
    figure = forest(labels, groups, 38, _GAIN)
    return Picture("categories", figure, "Paired gain over the base prompt, category by category.")


def _contributions(findings: Findings) -> Picture | None:
    contributions = findings.contributions
    if contributions is None:
        return None
    rows, numbers = _most_telling(contributions.demonstrations), findings.numbers
    labels = [findings.labels.demonstration(row.demonstration) for row in rows]
    offsets = [0.18 if row.in_winner else 0.0 for row in rows]
    groups = [
        intervals("in the winner", labels, [row.in_winner for row in rows], numbers, [-0.18] * len(rows)),
        intervals("alone", labels, [row.alone for row in rows], numbers, offsets, True),
    ]
    figure = forest(labels, groups, 26, "contribution, points")
    says = "What demonstrations add: alone to a prompt without them, and to the winner."
    return Picture("contributions", figure, says)


def _most_telling(rows: Sequence[Contribution]) -> list[Contribution]:
    """The winner's, then the best and the worst of the others."""
    chosen = [row for row in rows if row.place is not None]
    others = [row for row in rows if row.place is None]
    room = max(0, _ROWS - len(chosen))
    worst = room // 3 if len(others) > room else 0
    return chosen + others[: room - worst] + others[len(others) - worst :]


def _history(findings: Findings) -> Picture | None:
    milestones = findings.history.milestones
    if not milestones:
        return None
    figure = drawn([*_band(milestones), _best_so_far(findings)], 340)
    figure.add_hline(0, line={"color": PALE, "dash": "dot", "width": 1.5})
    place = {"x": 1, "xref": "paper", "y": 0, "xanchor": "right", "yanchor": "top"}
    figure.add_annotation(text="base prompt", showarrow=False, **place)
    _mark_greedy(figure, findings)
    figure.update_yaxes(title=_GAIN)
    says = (
        "Search gain of the best candidate so far, with its interval, against judged generations: paired with the base "
        "prompt on the questions that the candidate had met by then. It was chosen for its gain, so the curve lies too "
        "high."
    )
    if (falls := findings.history.falls) > 0:
        times = "once" if falls == 1 else f"{falls:,} times"
        says += (
            f" The curve falls {times}: a leader was scored on further questions, on which its gain was smaller, or "
            "another candidate took the lead with more evidence behind it."
        )
    return Picture("history", figure, says)


def _band(milestones: Sequence[Milestone]) -> list[go.Scatter]:
    """A band from low to high ends of the interval."""
    gains = [milestone.gain for milestone in milestones]
    lows = [gain.low if gain.n > 1 else gain.mean for gain in gains]
    highs = [gain.high if gain.n > 1 else gain.mean for gain in gains]
    shared = {
        "x": [milestone.judged for milestone in milestones],
        "mode": "lines",
        "hoverinfo": "skip",
        "showlegend": False,
    }
    line = {"width": 0, "shape": "hv"}
    return [
        go.Scatter(y=lows, line=line, **shared),
        go.Scatter(y=highs, line=line, fill="tonexty", fillcolor="rgba(63,143,210,0.18)", **shared),
    ]


def _best_so_far(findings: Findings) -> go.Scatter:
    milestones, numbers = findings.history.milestones, findings.numbers
    return go.Scatter(
        name="best so far",
        x=[milestone.judged for milestone in milestones],
        y=[milestone.gain.mean for milestone in milestones],
        mode="lines",
        line={"color": FIRST, "width": 2.5, "shape": "hv"},
        text=[
            f"{numbers.gain(milestone.gain.mean)} ({numbers.interval(milestone.gain, signed=True)}), "
            f"n = {milestone.gain.n}"
            for milestone in milestones
        ],
        hovertemplate="%{x:,} judged: %{text}<extra></extra>",
    )


def _mark_greedy(figure: go.Figure, findings: Findings) -> None:
    """What exhaustive greedy search would have taken; on a logarithmic axis where that is far away."""
    greedy, judged = findings.history.greedy, findings.history.judged
    far = greedy is not None and greedy > 4 * max(judged, 1)
    figure.update_xaxes(title="judged generations")
    if far:
        figure.update_xaxes(title="judged generations, logarithmic", type="log", dtick=1)
    if greedy is None:
        return
    figure.add_vline(greedy, line={"color": SECOND, "dash": "dash", "width": 1.5})
    place = {"x": math.log10(greedy) if far else greedy, "y": 1, "yref": "paper", "xanchor": "right", "yanchor": "top"}
    figure.add_annotation(text=f"exhaustive greedy<br>{count(greedy)}", showarrow=False, align="right", **place)


def _questions(findings: Findings) -> Picture | None:
    heat_map = findings.heat_map
    if heat_map is None:
        return None
    columns, rows = len(heat_map.candidates), len(heat_map.questions)
    heat = go.Heatmap(
        z=np.array(heat_map.scores, dtype=float),  # NaN is a gap
        x=list(range(columns)),
        y=list(range(rows)),
        colorscale="Cividis",
        colorbar={"orientation": "h", "thickness": 10, "y": 1.0, "yanchor": "bottom", "len": 0.6},
        xgap=1,
        ygap=1,
        text=np.array(_cells(findings, heat_map), dtype=object),
        hovertemplate="%{text}<extra></extra>",
    )
    figure = drawn([heat], 150 + max(200, min(1600, 15 * rows)))
    ticks = [at for at in range(columns) if at in (0, 1) or at % 5 == 0]
    names = [_rank(heat_map.candidates[at]) for at in ticks]
    figure.update_xaxes(title="candidate, by rank", tickvals=ticks, ticktext=names, tickangle=0, showgrid=False)
    ids = [label(question) for question in heat_map.questions] if rows <= _NAMED_QUESTIONS else []
    figure.update_yaxes(tickvals=list(range(len(ids))), ticktext=ids, tickfont={"size": 9}, showgrid=False)
    figure.update_yaxes(autorange="reversed")
    says = (
        f"Score of each search question (row) with the base prompt and {show_many(columns - 1, 'other candidate')} "
        "(columns)."
    )
    return Picture("questions", figure, says)


def _rank(candidate: CandidateScore) -> str:
    return "base" if candidate.rank is None else str(candidate.rank)


def _cells(findings: Findings, heat_map: HeatMap) -> list[list[str]]:
    """What each cell tells when pointed at."""
    candidates = [html.escape(findings.labels.candidate(row.candidate)) for row in heat_map.candidates]
    in_words = len(heat_map.questions) <= _NAMED_QUESTIONS
    questions = [
        html.escape(findings.labels.question(question) if in_words else question) for question in heat_map.questions
    ]
    return [
        [
            f"{question}<br>{candidate}<br>{findings.numbers.score(score)}"
            for candidate, score in zip(candidates, row, strict=True)
        ]
        for question, row in zip(questions, heat_map.scores, strict=True)
    ]


def _lengths(findings: Findings) -> Picture | None:
    rows = [row for row in findings.candidates if row.length is not None and row.score is not None]
    if len(rows) < 2:
        return None
    marked = {finalist.candidate: finalist.role for finalist in (findings.base, findings.best) if finalist}
    groups = [_dots(findings, "other candidates", PALE, [row for row in rows if row.candidate not in marked])]
    for (candidate, role), colour in zip(marked.items(), (SECOND, FIRST), strict=False):
        groups.append(_dots(findings, role, colour, [row for row in rows if row.candidate == candidate]))
    figure = drawn([group for group in groups if group.x], 340)
    figure.update_xaxes(title="mean length of the answers, characters")
    figure.update_yaxes(title="search score")
    return Picture("lengths", figure, "Mean length of the answers and search score of every candidate.")


def _dots(findings: Findings, name: str, colour: str, rows: Sequence[CandidateScore]) -> go.Scatter:
    pale = colour == PALE
    return go.Scatter(
        name=name,
        x=[row.length for row in rows],
        y=[row.score.mean for row in rows if row.score],
        mode="markers",
        marker={"color": colour, "size": 7 if pale else 12, "opacity": 0.6 if pale else 1},
        text=[html.escape(findings.labels.candidate(row.candidate)) for row in rows],
        hovertemplate="%{text}<br>%{x:.0f} characters, %{y:.2f}<extra></extra>",
    )
