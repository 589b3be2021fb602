"""What a model, a judge or a data set said steers neither a terminal that shows a report nor its reader's eye."""

from pathlib import Path

import pytest

from search.report.forms import report
from search.view.bundle import write_bundle
from tests.search.report.made_run import small_run

pytestmark = pytest.mark.heavy
EVIL = "\x1b[31mred\x1b]8;;http://evil\x07link\x9b2J\u202eabc\u2066"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = small_run(
        tmp_path_factory.mktemp("runs") / "run",
        lambda names, question: 5.0 + len(names) + int(question[1]),
        say=lambda names, question: f"{names} {question} {EVIL}",
        words=EVIL,
    )
    made.search("a")
    made.judge_finalists(("a",), ())
    return made.write()


def test_a_report_spells_escape_sequences_and_marks_of_direction_out(run: Path) -> None:
    for text in (report(run), report(run, "md")):
        assert "\\x1b[31mred\\x1b]8;;http://evil\\x07link\\x9b2J\\u202eabc\\u2066" in text
        assert not {*"\x1b\x07\x9b\u202e\u2066"} & {*text}


def test_the_pages_of_the_view_do_so_too(run: Path, tmp_path: Path) -> None:
    write_bundle(run.parent, tmp_path / "pages")
    pages = [*(tmp_path / "pages").rglob("*.html")]
    assert len(pages) > 1
    for page in pages:
        assert not {*"\x1b\x07\x9b\u202e\u2066"} & {*page.read_text(encoding="utf-8")}
