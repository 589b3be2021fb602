"""A real browser, without a window: Chromium over its DevTools protocol, by choreographer (which kaleido brings)."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from choreographer import Browser
from choreographer.browser_async import Tab

_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in _NAMES if (found := shutil.which(name))), None)
_PATIENCE = 60.0  # seconds

SCROLLED = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.ariaLabel)"
"""Names of the tables that must be scrolled sideways."""
LOST = """
[...document.querySelectorAll('.stack tbody :is(th, td)')].filter(e => e.textContent.trim() && !e.checkVisibility())
    .concat([...document.querySelectorAll('.scroll:not(.tall) .stack thead :is(a, button)')].filter(e => {
        e.focus(); return document.activeElement === e; })).map(e => e.textContent.trim())"""
"""On a phone: cells of stacked tables that say something and are not shown, and heads that are not but take focus."""


class Page:
    """A tab of a browser.

    Attributes:
        complaints: uncaught errors, console errors and warnings, refused requests; of all files loaded.
    """

    def __init__(self, tab: Tab) -> None:
        self.complaints: list[str] = []
        self._tab = tab

    async def listen(self) -> None:
        for event in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
            self._tab.subscribe(event, self._note)
        for domain in ("Runtime", "Log", "Page"):
            await self._send(f"{domain}.enable")

    async def _note(self, message: Mapping[str, Any]) -> None:
        told = message["params"]
        if message["method"] == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"]))
        elif message["method"] == "Log.entryAdded":
            self.complaints.append(told["entry"]["text"])
        elif told["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(told["args"]))

    async def load(self, path: Path) -> None:
        """Open a file, and wait until it is there."""
        await self.open(path.as_uri())

    async def open(self, address: str, *, leads_to: str = "") -> None:
        """Open a page, and wait until it is there, or where it leads to."""
        await self._send("Page.navigate", url=address)
        await self.until(f"location.href === '{leads_to or address}' && document.readyState === 'complete'")

    async def until(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        async with asyncio.timeout(_PATIENCE):
            while not await self.evaluate(condition):  # noqa: ASYNC110 -- no event tells
                await asyncio.sleep(0.02)

    async def resize(self, width: int, height: int = 900, phone: bool = False) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        await self._send("Emulation.setDeviceMetricsOverride", **metrics)

    async def prefer(self, scheme: str) -> None:
        """ "light" or "dark"."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self._send("Emulation.setEmulatedMedia", features=features)

    async def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        result = await self._send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def press_enter(self) -> None:
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        await self._send("Input.dispatchKeyEvent", type="keyDown", text="\r", **key)
        await self._send("Input.dispatchKeyEvent", type="keyUp", **key)

    async def _send(self, command: str, **params: Any) -> dict[str, Any]:
        reply = await self._tab.send_command(command, params)
        assert "error" not in reply, reply
        result: dict[str, Any] = reply["result"]
        return result


@asynccontextmanager
async def browser_page() -> AsyncIterator[Page]:
    """An empty page, 1200 pixels wide, light."""
    async with Browser(CHROMIUM, headless=True) as browser:
        page = Page(await browser.create_tab("about:blank"))
        await page.listen()
        await page.resize(1200)
        await page.prefer("light")
        yield page
