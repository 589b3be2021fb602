"""What every report says, whatever its form: what stands first, and its sections."""

from dataclasses import dataclass

from search.report.caveats import caveats
from search.report.document import Section
from search.report.evaluation.findings import EvaluationFindings
from search.report.evaluation.sections import evaluation_sections
from search.report.evaluation.sentences import evaluation_caveats, evaluation_summary
from search.report.findings import Findings
from search.report.sections import search_sections
from search.report.sentences import summary


@dataclass(frozen=True, slots=True)
class Opening:
    """The sentences at the top of a report.

    Attributes:
        summary: the few sentences to take home.
        caveats: what a sceptic should know; none where there is no reason.
    """

    summary: list[str]
    caveats: list[str]


def opening(findings: Findings | EvaluationFindings) -> Opening:
    """Put the findings of a search or an evaluation into words."""
    if isinstance(findings, Findings):
        return Opening(summary(findings), caveats(findings))
    return Opening(evaluation_summary(findings), evaluation_caveats(findings))


def sections(findings: Findings | EvaluationFindings) -> list[Section]:
    """Put the findings of a search or an evaluation into sections."""
    return search_sections(findings) if isinstance(findings, Findings) else evaluation_sections(findings)
