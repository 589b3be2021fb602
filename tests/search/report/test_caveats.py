"""What a reader should doubt, in words."""

from dataclasses import replace
from pathlib import Path

import pytest

from search.report.caveats import caveats
from search.report.findings import Findings
from search.report.forms import read
from tests.search.view.folder import made_search


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (1, "1 score was added by `retry-failed` after the search, which chose without it."),
        (2, "2 scores were added by `retry-failed` after the search, which chose without them."),
    ],
)
def test_scores_that_came_after_the_choice_are_said(tmp_path: Path, scores: int, said: str) -> None:
    findings = read(made_search(tmp_path / "run", "a"))
    assert isinstance(findings, Findings)
    assert said in caveats(replace(findings, status=replace(findings.status, amended=scores)))
