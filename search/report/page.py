"""A report as one HTML file that needs nothing else: no network, no server."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from search.report import numbers
from search.report.drawing import Picture
from search.report.evaluation.figures import evaluation_pictures
from search.report.evaluation.findings import EvaluationFindings
from search.report.figures import search_pictures
from search.report.findings import Findings
from search.report.opening import opening
from search.report.sentences import averaged, decoded
from search.results.journal_results import SIDES
from search.results.wording import show_many

MOST_CANDIDATES = 200


def page(findings: Findings | EvaluationFindings, *, for_renewal: bool = False) -> str:
    """The whole file. Whatever a model, a judge or a data set said is escaped.

    Args:
        for_renewal: leave the library that draws out, for a page that has it and takes over what has changed.
    """
    shown, results, first = pictures(findings), findings.results, opening(findings)
    own = _of_search(findings) if isinstance(findings, Findings) else _of_evaluation(findings)
    return (
        _environment()
        .get_template("search.html.jinja" if isinstance(findings, Findings) else "evaluation.html.jinja")
        .render(
            f=findings,
            results=results,
            status=findings.status,
            summary=first.summary,
            caveats=first.caveats,
            level=numbers.share(results.confidence),
            pictures=shown,
            numbers=numbers,
            many=show_many,
            style=Markup(_part("page.css")),  # noqa: S704 -- our own file
            script=Markup(_part("page.js")),  # noqa: S704
            plotly=Markup(get_plotlyjs()) if shown and not for_renewal else "",  # noqa: S704
            manifest=json.dumps(results.manifest, indent=1, ensure_ascii=False),
            **own,
        )
    )


def pictures(findings: Findings | EvaluationFindings) -> Mapping[str, Picture]:
    """Every figure of the page, by name."""
    return search_pictures(findings) if isinstance(findings, Findings) else evaluation_pictures(findings)


def _of_search(findings: Findings) -> dict[str, Any]:
    return {
        "decoded": decoded(findings),
        "averaged": averaged(findings),
        "way_on": "a resumed run must agree in all of it",
        "sides": SIDES,
        "most": MOST_CANDIDATES,
    }


def _of_evaluation(findings: EvaluationFindings) -> dict[str, Any]:
    return {
        "rated": [variant for variant in findings.variants if variant.win_rates is not None],
        "percent": numbers.Numbers(),
        "turns": max((len(variant.result.turns) for variant in findings.variants), default=0),
        "way_on": "the same command may add variants, and must agree in the rest",
    }


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("search.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["drawing"] = _drawing
    return environment


def _drawing(picture: Picture) -> Markup:
    """A figure as JSON that cannot end the script element it stands in."""
    return Markup(picture.figure.to_json().replace("<", "\\u003c"))  # noqa: S704


def _part(name: str) -> str:
    return (files("search.report") / name).read_text(encoding="utf-8")
