"""The report on a run in each of its forms: an HTML page, Markdown, figures as files."""

from pathlib import Path
from typing import Literal

from search.report.evaluation.findings import EvaluationFindings, find_evaluation
from search.report.findings import Findings, find
from search.results.evaluation_results import read_evaluation_results
from search.results.printable import printable
from search.results.search_results import read_search_results
from search.run_directory.run import is_evaluation

Format = Literal["html", "md"]


def report(path: Path | str, form: Format = "html") -> str:
    """The report on the run at `path`, whatever its state: an HTML page that needs nothing else, or Markdown.

    Raises:
        InputError: there is no run.
    """
    return write(read(Path(path)), form)


def save_figures(path: Path | str, folder: Path | str) -> list[Path]:
    """Every figure of that report as PNG and SVG, in `folder`, which is made where there is none.

    Raises:
        InputError: there is no run, what draws them is missing, or the folder cannot be written.
    """
    from search.report.forms.image_files import write_pictures  # noqa: PLC0415 -- plotly
    from search.report.forms.page import pictures  # noqa: PLC0415 -- plotly

    return write_pictures(pictures(read(Path(path))), Path(folder))


def read(path: Path) -> Findings | EvaluationFindings:
    """What the search or the evaluation at `path` has found. Raises InputError where there is no run."""
    return find_evaluation(read_evaluation_results(path)) if is_evaluation(path) else find(read_search_results(path))


def write(findings: Findings | EvaluationFindings, form: Format) -> str:
    """Findings in this form; nothing that a model, a judge or a data set said steers a terminal that shows it."""
    if form == "md":
        from search.report.forms.markdown import markdown  # noqa: PLC0415 -- chosen by the caller

        return printable(markdown(findings))
    from search.report.forms.page import page  # noqa: PLC0415 -- plotly

    return printable(page(findings))
