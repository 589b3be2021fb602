"""The documentation as a site: every page is there, every link leads somewhere, nothing is fetched from elsewhere."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT

pytestmark = pytest.mark.heavy

_FETCHED = re.compile(
    r"<(?:script|img|iframe)[^>]*\bsrc=[\"']?https?://|<link[^>]*rel=[\"']?stylesheet[^>]*href=[\"']?https?://"
)


def _build(config: Path, site: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(site)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    done = _build(ROOT / "mkdocs.yml", site)
    assert done.returncode == 0, done.stderr
    return site


def test_every_page_and_every_notebook_is_on_the_site(site: Path) -> None:
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")} | {"index", "CHANGELOG", "LOG", "SECURITY"}
    assert {page for page in pages if not (site / f"{page}.html").exists()} == set()
    notebooks = [path.stem for path in (ROOT / "notebooks").glob("*.ipynb")]
    texts = [(site / "notebooks" / f"{name}.html").read_text(encoding="utf-8") for name in notebooks]
    assert all("output" in text or "<img" in text or "<table" in text for text in texts)


def test_a_reader_fetches_nothing_from_elsewhere(site: Path) -> None:
    pages = {path.name: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    assert [name for name, text in pages.items() if _FETCHED.search(text)] == []


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    for name in ("docs", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for path in [*ROOT.glob("*.md"), ROOT / "mkdocs.yml", ROOT / "LICENSE"]:
        shutil.copy(path, tmp_path)
    for name in ("configs", "tests", "search", "evaluators", "workers"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "docs" / "view.md").write_text("# View\n\n[nowhere](no-such-page.md)\n", encoding="utf-8")
    done = _build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode != 0
    assert "no-such-page.md" in done.stderr
