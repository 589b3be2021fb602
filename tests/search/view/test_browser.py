"""The view in a real browser: live, by keyboard, light and dark, on a phone, without a complaint."""

import asyncio
import json
import math
import threading
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from search.run_directory.notes import Notes, change_notes, read_notes
from search.run_directory.reviews import read_reviews
from search.view.bundle import write_bundle
from tests.search.report.browser import CHROMIUM, LOST, SCROLLED, Page, browser_page
from tests.search.report.made_evaluation import made_evaluation
from tests.search.view.folder import made_experiment, made_folder, made_search
from tests.search.view.served import served

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium"),
]


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        return None


@dataclass
class Seen:
    """What the browser saw."""

    complaints: list[str]
    rows: int
    rows_after: int
    opened: str
    reached: list[str]
    narrowed: str
    compared: str
    widths: dict[str, int]
    cut: dict[str, list[str]]
    lost: dict[str, list[str]]
    papers: dict[str, str]
    hacked: bool
    report: int


def made_long(path: Path) -> None:
    """An evaluation with long names everywhere, more categories than prompts, and a variant that always fails."""
    questions = {f"q{number}": f"category_of_questions_{number % 12}" for number in range(24)}
    variants = ("base_of_urial_mt_bench_screening", "winner_of_urial_mt_bench_screening", "fails")
    made_evaluation(path, questions, variants, lambda name, _: {"b": 2.0, "w": 3.0, "f": math.nan}[name[0]])


async def press(page: Page, key: str) -> None:
    await page.evaluate("document.activeElement.blur?.()")
    await page.evaluate(
        f"document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: {json.dumps(key)}, bubbles: true}}))"
    )


async def beside(page: Page) -> str:
    """Which answers the page shows: place, and the names above the columns."""
    shown = await page.evaluate("[...document.querySelectorAll('.two section')].map(one => one.ariaLabel).join(' | ')")
    place = await page.evaluate("document.querySelector('.actions .muted, [role=status]')?.textContent")
    return f"{place}: {shown}"


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
        reached = [await beside(page)]
        for key in ("n", "p", "u"):
            before = await page.evaluate("location.href")
            await press(page, key)
            await page.until(f"location.href !== {json.dumps(before)} && document.readyState === 'complete'")
            reached.append(await beside(page))
        await page.open(home + "answers/first")
        await page.evaluate(
            "Object.assign(document.getElementById('filter'), {value: '\"a+base says\" g2'})"
            ".dispatchEvent(new Event('input', {bubbles: true}))"
        )
        await page.until("location.search.includes('words=') && document.querySelectorAll('tbody tr').length === 1")
        narrowed = await page.evaluate("document.querySelector('tbody tr').innerText")
        hacked = await page.evaluate("'hacked' in window")
        widths, cut, lost = {}, {}, {}
        await asyncio.to_thread(made_long, folder / "an_evaluation_of_many_long_names")
        wide = ("", "compare?run=an_evaluation_of_many_long_names&run=third")
        for width in (1100, 800):
            await page.resize(width)
            for name in (*wide, "answers/first"):
                await page.open(home + name)
                cut[f"{name} at {width}"] = await page.evaluate(SCROLLED)
        await page.resize(360, 740, phone=True)
        for name in (*wide, "run/first", "answers/first", "answer/first?trial=1&item=g1"):
            await page.open(home + name)
            widths[name] = await page.evaluate("document.documentElement.scrollWidth")
            cut[name] = await page.evaluate(SCROLLED)
            lost[name] = await page.evaluate(LOST)
        await page.open(home + "run/first")
        report_page = "document.getElementById('report').contentDocument"
        await page.until(f"{report_page}?.readyState === 'complete' && {report_page}.querySelector('h1') !== null")
        report = await page.evaluate(f"{report_page}.querySelectorAll('h2').length")
        return Seen(
            complaints=page.complaints,
            rows=rows,
            rows_after=rows_after,
            opened=opened,
            reached=reached,
            narrowed=narrowed,
            compared=compared,
            widths=widths,
            cut=cut,
            lost=lost,
            papers=papers,
            hacked=hacked,
            report=report,
        )


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


def test_answers_are_walked_through_and_put_beside_others_by_keyboard(seen: Seen) -> None:
    assert seen.reached == [
        "1 of 14: winner | base prompt",
        "2 of 14: winner | base prompt",
        "1 of 14: winner | base prompt",
        "14 answers: ",
    ]


def test_answers_are_narrowed_down_as_one_types(seen: Seen) -> None:
    assert "question g2" in seen.narrowed
    assert "winner" in seen.narrowed


def test_it_follows_light_and_dark_and_fits_a_phone(seen: Seen) -> None:
    assert seen.papers["light"] != seen.papers["dark"]
    assert {name: width for name, width in seen.widths.items() if width > 360} == {}


def test_no_table_is_scrolled_sideways_in_a_narrow_window_or_on_a_phone(seen: Seen) -> None:
    assert {name: tables for name, tables in seen.cut.items() if tables} == {}


def test_a_phone_shows_every_cell_that_says_something_and_leads_no_key_to_what_it_does_not_show(seen: Seen) -> None:
    assert {name: words for name, words in seen.lost.items() if words} == {}


def test_a_runs_page_holds_its_report(seen: Seen) -> None:
    assert seen.report > 5


async def look_at_files(home: str, names: tuple[str, ...]) -> tuple[list[str], dict[str, int], str]:
    """Complaints, widths on a phone, and where the keyboard leads to."""
    async with browser_page() as page:
        await page.open(home + "index.html")
        for key in ("j", "j"):
            await press(page, key)
        await page.press_enter()
        await page.until("location.pathname.includes('/run/') && document.readyState === 'complete'")
        opened = await page.evaluate("document.querySelector('h1').textContent")
        widths = {}
        await page.resize(360, 740, phone=True)
        for name in names:
            await page.open(home + name)
            widths[name] = await page.evaluate("document.documentElement.scrollWidth")
        return page.complaints, widths, opened


async def search_files(home: str) -> dict[str, object]:
    """What the pages of answers of a bundle find without a server: by words, by numbers, opened, by keyboard."""
    count = "document.querySelectorAll('#found tbody tr').length"
    asked = "document.querySelector('#found [role=status]').textContent"
    async with browser_page() as page:
        await page.open(home + "answers/below/second.html")
        printed = await page.evaluate(count)
        await page.evaluate(
            "Object.assign(document.getElementById('filter'), {value: '\"b+base says\" g2'})"
            ".dispatchEvent(new Event('input', {bubbles: true}))"
        )
        await page.until(f"{asked}.includes(' of ')")
        seen: dict[str, object] = {"printed": printed, "words": await page.evaluate(asked)}
        kept = await page.evaluate("location.href")
        await press(page, "j")
        await page.press_enter()
        await page.until("document.querySelector('details[open]') !== null")
        seen["opened"] = await page.evaluate("document.querySelector('details[open] summary').textContent")
        await page.open("about:blank")
        await page.open(kept)
        await page.until(f"{asked}.includes(' of ')")
        seen["kept"] = await page.evaluate(asked)
        await page.open("about:blank")
        await page.open(home + "answers/below/second.html#role=winner&change=better&order=score&descending=on")
        await page.until(f"{asked}.includes(' of ')")
        seen["ordered"] = await page.evaluate(
            "[...document.querySelectorAll('#found tbody td[data-label=score]')].map(cell => cell.textContent)"
        )
        await page.evaluate("document.querySelector('button[type=reset]').click()")
        await page.until(f"!{asked}.includes(' of ')")
        papers = []
        for scheme in ("light", "dark"):
            await page.prefer(scheme)
            papers.append(await page.evaluate("getComputedStyle(document.getElementById('filter')).backgroundColor"))
        seen["papers"] = len({*papers})
        await page.resize(360, 740, phone=True)
        seen["width"] = await page.evaluate("document.documentElement.scrollWidth")
        seen["complaints"] = page.complaints
        return seen


def test_answers_of_a_bundle_are_filtered_searched_and_opened_from_disk_without_any_server(tmp_path: Path) -> None:
    write_bundle(made_folder(tmp_path / "runs"), tmp_path / "bundle")
    seen = asyncio.run(search_files((tmp_path / "bundle").as_uri() + "/"))
    scores = seen.pop("ordered")
    assert isinstance(scores, list)
    assert scores == sorted(scores, key=float, reverse=True)
    assert len(scores) > 1
    assert seen == {
        "printed": 14,
        "words": "1 answer of 14",
        "kept": "1 answer of 14",
        "opened": "question g2",
        "papers": 2,
        "width": 360,
        "complaints": [],
    }


async def pick_prompts(home: str) -> dict[str, object]:
    """What a reader sees who compares two prompts of a run that the pages let them choose."""
    async with browser_page() as page:
        await page.open(home + "compare")
        await page.evaluate(
            "Object.assign(document.getElementById('of'), {value: 'first'})"
            ".dispatchEvent(new Event('change', {bubbles: true}))"
        )
        await page.until("document.querySelectorAll('.choices input').length > 1")
        seen: dict[str, object] = {"focus": await page.evaluate("document.activeElement.id")}
        seen["offered"] = await page.evaluate("document.querySelectorAll('.choices input').length")
        await page.evaluate(
            "Object.assign(document.getElementById('filter'), {value: 'A, '})"
            ".dispatchEvent(new Event('input', {bubbles: true}))"
        )
        seen["narrowed"] = await page.evaluate("document.querySelectorAll('.choices label:not([hidden])').length")
        await page.evaluate("document.querySelectorAll('.choices input').forEach(box => box.click())")
        widths = []
        await page.resize(360, 740, phone=True)
        widths.append(await page.evaluate("document.documentElement.scrollWidth"))
        await page.evaluate("document.querySelector('.filters button').click()")
        rows = "document.querySelectorAll('table.compared tbody tr').length"
        await page.until(f"{rows} > 1 && document.readyState === 'complete'")
        widths.append(await page.evaluate("document.documentElement.scrollWidth"))
        seen["compared"] = await page.evaluate(rows)
        seen["costs"] = await page.evaluate(
            "[...document.querySelectorAll('table.compared thead th')].map(one => one.textContent).join()"
        )
        seen["checked"] = await page.evaluate("document.querySelectorAll('.choices input:checked').length")
        return {**seen, "widths": widths, "complaints": page.complaints}


def test_any_prompts_of_a_run_are_chosen_in_the_page_and_compared_with_what_they_cost(tmp_path: Path) -> None:
    with served(made_folder(tmp_path / "runs")) as home:
        seen = asyncio.run(pick_prompts(home))
    assert "cost of these answers,spent by the run" in str(seen.pop("costs"))
    assert seen == {
        "focus": "of",
        "offered": 2,
        "narrowed": 1,
        "compared": 2,
        "checked": 2,
        "widths": [360, 360],
        "complaints": [],
    }


async def edit_notes(home: str, run: Path) -> dict[str, object]:
    """What a reader sees who edits tags and note, while somebody tags the same run in a terminal."""
    saved = "document.getElementById('saved').textContent"
    async with browser_page() as page:
        await page.open(f"{home}run/first?token=secret", leads_to=f"{home}run/first")
        await page.until("document.body.dataset.live === 'on'")
        await press(page, "e")
        seen: dict[str, object] = {"focus": await page.evaluate("document.activeElement.id")}
        await page.evaluate("document.getElementById('tags').value = 'paper, good one'")
        await page.evaluate("document.getElementById('note').value = 'look\\n<b>again</b>'")
        await asyncio.to_thread(change_notes, run, ["terminal"])
        await page.evaluate("document.querySelector('#edit button').click()")
        await page.until(f"{saved} === 'saved'")
        seen["tags"] = await page.evaluate("document.getElementById('tags').value")
        await page.until("document.querySelector('#live .written')?.textContent === 'look\\n<b>again</b>'")
        await asyncio.to_thread(change_notes, run, [], ["terminal"])
        await page.until("document.getElementById('tags').value === 'good one, paper'")
        await page.evaluate("document.getElementById('tags').value = 'x'.repeat(41)")
        await page.evaluate("document.querySelector('#edit button').click()")
        await page.until(f"{saved}.startsWith('not saved')")
        seen["refused"] = await page.evaluate(saved)
        await page.open(f"{home}answer/first?trial=1&item=g1")
        pressed = "[...document.querySelectorAll('[aria-pressed=true]')].map(button => button.value).join()"
        for key, verdict in (("-", "no"), ("+", "yes"), ("+", "")):  # pressed again, a verdict goes
            await press(page, key)
            await page.until(f"{pressed} === '{verdict}'")
        await page.open(f"{home}review/first?role=winner")
        await press(page, "-")
        await page.until("document.querySelector('p[role=status]')?.textContent === '1 reviewed, 6 to go'")
        await page.until("document.activeElement.tagName === 'H1'")
        await page.resize(360, 740, phone=True)
        seen["width"] = await page.evaluate("document.documentElement.scrollWidth")
        return {**seen, "complaints": [text for text in page.complaints if "409" not in text]}


def test_tags_a_note_and_reviews_are_edited_in_the_pages_and_nobody_elses_are_lost(tmp_path: Path) -> None:
    run = made_folder(tmp_path / "runs") / "first"
    with served(tmp_path / "runs", "secret", editing=True) as home:
        seen = asyncio.run(edit_notes(home, run))
    assert "1 to 40 characters" in str(seen.pop("refused"))
    assert seen == {"focus": "tags", "tags": "good one, paper, terminal", "width": 360, "complaints": []}
    assert read_notes(run) == Notes(("good one", "paper"), "look\n<b>again</b>")
    assert [(review.good, review.blind) for review in read_reviews(run).values()] == [(False, True)]


CRAFTED = """<!doctype html><script>
const attempts = {
  parent: async () => parent.document.title,
  read: async () => (await fetch("/run/first")).status,
  write: async () => (await fetch("/notes/first", {method: "POST", body: '{"add": ["hacked"]}'})).status,
};
(async () => {
  const reached = [];
  for (const [name, attempt] of Object.entries(attempts))
    try { await attempt(); reached.push(name); } catch { /* refused */ }
  parent.postMessage(`reached: ${reached}`, "*");
})();
</script>"""


async def open_crafted(home: str) -> object:
    """What the script of a page in a run's folder reached, in the frame that shows it."""
    async with browser_page() as page:
        await page.open(f"{home}run/crafted?token=secret", leads_to=f"{home}run/crafted")
        await page.evaluate("addEventListener('message', event => { window.said = event.data; })")
        await page.evaluate("const shown = document.getElementById('report'); shown.src = shown.src")
        await page.until("window.said !== undefined")
        return await page.evaluate("window.said")


def test_a_page_that_came_with_a_copied_experiment_reaches_no_run(tmp_path: Path) -> None:
    folder = made_folder(tmp_path / "runs")
    made_experiment(folder / "crafted", CRAFTED)
    with served(folder, "secret", editing=True) as home:
        assert asyncio.run(open_crafted(home)) == "reached: "
    assert read_notes(folder / "first") == Notes()


def test_a_bundle_works_from_a_web_server_that_knows_nothing_but_files(tmp_path: Path) -> None:
    write_bundle(made_folder(tmp_path / "runs"), tmp_path / "bundle")
    handler = partial(QuietHandler, directory=str(tmp_path / "bundle"))
    pages = ("index.html", "run/first.html", "run/below/second.html", "answers/first.html", "compare.html")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        complaints, widths, opened = asyncio.run(look_at_files(f"http://127.0.0.1:{server.server_port}/", pages))
        server.shutdown()
        thread.join()
    assert complaints == []
    assert opened in ("first", "below/second", "compared")
    assert {name: width for name, width in widths.items() if width > 360} == {}
