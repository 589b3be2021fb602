"""What an experiment leaves in its directory: tables, page and figures."""

import logging
from pathlib import Path
from typing import Any

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from configs.atomic_file import remove_drafts, write_whole
from configs.errors import InputError
from search.experiments import crossing, gap, searches_table
from search.experiments.figures import pictures
from search.experiments.markdown import csv_table, markdown, summary, tables
from search.experiments.results import ExperimentResults
from search.experiments.results_json import to_json
from search.experiments.table import Table
from search.report.drawing import Picture
from search.report.forms.image_files import write_pictures
from search.report.forms.templates import page_part, picture_json, template_environment
from search.results.printable import printable
from search.run_directory.files import write_json

_FILES = ("table.md", "table.csv", "table.json", "page.html")

_log = logging.getLogger(__name__)


def write_all(results: ExperimentResults, path: Path, images: bool) -> None:
    """`table.md`, `table.csv`, `table.json` and `page.html`; and `figures/` with PNG and SVG.

    Args:
        images: write the figures too; where nothing on this machine draws them, that is said, and the page has them.
    """
    remove_drafts(path, _FILES)
    shares = gap.shares_by_measure(results)
    paragraphs, shown_tables, shown = [*summary(results, shares)], tables(results, shares), pictures(results, shares)
    write_whole(path / "table.md", printable(markdown(results, paragraphs, shown_tables)), durable=False)
    write_whole(path / "table.csv", printable(csv_table(results, shares)), durable=False)
    parts = {
        "shares": gap.to_json(shares),
        "crossings": crossing.to_json(results),
        "searches": searches_table.to_json(results.found_sets),
    }
    write_json(path / "table.json", to_json(results) | {name: rows for name, rows in parts.items() if rows})
    write_whole(path / "page.html", printable(page(results, paragraphs, shown_tables, shown)), durable=False)
    if images and shown:
        try:
            write_pictures({picture.name: picture for picture in shown}, path / "figures")
        except InputError as error:
            _log.warning("no PNG or SVG: %s", error)


def page(results: ExperimentResults, paragraphs: list[str], shown_tables: list[Table], shown: list[Picture]) -> str:
    """One file that opens offline. Whatever a config or a failure said is escaped."""
    environment = template_environment("search.experiments")
    by_name = {picture.name: picture for picture in shown}
    return environment.get_template("page.html.jinja").render(
        results=results,
        summary=paragraphs,
        tables=[
            {
                "name": table.name,
                "head": table.head,
                "rows": table.rows,
                **_drawn(by_name.get(table.name.lower().replace(" ", "-"))),
            }
            for table in shown_tables
        ],
        style=page_part("page.css"),
        script=page_part("page.js"),
        plotly=Markup(get_plotlyjs()) if shown else "",  # noqa: S704 -- the library's own
    )


def _drawn(picture: Picture | None) -> dict[str, Any]:
    if picture is None:
        return {"picture": None, "drawing": ""}
    return {"picture": picture, "drawing": picture_json(picture)}
