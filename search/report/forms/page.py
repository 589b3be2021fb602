"""A report as one HTML file that needs nothing else: no network, no server."""

from collections.abc import Mapping
from functools import cache

from jinja2 import Environment
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from search.report import numbers
from search.report.document import Block
from search.report.drawing import Picture
from search.report.evaluation.figures import evaluation_pictures
from search.report.evaluation.findings import EvaluationFindings
from search.report.figures import search_pictures
from search.report.findings import Findings
from search.report.forms.opening import opening, sections
from search.report.forms.templates import page_part, picture_json, template_environment
from search.report.markup import code_spans

_MOST_ROWS = 200


def page(findings: Findings | EvaluationFindings, *, for_renewal: bool = False) -> str:
    """The whole file. Whatever a model, a judge or a data set said is escaped.

    Args:
        for_renewal: leave the library that draws out, for a page that has it and takes over what has changed.
    """
    shown, first = pictures(findings), opening(findings)
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            status=findings.status,
            summary=first.summary,
            caveats=first.caveats,
            sections=sections(findings),
            pictures=shown,
            most=_MOST_ROWS,
            numbers=numbers,
            style=page_part("page.css"),
            script=page_part("page.js"),
            plotly=Markup(get_plotlyjs()) if shown and not for_renewal else "",  # noqa: S704
        )
    )


def pictures(findings: Findings | EvaluationFindings) -> Mapping[str, Picture]:
    """Every figure of the page, by name."""
    return search_pictures(findings) if isinstance(findings, Findings) else evaluation_pictures(findings)


@cache
def _environment() -> Environment:
    environment = template_environment("search.report.forms")
    environment.filters |= {"drawing": picture_json, "coded": _coded, "kind": _kind}
    return environment


def _kind(block: Block) -> str:
    """The macro that shows it."""
    return type(block).__name__.lower()


def _coded(words: str) -> Markup:
    """Escaped, but for backticks, which mark code."""
    spans = (Markup("<code>{}</code>").format(part) if is_code else escape(part) for part, is_code in code_spans(words))
    return Markup("").join(spans)
