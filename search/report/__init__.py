"""What a run has found, to be read by people and shown to others."""

from pathlib import Path
from typing import Literal

from search.report.evidence import read_evidence
from search.report.findings import Findings, find

Format = Literal["html", "md"]


def report(path: Path, form: Format = "html") -> str:
    """The report on the run at `path`, whatever its state: an HTML page that needs nothing else, or Markdown.

    Raises:
        InputError: there is no run.
    """
    return write(find(read_evidence(path)), form)


def write(findings: Findings, form: Format) -> str:
    """Findings in this form."""
    if form == "md":
        from search.report.markdown import markdown  # noqa: PLC0415 -- chosen by the caller

        return markdown(findings)
    from search.report.page import page  # noqa: PLC0415 -- plotly

    return page(findings)
