"""The tour of `demosearch view` that docs/tour.md shows: runs are made, served and photographed, all by real commands.

    python -m search.bench.tour docs/tour --folder /tmp/tour

It takes a search, an evaluation and a second search that is looked at while it goes on, all of the quickstart, and a
Chromium; some minutes on two cores. Runs that the folder holds already are not made again.
"""

import argparse
import asyncio
import base64
import shutil
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from choreographer import Browser
from choreographer.browser_async import Tab

from search.bench.served_view import ServedView

MOST_BYTES = 150_000  # of a picture in the repository
_PATIENCE = 300.0  # seconds for a page to be as wanted
_SEARCH, _EVALUATION, _LIVE = "quickstart", "prompts", "second"
_COMMANDS = {
    _SEARCH: ("run", "quickstart", "--set", "workers.kind=local"),
    _EVALUATION: ("evaluate", "evaluate_quickstart"),
}
_REPORT = "document.getElementById('report').contentDocument"
_DRAWN = f"{_REPORT}?.querySelectorAll('.main-svg').length > 3"


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture.

    Attributes:
        name: of its file.
        address: of the page, from the view's first one.
        ready: JavaScript that is true when the page is as wanted.
        show: JavaScript that brings the place into sight, "" for the top.
        width, height: in pixels; below 500 wide it is a phone.
    """

    name: str
    address: str
    ready: str = "true"
    show: str = ""
    scheme: str = "light"
    width: int = 1100
    height: int = 720


SHOTS = (
    Shot(
        "live",
        f"run/{_LIVE}",
        "document.querySelector('.state').textContent === 'running'"
        " && document.querySelector('[aria-label=Progress] progress')?.value > 0.3"
        f" && {_REPORT}?.getElementById('contributions') !== null",
    ),
    Shot("runs", "", "document.querySelectorAll('#runs tbody tr').length === 3"),
    Shot("runs_phone", "", scheme="dark", width=390, height=720),
    Shot("run_dark", f"run/{_SEARCH}", _DRAWN, scheme="dark"),
    Shot(
        "allocation",
        f"run/{_SEARCH}",
        _DRAWN,
        f"scrollTo(0, {_REPORT}.querySelector('#plot-allocation').closest('figure').getBoundingClientRect().top"
        " + document.getElementById('report').getBoundingClientRect().top - 60)",
    ),
    Shot("answers", f"answers/{_SEARCH}?role=winner&change=better&order=change&descending=on"),
    Shot("answers_phone", f"answers/{_SEARCH}?words=capital", show="scrollTo(0, 430)", width=390, height=720),
    Shot("answer_dark", f"answer/{_SEARCH}?trial={{trial}}&item={{item}}&role=winner", scheme="dark"),
    Shot("review", f"review/{_SEARCH}?role=winner", scheme="dark", height=560),
    Shot("compare", f"compare?run={_SEARCH}&run={_EVALUATION}"),
)


class _Camera:
    """A tab of a browser without a window."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab

    async def _send(self, command: str, **values: Any) -> Any:
        reply = await self._tab.send_command(command, values)
        if "error" in reply:
            raise RuntimeError(f"Chromium refuses {command}: {reply['error']}")
        return reply["result"]

    async def evaluate(self, script: str) -> Any:
        return (await self._send("Runtime.evaluate", expression=script, returnByValue=True))["result"].get("value")

    async def take(self, shot: Shot, address: str) -> bytes:
        """The picture as PNG."""
        features = [{"name": "prefers-color-scheme", "value": shot.scheme}]
        await self._send("Emulation.setEmulatedMedia", features=features)
        size = {"width": shot.width, "height": shot.height, "deviceScaleFactor": 1, "mobile": shot.width < 500}
        await self._send("Emulation.setDeviceMetricsOverride", **size)
        await self._send("Page.navigate", url=address)
        async with asyncio.timeout(_PATIENCE):
            while not await self.evaluate(f"document.readyState === 'complete' && Boolean({shot.ready})"):  # noqa: ASYNC110
                await asyncio.sleep(0.3)
        await asyncio.sleep(1.0)  # what is drawn settles
        if shot.show:
            await self.evaluate(shot.show)
            await asyncio.sleep(0.5)
        return base64.b64decode((await self._send("Page.captureScreenshot", format="png"))["data"])


async def _photograph(view: ServedView, address_values: dict[str, str], target: Path) -> None:
    async with Browser(headless=True) as browser:
        camera = _Camera(await browser.create_tab("about:blank"))
        await camera.take(Shot("", ""), view.entry)  # whose token the browser keeps
        for shot in SHOTS:
            picture = await camera.take(shot, view.home + shot.address.format(**address_values))
            if len(picture) > MOST_BYTES:
                raise RuntimeError(f"{shot.name} has {len(picture):,} bytes: show less of the page")
            (target / f"{shot.name}.png").write_bytes(picture)
            print(f"{shot.name}: {len(picture):,} bytes", flush=True)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "search", *words]


def main() -> None:
    """Make the runs that are missing, and take every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path, help="folder for the pictures")
    parser.add_argument("--folder", type=Path, required=True, help="of the runs")
    given = parser.parse_args()
    for name, words in _COMMANDS.items():
        if not (given.folder / name).exists():
            subprocess.run(_command(*words, "--run-dir", str(given.folder / name)), check=True)  # noqa: S603
    given.target.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(given.folder / _LIVE, ignore_errors=True)
    words = (*_COMMANDS[_SEARCH], "--set", "seed=1", "--set", "budget.generations=6000")
    subprocess.run(_command("tag", str(given.folder / _SEARCH), "toy", "--note", "first try"), check=True)  # noqa: S603
    searching = subprocess.Popen(_command(*words, "--run-dir", str(given.folder / _LIVE)))  # noqa: S603
    try:
        while not (given.folder / _LIVE / "config.json").exists() and searching.poll() is None:
            time.sleep(0.5)
        with closing(ServedView(given.folder)) as view:
            row = view.json(f"answers/{_SEARCH}?role=winner&side=held_out&order=change&descending=on")["rows"][0]
            place = {"trial": str(row["trial"]), "item": row["question"]}
        with closing(ServedView(given.folder, editing=True)) as view:
            asyncio.run(_photograph(view, place, given.target))
    finally:
        searching.terminate()
        searching.wait()


if __name__ == "__main__":
    main()
