"""A run's page in a real browser while the search goes on, and on a copy of its folder."""

import asyncio
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from search.live.live_file import LiveFile
from tests.search.live.snapshots import snapshot
from tests.search.report.browser import CHROMIUM, browser_page
from tests.search.report.made_run import MadeRun, small_run
from tests.search.view.folder import say, score
from tests.search.view.served import served

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium"),
]

REPORT = "document.getElementById('report').contentDocument"
SECTIONS = f"[...{REPORT}.querySelectorAll('h2[id]')].map(head => head.id)"
TILES = "Object.fromEntries([...document.querySelectorAll('.tile')].map(tile => [tile.ariaLabel, tile.innerText]))"
RULES = f"[...{REPORT}.querySelectorAll('details')].find(one => one.textContent.startsWith('Rules'))"
CANDIDATES = f"{REPORT}.querySelector('#table-candidates thead').rows[0].cells[7]"


@dataclass
class Seen:
    """What the browser saw of one run that went on."""

    complaints: list[str]
    before: dict[str, str]
    after: dict[str, str]
    sections_before: list[str]
    sections_after: list[str]
    kept: dict[str, object]
    copied: dict[str, str]
    copied_live: object


def at_work(path: Path) -> MadeRun:
    """A search that has tried one candidate, and is still held by its coordinator: this process."""
    run = small_run(path, score, say)
    run.search("a")
    run.go_on()
    return run


async def look(folder: Path, home: str) -> Seen:
    run = await asyncio.to_thread(at_work, folder / "run")
    live = LiveFile(folder / "run", clock=lambda: 0.0)
    live.show(snapshot(2))
    async with browser_page() as page:
        await page.open(home + "run/run")
        await page.until(f"document.body.dataset.live === 'on' && {REPORT}?.readyState === 'complete'")
        await page.until(f"{SECTIONS}.includes('candidates')")
        before, sections_before = await page.evaluate(TILES), await page.evaluate(SECTIONS)
        await page.evaluate(f"{RULES}.open = true; {CANDIDATES}.querySelector('button').click()")
        for added in ("b", "c"):
            run.search(added)
        await asyncio.to_thread(run.go_on)
        fuller = replace(snapshot(2), candidates=1, trials=1, done=9599)
        LiveFile(folder / "run", clock=lambda: 0.0).show(fuller)
        await page.until(f"{SECTIONS}.includes('contributions') && {TILES}.Progress.includes('9,599')")
        kept = {
            "rules open": await page.evaluate(f"{RULES}.open"),
            "sorted": await page.evaluate(f"{CANDIDATES}.getAttribute('aria-sort')"),
            "rows": await page.evaluate(f"{REPORT}.querySelectorAll('#table-candidates tbody tr').length"),
            "drawn": await page.evaluate(f"{REPORT}.querySelectorAll('#plot-contributions .main-svg').length > 0"),
        }
        after, sections_after = await page.evaluate(TILES), await page.evaluate(SECTIONS)
        await asyncio.to_thread(shutil.copytree, folder / "run", folder / "copy")
        await page.open(home + "run/copy")
        copied = await page.evaluate(TILES)
        state = await page.evaluate("document.querySelector('.state').textContent")
        return Seen(page.complaints, before, after, sections_before, sections_after, kept, copied, state)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("runs")
    with served(folder) as home:
        return asyncio.run(look(folder, home))


def test_nothing_complains_while_a_run_goes_on(seen: Seen) -> None:
    assert seen.complaints == []


def test_best_so_far_queue_workers_and_budget_are_on_the_page_of_a_run_that_goes_on(seen: Seen) -> None:
    assert "+0.52 [+0.20, +0.84] over the base prompt's 6.90" in seen.before["Score"]
    assert "33 candidates scored in 41 trials" in seen.before["Progress"]
    assert "dollars $1.20 of $20.00 (6 %)" in seen.before["Spend"]
    assert "40 answers to be judged" in seen.before["Queue"]
    assert "block 17 and 1 more, 23 of 40" in seen.before["Workers"]


def test_what_changes_on_disk_changes_on_the_page(seen: Seen) -> None:
    assert "1 candidate scored in 1 trial" in seen.after["Progress"]
    assert "contributions" not in seen.sections_before
    assert "contributions" in seen.sections_after


def test_what_a_reader_has_opened_and_sorted_stays_so_when_the_report_grows(seen: Seen) -> None:
    assert seen.kept == {"rules open": True, "sorted": "ascending", "rows": 4, "drawn": True}


def test_a_copied_folder_shows_what_is_known_and_nothing_as_if_it_went_on(seen: Seen) -> None:
    assert seen.copied_live == "crashed"
    assert seen.copied.keys() == {"Score", "Progress", "Spend"}
    assert seen.copied["Progress"].split() == ["scored", "4", "candidates"]
