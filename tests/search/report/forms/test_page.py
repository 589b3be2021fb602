"""The page in a real browser: drawn, sortable, readable on a phone and in the dark, and deaf to what models say."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from configs.loading import load_config
from search.report.forms import report
from search.results.alpaca_eval import Place
from search.run_directory.run import Run
from tests.search.report.browser import CHROMIUM, LOST, SCROLLED, Page, browser_page
from tests.search.report.made_evaluation import made_evaluation
from tests.search.report.made_run import MadeRun

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium"),
]

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'> &amp; {{ 7 * 7 }} `|*"
FIGURES = [
    "gains",
    "history",
    "allocation",
    "asked",
    "contributions",
    "questions",
    "categories",
    "lengths",
    "throughput",
]

OVERFLOWING = """
[...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().right > innerWidth + 1
    && !one.closest(".scroll, pre, .plot, script")).map(one => one.tagName + "." + one.className)"""
CONTRASTS = """
(() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * linear(r / 255) + .7152 * linear(g / 255) + .0722 * linear(b / 255);
  const ratio = (one, other) => (Math.max(one, other) + .05) / (Math.min(one, other) + .05);
  const texts = [...document.querySelectorAll("body *")].filter(one => !one.closest("svg, script, noscript")
      && [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  const inks = [...new Set(texts.map(one => getComputedStyle(one).color))];
  const papers = [document.body, document.querySelector(".scroll")].map(one => getComputedStyle(one).backgroundColor);
  return Math.min(...inks.flatMap(ink => papers.map(paper => ratio(light(rgb(ink)), light(rgb(paper))))));
})()"""
DRAWN = """
Object.fromEntries([...document.querySelectorAll(".plot")].map(one => [one.id.slice(5),
    one.querySelectorAll(".main-svg .trace, .main-svg .hm, .main-svg .bars").length]))"""


@dataclass(frozen=True)
class Seen:
    """What a browser saw of one page."""

    complaints: list[str]
    drawn: dict[str, int]
    orders: list[list[float]]
    sorted_as: list[str]
    overflowing: list[str]
    scrolled: list[str]
    lost: list[str]
    phone_width: int
    contrasts: dict[str, float]
    figure_inks: dict[str, str]
    hacked: bool
    text: str
    fetched: int


async def look(path: Path, table: str, column: int) -> Seen:
    """Look at the page, and sort this column of the table with this id."""
    async with browser_page() as page:
        await page.load(path)
        drawn = await page.evaluate(DRAWN)
        orders, sorted_as = await sort_scores(page, table, column)
        first, last = f"#plot-{next(iter(drawn))}", f"#plot-{list(drawn)[-1]}"
        ink = f"getComputedStyle(document.querySelector('{first} .xtick text')).fill"
        contrasts, inks = {}, {}
        for scheme in ("light", "dark"):
            await page.prefer(scheme)
            await page.until(f"{ink} === getComputedStyle(document.body).color")
            contrasts[scheme], inks[scheme] = await page.evaluate(CONTRASTS), await page.evaluate(ink)
        scrolled = []
        for width in (1100, 800):
            await page.resize(width)
            await page.until(f"innerWidth === {width}")
            scrolled += await page.evaluate(SCROLLED)
        await page.resize(360, 740, phone=True)
        await page.until(f"innerWidth === 360 && document.querySelector('{last} .main-svg').clientWidth < 360")
        return Seen(
            complaints=page.complaints,
            drawn=drawn,
            orders=orders,
            sorted_as=sorted_as,
            overflowing=await page.evaluate(OVERFLOWING),
            scrolled=[*scrolled, *await page.evaluate(SCROLLED)],
            lost=await page.evaluate(LOST),
            phone_width=await page.evaluate("document.documentElement.scrollWidth"),
            contrasts=contrasts,
            figure_inks=inks,
            hacked=bool(await page.evaluate("window.hacked")),
            text=await page.evaluate("document.body.textContent"),
            fetched=await page.evaluate("performance.getEntriesByType('resource').length"),
        )


async def sort_scores(page: Page, table: str, column: int) -> tuple[list[list[float]], list[str]]:
    """The column's order and what it says of it, after a click and after a key."""
    rows = f"[...document.querySelectorAll('#{table} tbody tr')]"
    scores = f"{rows}.map(row => Number(row.cells[{column}].dataset.value))"
    head = f"document.querySelectorAll('#{table} th[scope=col]')[{column}]"
    await page.evaluate(f"{head}.querySelector('button').click()")
    clicked = await page.evaluate(scores), await page.evaluate(f"{head}.getAttribute('aria-sort')")
    await page.evaluate(f"{head}.querySelector('button').focus()")
    await page.press_enter()
    pressed = await page.evaluate(scores), await page.evaluate(f"{head}.getAttribute('aria-sort')")
    return [clicked[0], pressed[0]], [clicked[1], pressed[1]]


def hostile_run(path: Path) -> MadeRun:
    """Two categories, one of them hostile; so are all answers and the judge's words."""
    search = {f"g{number}": HOSTILE if number % 2 else "prose" for number in range(6)}
    held_out = {f"h{number}": HOSTILE if number % 2 else "prose" for number in range(6)}

    def score(names: tuple[str, ...], question: str) -> float:
        return 4.0 + len(names) * 0.5 + int(question[1:]) % 3 + (names[0] == "a") * (int(question[1:]) - 2) / 4

    def say(names: tuple[str, ...], question: str) -> str:
        return f"{'+'.join(names)} on {question} {HOSTILE}"

    run = MadeRun(path, search, held_out, score, say, words=f"the judge: {HOSTILE}")
    for added in ((), ("b",), ("a",), ("c",), ("a", "b"), ("b", "a"), ("b", "c")):
        run.search(*added)
    run.judge_finalists(("a", "b"), ("b", "a"), ())
    return run


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("page")
    page = folder / "report.html"
    page.write_text(report(hostile_run(folder / "run").write()), encoding="utf-8")
    return asyncio.run(look(page, "table-candidates", 3))


def test_the_browser_has_nothing_to_complain_of(seen: Seen) -> None:
    assert seen.complaints == []


def test_every_figure_is_drawn(seen: Seen) -> None:
    assert list(seen.drawn) == FIGURES
    assert min(seen.drawn.values()) > 0


def test_the_page_fetches_nothing(seen: Seen) -> None:
    assert seen.fetched == 0


def test_a_click_and_a_key_sort_a_table_down_and_up(seen: Seen) -> None:
    clicked, pressed = seen.orders
    assert clicked == sorted(clicked, reverse=True)
    assert pressed == sorted(pressed)
    assert len(set(clicked)) > 3
    assert seen.sorted_as == ["descending", "ascending"]


def test_no_table_scrolls_sideways_in_a_window_half_a_window_or_on_a_phone(seen: Seen) -> None:
    assert seen.phone_width == 360
    assert seen.overflowing == seen.lost == seen.scrolled == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_page(seen: Seen, scheme: str) -> None:
    assert seen.contrasts[scheme] >= 4.5


def test_figures_change_with_the_page_from_light_to_dark(seen: Seen) -> None:
    assert seen.figure_inks["light"] != seen.figure_inks["dark"]


def test_what_models_and_judges_say_is_shown_and_never_run(seen: Seen) -> None:
    assert not seen.hacked
    assert f"the judge: {HOSTILE}" in seen.text
    assert f"on h5 {HOSTILE}" in seen.text


def unfinished(path: Path) -> Path:
    run = MadeRun(path, {"g1": "", "g2": ""}, {"h1": ""}, lambda names, _: float(len(names)))
    run.search()
    run.search("a")
    return run.write(ended=False)


def one_trial(path: Path) -> Path:
    run = MadeRun(path, {"g1": ""}, {"h1": ""}, lambda *_: 5.0)
    run.search()
    return run.write(ended=False)


def nothing_scored(path: Path) -> Path:
    return MadeRun(path, {"g1": ""}, {"h1": ""}, lambda *_: 5.0).write(ended=False)


def still_loading(path: Path) -> Path:
    Run.create(path, load_config("quickstart")).close()
    return path


STATES = {
    unfinished: "There is no result yet",
    one_trial: "No candidate but the base prompt has been scored yet.",
    nothing_scored: "Nothing has been scored yet.",
    still_loading: "Nothing has been scored yet.",
}


def test_a_run_in_any_state_has_a_page_that_says_how_far_it_is(tmp_path: Path) -> None:
    pages = {make: tmp_path / f"{make.__name__}.html" for make in STATES}
    for make, page in pages.items():
        page.write_text(report(make(tmp_path / make.__name__)), encoding="utf-8")

    async def first_sentences() -> tuple[list[str], list[str]]:
        async with browser_page() as tab:
            said = []
            for page in pages.values():
                await tab.load(page)
                said.append(await tab.evaluate("document.querySelector('.summary p').textContent"))
            return said, tab.complaints

    said, complaints = asyncio.run(first_sentences())
    assert complaints == []
    for sentence, begins in zip(said, STATES.values(), strict=True):
        assert sentence.startswith(begins)


@pytest.fixture(scope="module")
def seen_evaluation(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("evaluation")
    questions = {f"q{number}": HOSTILE if number % 2 else "prose" for number in range(12)}

    def score(name: str, question: str) -> float:
        return 4.0 + len(name) % 5 + int(question[1:]) % 3 * (name != "first")

    def say(name: str, question: str) -> str:
        return f"{name} on {question} {HOSTILE}"

    places = (Place("first", 40.0, 2.0, 42.0, 1.0, "", 12), Place(HOSTILE, 50.0, 2.0, None, None, HOSTILE, 12))
    names = ("first", HOSTILE, "third one", "fourth")
    page = folder / "report.html"
    made = made_evaluation(folder / "run", questions, names, score, say, words=f"the judge: {HOSTILE}", places=places)
    page.write_text(report(made), encoding="utf-8")
    return asyncio.run(look(page, "table-variants", 1))


def test_the_page_of_an_evaluation_is_drawn_sorted_and_read_like_that_of_a_search(seen_evaluation: Seen) -> None:
    assert seen_evaluation.complaints == []
    assert list(seen_evaluation.drawn) == ["differences", "categories", "lengths", "throughput"]
    assert min(seen_evaluation.drawn.values()) > 0
    clicked, pressed = seen_evaluation.orders
    assert clicked == sorted(clicked, reverse=True)
    assert pressed == sorted(pressed)
    assert len(set(clicked)) > 2
    assert seen_evaluation.fetched == 0
    assert seen_evaluation.phone_width == 360
    assert seen_evaluation.overflowing == seen_evaluation.lost == seen_evaluation.scrolled == []
    assert min(seen_evaluation.contrasts.values()) >= 4.5
    assert seen_evaluation.figure_inks["light"] != seen_evaluation.figure_inks["dark"]


def test_what_variants_judges_and_prompts_say_is_shown_and_never_run(seen_evaluation: Seen) -> None:
    assert not seen_evaluation.hacked
    for words in (f"the judge: {HOSTILE}", f"first on q2 {HOSTILE}", f"rules the judge: {HOSTILE}"):
        assert words in seen_evaluation.text
