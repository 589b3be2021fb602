"""`demosearch view`: the runs of a folder in a browser, live; read-only unless people may write on them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from configs.errors import DemosearchError
from search.live.live_file import read_live
from search.report.forms.page import page
from search.run_directory.reviews import FILE as REVIEWS
from search.view.access_check import AccessCheck
from search.view.answer_index import PAGE
from search.view.answer_page import answer_values, blind_values, read_filter, read_place
from search.view.compare import compare_runs
from search.view.looks import Looks
from search.view.note_editing import edit_notes, edit_review
from search.view.pages import asset, render
from search.view.runs import RunList, RunRow, experiment_page, is_experiment, signature

_DIGITS = 12  # of a trial's number, at most
_PROMPTS = 200  # of a run, to choose from
_LOOK = 1.0  # seconds between two looks at the folder
_TYPES = {"view.css": "text/css", "view.js": "text/javascript"}
_OWN = "default-src 'none'; base-uri 'none'; frame-ancestors 'self'"
_POLICY = (
    f"{_OWN}; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; frame-src 'self'; "
    "form-action 'self'"
)
_REPORT_POLICY = (
    f"{_OWN}; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; form-action 'none'"
)
_FILE_POLICY = f"{_REPORT_POLICY}; sandbox allow-scripts allow-popups"
"""Makes a page that is read from a run's folder, which anybody may have written, an origin of its own."""


def make_app(folder: Path, token: str = "", hosts: frozenset[str] = frozenset(), *, editing: bool = False) -> Starlette:
    """The web application that shows the runs in `folder`.

    Args:
        token: that the address must hold; "" lets everybody on this machine look.
        hosts: see `AccessCheck`.
        editing: whether tags, notes and reviews of answers can be changed in the pages; needs a token.
    """
    editing = editing and bool(token)
    view = _View(folder, editing)
    routes = [
        Route("/", view.index),
        Route("/assets/{name}", view.asset),
        Route("/events", view.events),
        Route("/compare", view.compare),
        Route("/report/{name:path}", view.report),
        Route("/answers/{name:path}", view.answers),
        Route("/answer/{name:path}", view.answer),
        Route("/live/{name:path}", view.live),
        Route("/run/{name:path}", view.run),
    ]
    if editing:
        routes.append(Route("/notes/{name:path}", view.notes, methods=["POST"]))
        routes.append(Route("/review/{name:path}", view.review, methods=["GET", "POST"]))
    handlers: dict[Any, Callable[[Request, Exception], Response]] = {DemosearchError: _refused}
    gate = Middleware(AccessCheck, token=token, hosts=hosts, editing=editing)
    return Starlette(routes=routes, middleware=[gate], exception_handlers=handlers)


def _refused(request: Request, error: Exception) -> Response:
    if request.method == "POST":  # a page sent it, and shows what comes back
        return JSONResponse({"error": str(error)}, 409)
    return _page("message.html.jinja", _root(request), 409, title="This page cannot be shown", text=str(error))


def _no_answer(name: str) -> DemosearchError:
    return DemosearchError(f"the run '{name}' has no such answer: choose one in its list of answers")


def _page(template: str, root: str, code: int = 200, **values: Any) -> HTMLResponse:
    return _html(render(template, root, static=False, **values), _POLICY, code)


def _html(text: str, policy: str, code: int = 200) -> HTMLResponse:
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return HTMLResponse(text, code, headers)


def _root(request: Request) -> str:
    """The relative path from this page to the first one."""
    return "../" * (request.url.path.count("/") - 1)


class _View:
    """What answers requests; reading happens in threads, so that no page waits for another."""

    def __init__(self, folder: Path, editing: bool) -> None:
        self._runs = RunList(folder)
        self._editing = editing
        self._looks = Looks()
        self._reading = asyncio.Lock()

    async def _rows(self) -> list[RunRow]:
        async with self._reading:
            return await asyncio.to_thread(self._runs.rows)

    async def _path(self, request: Request) -> Path:
        path = await asyncio.to_thread(self._runs.path, request.path_params["name"])
        if path is None:
            raise DemosearchError(f"there is no run '{request.path_params['name']}' in {self._runs.folder}")
        return path

    async def index(self, request: Request) -> Response:  # noqa: ARG002 -- as starlette calls it
        return _page("index.html.jinja", "", rows=await self._rows(), folder=self._runs.folder.resolve())

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _TYPES:
            return PlainTextResponse("no such file", 404)
        return Response(asset(name), media_type=_TYPES[name])

    async def run(self, request: Request) -> Response:
        path = await self._path(request)
        name = request.path_params["name"]
        row = next(row for row in await self._rows() if row.name == name)
        live = await self._live_values(path, row)
        return _page("run.html.jinja", _root(request), row=row, editing=self._editing, **live)

    async def notes(self, request: Request) -> Response:
        """Change what people wrote on a run."""
        return await edit_notes(request, await self._path(request))

    async def _live_values(self, path: Path, row: RunRow) -> dict[str, Any]:
        live = await asyncio.to_thread(read_live, path) if row.state == "running" else None
        return {"live": live, "age": time.time() - live.moment if live else 0.0}

    async def live(self, request: Request) -> Response:
        """How a run stands now, as a part of its page."""
        path, name = await self._path(request), request.path_params["name"]
        row = next(row for row in await self._rows() if row.name == name)
        return _page("live.html.jinja", _root(request), row=row, **await self._live_values(path, row))

    async def report(self, request: Request) -> Response:
        """The same page as `demosearch report` writes, in a frame of its own; `?parts` leaves what it has already."""
        path, parts = await self._path(request), "parts" in request.query_params
        if is_experiment(path):
            return _html(experiment_page(path), _FILE_POLICY)
        html = await asyncio.to_thread(lambda: page(self._looks.findings(path), for_renewal=parts))
        return _html(html, _REPORT_POLICY)

    async def answers(self, request: Request) -> Response:
        index = await asyncio.to_thread(self._looks.answers, await self._path(request))
        wanted = read_filter(request.query_params)
        matches = await asyncio.to_thread(index.find, wanted)
        if request.query_params.get("as") == "json":
            return JSONResponse({"total": matches.total, "rows": [asdict(row) for row in matches.rows]})
        choices = {column: await asyncio.to_thread(index.choices, column) for column in ("side", "category")}
        values: dict[str, Any] = {"found": matches, "wanted": asdict(wanted), "choices": choices, "size": PAGE}
        values["damage"] = index.damage
        name = request.path_params["name"]
        return _page(
            "answers.html.jinja", _root(request), name=name, roles=index.roles, editing=self._editing, **values
        )

    async def answer(self, request: Request) -> Response:
        path, name = await self._path(request), request.path_params["name"]
        query = request.query_params
        shown = await asyncio.to_thread(
            lambda: answer_values(self._looks.answers(path), self._looks.prompts(path), query, read_filter(query))
        )
        if shown is None:
            raise _no_answer(name)
        return _page("answer.html.jinja", _root(request), name=name, editing=self._editing, **shown)

    async def review(self, request: Request) -> Response:
        """An answer without a review, as its model alone would show it; or what a person says of one."""
        path, name = await self._path(request), request.path_params["name"]
        query = request.query_params
        index = await asyncio.to_thread(self._looks.answers, path)
        if request.method == "POST":
            answer = await asyncio.to_thread(index.answer, read_place(query))
            if answer is None or answer.failure:
                raise _no_answer(name)
            return await edit_review(request, path, answer.reviewed)
        shown = await asyncio.to_thread(
            lambda: blind_values(index, self._looks.prompts(path), query, read_filter(query))
        )
        return _page("review.html.jinja", _root(request), name=name, editing=True, **shown)

    async def compare(self, request: Request) -> Response:
        """Runs by name; prompts by `TRIAL:RUN`."""
        names = request.query_params.getlist("run")
        asked = [text.partition(":") for text in request.query_params.getlist("prompt")]
        runs = [(name, path) for name in names if (path := await self._path_of(name))]
        prompts = [
            (name, path, int(trial))
            for trial, _, name in asked
            if trial.isdecimal() and len(trial) < _DIGITS and (path := await self._path_of(name))
        ]
        rows = [row.name for row in await self._rows() if row.kind not in ("unreadable", "experiment")]
        compared = await asyncio.to_thread(compare_runs, runs, prompts=prompts) if runs or prompts else ()
        chosen = [f"{trial}:{name}" for name, _, trial in prompts]
        picker = await self._picker([*request.query_params.getlist("of"), *names, *(name for name, *_ in prompts)])
        offered = {f"{row.trial}:{picker['of']}" for row in picker["prompts"]}
        values = {"chosen": chosen, "others": [text for text in chosen if text not in offered], **picker}
        return _page("compare.html.jinja", "", compared=compared, names=names, all=rows, **values)

    async def _picker(self, names: list[str]) -> dict[str, Any]:
        """The prompts of the first of these runs that there is, to choose from."""
        for name in names:
            if path := await self._path_of(name):
                index = await asyncio.to_thread(self._looks.answers, path)
                prompts, total = await asyncio.to_thread(index.prompts, _PROMPTS)
                return {"of": name, "prompts": prompts, "total": total}
        return {"of": "", "prompts": [], "total": 0}

    async def _path_of(self, name: str) -> Path | None:
        return await asyncio.to_thread(self._runs.path, name)

    async def events(self, request: Request) -> Response:
        """Server-sent events: the names of the runs that have changed, as they do."""
        return StreamingResponse(self._changes(request), media_type="text/event-stream")

    async def _changes(self, request: Request) -> AsyncIterator[str]:
        last_sent: dict[str, object] = {}  # so that all is read again after a connection that was lost
        yield "retry: 2000\n\n"
        while not await request.is_disconnected():
            now = await asyncio.to_thread(self._signatures)
            changed = sorted(name for name in {*now, *last_sent} if now.get(name) != last_sent.get(name))
            last_sent = now
            yield f"data: {json.dumps(changed)}\n\n" if changed else ": still here\n\n"
            await asyncio.sleep(_LOOK)

    def _signatures(self) -> dict[str, object]:
        """Every run's sign: its files, and its state, which a crash changes without touching any."""
        return {row.name: (row.state, self._signed(row)) for row in self._runs.rows()}

    def _signed(self, row: RunRow) -> object:
        path = self._runs.path(row.name)
        return signature(path, REVIEWS) if path else None
