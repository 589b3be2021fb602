"""A report as one HTML file that needs nothing else: no network, no server."""

import json
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from search.report import numbers
from search.report.doubts import doubts
from search.report.drawing import Picture
from search.report.evidence import SIDES
from search.report.figures import pictures
from search.report.findings import Findings
from search.report.sentences import summary

MOST_CANDIDATES = 200


def page(findings: Findings) -> str:
    """The whole file. Whatever a model, a judge or a data set said is escaped."""
    shown = pictures(findings)
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            f=findings,
            pictures=shown,
            summary=summary(findings),
            doubts=doubts(findings),
            sides=SIDES,
            numbers=numbers,
            most=MOST_CANDIDATES,
            style=Markup(_part("page.css")),  # noqa: S704 -- our own file
            script=Markup(_part("page.js")),  # noqa: S704
            plotly=Markup(get_plotlyjs()) if shown else "",  # noqa: S704
            manifest=json.dumps(findings.evidence.manifest, indent=1, ensure_ascii=False),
        )
    )


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
