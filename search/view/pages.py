"""The pages of the view, from templates; whatever a model, a judge or a data set said is escaped."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment

from configs.plural import show_many
from search.live import wording as live_wording
from search.live.eta import show_eta
from search.live.workers_view import show_doing, show_workers
from search.report.forms.templates import page_part, template_environment
from search.results.printable import printable
from search.results.wording import show_ends, show_estimate, show_gain, show_quantity, show_share, show_span
from search.view.compare import remarks
from search.view.word_diff import word_diff

_LIVE = (
    *("share_done", "show_against", "show_best", "show_done", "show_failed"),
    *("show_generation", "show_judging", "show_phase", "show_spent"),
)


def render(template: str, root: str, **values: Any) -> str:
    """A page as HTML.

    Args:
        root: from the page to the view's first page: "" or "../" as often as needed. Every link is relative, so that
            the pages work behind a tunnel, a proxy with a path, and as files.
        values: what the template names; `editing`, whether the page changes tags and notes, is False unless given.
    """
    return printable(_environment().get_template(template).render({"root": root, "editing": False, **values}))


def asset(name: str) -> str:
    """A stylesheet or script of the view; the report's own style is part of the view's."""
    own = (files("search.view") / "templates" / name).read_text(encoding="utf-8")
    if name == "view.css":
        return str(page_part("page.css")) + own
    return own


@cache
def _environment() -> Environment:
    environment = template_environment("search.view", "templates")
    environment.globals.update(show_estimate=show_estimate, many=show_many, show_gain=show_gain, word_diff=word_diff)
    environment.globals.update(show_ends=show_ends, remarks=remarks)
    environment.globals.update({name: getattr(live_wording, name) for name in _LIVE})
    environment.globals.update(show_eta=show_eta, show_doing=show_doing, show_workers=show_workers)
    environment.filters.update(
        share=show_share,
        span=show_span,
        age=lambda seconds: show_span(max(0.0, time.time() - seconds)),
        dollars=lambda value: show_quantity("dollars", value),
        day=_day,
        path=quote,
        query=_query,
    )
    return environment


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _query(values: Mapping[str, Any], always: Sequence[str] = ()) -> str:
    """What is set, for a link; these also where they are 0."""
    empty = ("", None, False, 0, "asked")
    return urlencode({name: value for name, value in values.items() if name in always or value not in empty})
