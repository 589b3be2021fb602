"""Figures as files."""

from pathlib import Path

import pytest

from search.report.forms import save_figures
from tests.search.report.browser import CHROMIUM
from tests.search.report.made_run import small_run

pytestmark = pytest.mark.heavy

KINDS = {"png": b"\x89PNG", "svg": b"<svg"}


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium")
def test_every_figure_is_saved_as_png_and_svg(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", lambda *_: 5.0).write(ended=False)
    saved = save_figures(run, tmp_path / "figures")
    assert {one.name for one in saved} >= {f"{name}.{kind}" for name in ("history", "questions") for kind in KINDS}
    for one in saved:
        assert one.read_bytes().startswith(KINDS[one.suffix[1:]])
