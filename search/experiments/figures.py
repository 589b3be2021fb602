"""One figure a measure: lines over n, a forest of intervals, or a heat map."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from search.experiments.cell import cell_name, spell
from search.experiments.count_axis import CountAxis
from search.experiments.crossing import MethodCrossing, crossings
from search.experiments.gap import Share, SharesByMeasure, name_of, printed_of_holes, show_share
from search.experiments.results import ExperimentResults, Measure, ResultRow
from search.experiments.toys import has_toys
from search.report.drawing import FIRST, FOURTH, PALE, SECOND, THIRD, Picture, drawn, whiskers
from search.report.numbers import Numbers

_COLOURS = (FIRST, SECOND, THIRD, FOURTH, "#b5493f", "#5a7d9a", "#7a6a3a", "#d48fb0")
TOY = "A toy's numbers: they claim nothing about language models."


def pictures(results: ExperimentResults, shares: SharesByMeasure) -> list[Picture]:
    """Pictures in the order of the measures; none for a measure without a score."""
    made = []
    for measure in results.measures:
        rows = [row for row in results.rows if row.measure == measure and _is_drawn(row)]
        if any(row.score is not None for row in rows):
            kind = results.experiment.figure
            figure = (
                _shares(results, measure, shares[measure]) if kind == "shares" else _DRAW[kind](results, measure, rows)
            )
            if has_toys(results.config):
                _say_toy(figure)
            name = measure.name.lower().replace(" ", "-")
            papers = f" {_PAPERS[kind]}" if results.config.paper_model else ""
            made.append(Picture(name, figure, f"{measure.name}. {_SAYS[kind]}{papers}"))
    return made


def _is_drawn(row: ResultRow) -> bool:
    """Whether the row has a score of ours or, where ours is a hole, the paper's figure."""
    return row.score is not None or row.printed is not None


def _say_toy(figure: go.Figure) -> None:
    """Say that it is a toy's below the title of the last trace's horizontal axis, for which plotly makes room."""
    axis = figure.layout[(figure.data[-1].xaxis or "x").replace("x", "xaxis", 1)]
    axis.title.text += f"<br><span style='font-size: 11px; color: {PALE}'>{TOY}</span>"


_SAYS = {
    "lines": "Means with their intervals over questions and draws.",
    "forest": "Means with their intervals over questions and draws.",
    "shares": "0 % is the base model, 100 % the instruct model.",
    "heatmap": "Means with their intervals.",
}
_DIAMONDS = "Hollow diamonds are the paper's figures."
_PAPERS = {
    "lines": _DIAMONDS,
    "forest": _DIAMONDS,
    "shares": _DIAMONDS,
    "heatmap": "The paper's figures stand in brackets.",
}


def _lines(results: ExperimentResults, measure: Measure, rows: Sequence[ResultRow]) -> go.Figure:
    x = results.experiment.x
    axis = CountAxis.of([float(row.condition[x]) for row in rows], results.experiment.has_log_x)
    figure = drawn([], 420)
    for at, series in enumerate(_series(rows, x)):
        colour = _COLOURS[at % len(_COLOURS)]
        points = sorted((row for row in rows if _series_of(row, x) == series), key=lambda row: float(row.condition[x]))
        ours = [row for row in points if row.score is not None]
        scores = [row.score for row in ours if row.score is not None]
        figure.add_trace(
            go.Scatter(
                name=series,
                x=axis.places([row.condition[x] for row in ours]),
                customdata=[row.condition[x] for row in ours],
                y=[score.mean for score in scores],
                error_y=whiskers(scores),
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"color": colour, "size": 8},
                hovertemplate=f"{series}, n = %{{customdata}}: %{{y:.2f}}<extra></extra>",
            )
        )
        printed = [row for row in points if row.printed is not None]
        if printed:
            places = axis.places([row.condition[x] for row in printed])
            figure.add_trace(_printed(places, [row.printed for row in printed], colour))
    for crossing in crossings(results, measure):
        _mark(figure, crossing, axis)
    figure.update_xaxes(title=results.experiment.x_name, **axis.layout())
    figure.update_yaxes(title=measure.name)
    return figure


def _mark(figure: go.Figure, method_crossing: MethodCrossing, axis: CountAxis) -> None:
    """Mark the n at which fine-tuning overtakes, and as much of its interval as lies inside the range."""
    at = method_crossing.crossing
    if at is None or not at.is_inside:
        return
    figure.add_vline(at.at, line={"color": PALE, "width": 1.5, "dash": "dash"})
    text = {"text": method_crossing.method, "showarrow": False, "xanchor": "left", "yanchor": "top"}
    figure.add_annotation(x=axis.annotation(at.at), y=1, yref="y domain", **text)
    low, high = max(at.low, at.first), min(at.high, at.last)
    figure.add_vrect(low, high, fillcolor=PALE, opacity=0.12, line_width=0)


def _printed(x: Sequence[object], y: Sequence[object], colour: str) -> go.Scatter:
    return go.Scatter(
        name="the paper's",
        x=list(x),
        y=list(y),
        mode="markers",
        marker={"symbol": "diamond-open", "size": 9, "color": colour},
        showlegend=False,
        hovertemplate="the paper: %{y:.2f}<extra></extra>",
    )


def _series_of(row: ResultRow, x: str) -> str:
    return ", ".join(spell(value) for name, value in row.condition.items() if name != x)


def _series(rows: Sequence[ResultRow], x: str) -> list[str]:
    return list(dict.fromkeys(_series_of(row, x) for row in rows))


def _forest(_: ExperimentResults, measure: Measure, rows: Sequence[ResultRow]) -> go.Figure:
    names = [_series_of(row, "") for row in rows]
    numbers = Numbers.fitting([row.score.mean for row in rows if row.score is not None])
    scored = [(at, names[at], row.score) for at, row in enumerate(rows) if row.score is not None]
    scores = [score for _, _, score in scored]
    ours = go.Scatter(
        name="ours",
        x=[score.mean for score in scores],
        y=[at for at, _, _ in scored],
        error_x=whiskers(scores),
        mode="markers",
        marker={"color": FIRST, "size": 9},
        text=[f"{name}: {numbers.score(score.mean)}" for _, name, score in scored],
        hovertemplate="%{text}<extra></extra>",
    )
    figure = drawn([ours], 120 + 28 * len(rows))
    printed = [(row.printed, at) for at, row in enumerate(rows) if row.printed is not None]
    if printed:
        figure.add_trace(_printed([value for value, _ in printed], [at for _, at in printed], PALE))
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=names, range=[len(rows) - 0.5, -0.5], showgrid=False)
    figure.update_xaxes(title=measure.name)
    return figure


def _shares(results: ExperimentResults, measure: Measure, shares: Sequence[Share]) -> go.Figure:
    """Shares of the gap, beside lines at nothing and at all of it; shares without bounds are left to the table."""
    finite = [share for share in shares if share.share is not None and math.isfinite(share.share.low)]
    values = [share.share for share in finite if share.share is not None]
    absent = printed_of_holes(results, measure)
    names = [
        name_of(condition) for condition in (*(share.condition for share in finite), *(hole for hole, _ in absent))
    ]
    ours = go.Scatter(
        name="ours",
        x=[share.mean for share in values],
        y=list(range(len(values))),
        error_x=whiskers(values),
        mode="markers",
        marker={"color": FIRST, "size": 9},
        text=[f"{name}: {show_share(share)}" for name, share in zip(names, values, strict=False)],
        hovertemplate="%{text}<extra></extra>",
    )
    figure = drawn([ours], 120 + 28 * len(names))
    printed = [(share.printed, at) for at, share in enumerate(finite) if share.printed is not None]
    printed += [(share, at) for at, (_, share) in enumerate(absent, start=len(finite))]
    if printed:
        figure.add_trace(_printed([value for value, _ in printed], [at for _, at in printed], PALE))
    for line in (0, 1):
        figure.add_vline(line, line={"color": PALE, "width": 1.5})
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5], showgrid=False
    )
    figure.update_xaxes(title=f"{measure.name}: share of the gap from base to instruct model", tickformat=".0%")
    return figure


def _heatmaps(results: ExperimentResults, _: Measure, rows: Sequence[ResultRow]) -> go.Figure:
    """One a combination of the other labels, on one scale of colours."""
    x, y = results.experiment.x, results.experiment.y
    facets = list(dict.fromkeys(_facet(row, x, y) for row in rows))
    columns = min(2, len(facets))
    lines = -(-len(facets) // columns)
    figure = make_subplots(rows=lines, cols=columns, subplot_titles=facets, vertical_spacing=0.3 / lines)
    means = [row.score.mean for row in rows if row.score is not None]
    for at, facet in enumerate(facets):
        some = [row for row in rows if _facet(row, x, y) == facet]
        xs, ys = (list(dict.fromkeys(spell(row.condition[label]) for row in some)) for label in (x, y))
        by_place = {(spell(row.condition[x]), spell(row.condition[y])): row for row in some}
        figure.add_trace(
            go.Heatmap(
                x=xs,
                y=ys,
                z=[[_mean(by_place.get((x, y))) for x in xs] for y in ys],
                text=[[_hover_text(by_place.get((x, y))) for x in xs] for y in ys],
                texttemplate="%{text}",
                coloraxis="coloraxis",
            ),
            row=at // columns + 1,
            col=at % columns + 1,
        )
        holes = [row for row in some if row.score is None]
        figure.add_trace(
            go.Scatter(
                x=[spell(row.condition[x]) for row in holes],
                y=[spell(row.condition[y]) for row in holes],
                text=[f"({row.printed:.2f})" for row in holes],
                mode="text",
                showlegend=False,
                hoverinfo="skip",
            ),
            row=at // columns + 1,
            col=at % columns + 1,
        )
    figure.update_layout(
        drawn([], 90 + 220 * lines).layout, coloraxis={"colorscale": "Viridis", "cmin": min(means), "cmax": max(means)}
    )
    figure.update_layout(margin_t=34)  # titles stand above the first line
    figure.update_xaxes(title=x, type="category")
    figure.update_yaxes(title=y, type="category")
    return figure


def _facet(row: ResultRow, x: str, y: str) -> str:
    return cell_name({name: value for name, value in row.condition.items() if name not in {x, y}}, None)


def _mean(row: ResultRow | None) -> float | None:
    return None if row is None or row.score is None else row.score.mean


def _hover_text(row: ResultRow | None) -> str:
    if row is None or row.score is None:
        return ""
    mean = f"{row.score.mean:.2f}" + ("" if row.printed is None else f" ({row.printed:.2f})")
    return f"{mean}<br><sub>{row.score.low:.2f} to {row.score.high:.2f}</sub>" if math.isfinite(row.score.low) else mean


_DRAW = {"lines": _lines, "forest": _forest, "heatmap": _heatmaps}
