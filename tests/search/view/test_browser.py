"""The view in a real browser: live, by keyboard, light and dark, on a phone, without a complaint."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.search.report.browser import CHROMIUM, Page, browser_page
from tests.search.view.folder import made_folder, made_search
from tests.search.view.served import served

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium"),
]


@dataclass
class Seen:
    """What the browser saw."""

    complaints: list[str]
    rows: int
    rows_after: int
    opened: str
    compared: str
    widths: dict[str, int]
    papers: dict[str, str]
    hacked: bool
    report: int


async def press(page: Page, key: str) -> None:
    await page.evaluate("document.activeElement.blur?.()")
    await page.evaluate(
        f"document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: {json.dumps(key)}, bubbles: true}}))"
    )


async def look(folder: Path, home: str) -> Seen:
    async with browser_page() as page:
        await page.open(home)
        rows = await page.evaluate("document.querySelectorAll('#runs tbody tr').length")
        await page.until("document.body.dataset.live === 'on'")
        await asyncio.to_thread(made_search, folder / "third", "a")
        await page.until("document.querySelector('tr[data-name=third] .state')?.textContent === 'finished'")
        rows_after = await page.evaluate("document.querySelectorAll('#runs tbody tr').length")
        papers = {}
        for scheme in ("light", "dark"):
            await page.prefer(scheme)
            papers[scheme] = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        for key in ("j", "x", "j", "x", "c"):
            await press(page, key)
        await page.until("location.pathname === '/compare' && document.readyState === 'complete'")
        compared = await page.evaluate("document.querySelector('.note').textContent")
        await page.open(home + "answers/first")
        await press(page, "j")
        await page.press_enter()
        await page.until("location.pathname.startsWith('/answer/') && document.readyState === 'complete'")
        opened = await page.evaluate("document.querySelector('h1').textContent")
        hacked = await page.evaluate("'hacked' in window")
        widths = {}
        await page.resize(360, 740, phone=True)
        for name in ("", "run/first", "answers/first", "answer/9/first", "compare?run=first&run=third"):
            await page.open(home + name)
            widths[name] = await page.evaluate("document.documentElement.scrollWidth")
        await page.open(home + "run/first")
        report_page = "document.getElementById('report').contentDocument"
        await page.until(f"{report_page}?.readyState === 'complete' && {report_page}.querySelector('h1') !== null")
        report = await page.evaluate(f"{report_page}.querySelectorAll('h2').length")
        return Seen(page.complaints, rows, rows_after, opened, compared, widths, papers, hacked, report)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = made_folder(tmp_path_factory.mktemp("runs"))
    with served(folder) as home:
        return asyncio.run(look(folder, home))


def test_no_page_complains_and_no_answer_runs_as_a_script(seen: Seen) -> None:
    assert seen.complaints == []
    assert not seen.hacked


def test_a_run_that_begins_meanwhile_appears_by_itself(seen: Seen) -> None:
    assert (seen.rows, seen.rows_after) == (3, 4)


def test_rows_are_chosen_compared_and_opened_by_keyboard(seen: Seen) -> None:
    assert "3 comparisons" in seen.compared
    assert seen.opened == "g1"


def test_it_follows_light_and_dark_and_fits_a_phone(seen: Seen) -> None:
    assert seen.papers["light"] != seen.papers["dark"]
    assert {name: width for name, width in seen.widths.items() if width > 360} == {}


def test_a_runs_page_holds_its_report(seen: Seen) -> None:
    assert seen.report > 5
