"""The report as Markdown: the same numbers, and nothing that answers could break."""

from pathlib import Path

from search.report.forms import report
from tests.search.report.made_run import MadeRun
from tests.search.report.test_findings import finished

HOSTILE = "a | b\n```\n# not a heading <script>*"


def test_markdown_tells_what_the_page_tells(tmp_path: Path) -> None:
    text = report(finished(tmp_path).write(), "md")
    assert "the winner beats the base prompt: +1.08 points" in text
    assert "| **winner**: a, base 1 | 5.08 (" in text
    assert "| prose | held-out | 4.50 (" in text
    for heading in ("Result", "The search", "Candidates", "Categories", "Answers side by side", "Cost", "Failures"):
        assert f"\n## {heading}\n" in text


def test_a_fence_is_longer_than_any_in_what_it_holds(tmp_path: Path) -> None:
    run = MadeRun(
        tmp_path / "run",
        {"g1": HOSTILE, "g2": "plain"},
        {"h1": ""},
        lambda names, _: float(len(names)),
        lambda names, question: f"{'+'.join(names)} {question} {HOSTILE}",
    )
    run.search()
    run.search("a")
    lines = report(run.write(ended=False), "md").splitlines()
    assert any(
        line.startswith("- The search has stopped") and "; `demosearch resume` goes on." in line for line in lines
    )
    inside, headings = "", []
    for line in lines:
        if inside:
            inside = "" if line == inside else inside
        elif line.startswith("```"):
            inside = line.removesuffix("text")
        elif line.startswith("#"):
            headings.append(line)
    assert not inside
    assert not any("not a heading" in line for line in headings)
    rows = [line for line in lines if line.startswith("| a \\| b ")]
    assert len(rows) == 1
    assert all("<script>" not in row for row in rows)
