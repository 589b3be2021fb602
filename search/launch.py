"""Start a search, or go on with one."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console

from configs.errors import DemosearchError, InputError
from configs.schema import RunConfig
from search.assembly import Plan, Search, assemble, make_plan
from search.progress import View, make_view, take_snapshot
from search.run import Run, read_config
from search.status import Status, read_status

_log = logging.getLogger(__name__)
_REFRESH = 0.25  # seconds between two looks


def launch(config: RunConfig, path: Path, console: Console | None = None) -> Status:
    """Run a new search in the directory `path` to its end.

    Raises:
        InputError: something is wrong with config, files, model or directory; nothing has been spent.
        RunStopped: it cannot go on now; everything paid for is kept, and `resume` goes on.
    """
    plan = make_plan(config)
    run = Run.create(path, config)
    try:
        return _conduct(plan, run, console)
    except InputError:
        if not run.started:
            run.discard()
        raise


def resume(path: Path, console: Console | None = None, config: RunConfig | None = None) -> Status:
    """Go on with the search in `path`, whatever ended it; one that is finished is only checked.

    Args:
        config: in place of the recorded one, to change what does not decide the outcome, such as workers.

    Raises:
        InputError, RunStopped: as `launch`; and InputError where config, data, model or versions have changed.
    """
    recorded = read_config(path)
    plan = make_plan(config or recorded)
    return _conduct(plan, Run.open(path), console)


def _conduct(plan: Plan, run: Run, console: Console | None) -> Status:
    for notice in plan.material.notices:
        _log.warning("%s", notice)
    view = make_view(console or Console(stderr=True))
    try:
        _in_own_loop(lambda: _search(plan, run, view))
    except DemosearchError as error:
        _note_stop(run, str(error))
        raise
    except (KeyboardInterrupt, asyncio.CancelledError):
        _note_stop(run, "interrupted")
        raise KeyboardInterrupt from None
    else:
        run.set_state("finished")
    finally:
        run.close()
    return read_status(run.path)


def _note_stop(run: Run, reason: str) -> None:
    with contextlib.suppress(OSError):  # a full disk may be the reason; what went wrong is said anyway
        run.set_state("stopped", reason)


async def _search(plan: Plan, run: Run, view: View) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # no main thread, or no signals here
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    _log.info("loading %s", plan.config.model.name)
    async with assemble(plan, run) as search:
        _log.info("%s is ready on %s", plan.config.model.name, search.card.device)
        with view:
            watching = asyncio.create_task(_watch(search, view, plan.config.scoring.confidence))
            try:
                await search.coordinator.run()
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)


async def _watch(search: Search, view: View, confidence: float) -> None:
    began = time.monotonic()
    try:
        while True:
            view.show(take_snapshot(search, time.monotonic() - began, confidence))
            await asyncio.sleep(_REFRESH)
    finally:
        view.show(take_snapshot(search, time.monotonic() - began, confidence))


def _in_own_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Also where a loop runs already, as in a notebook: then in a thread, and an interrupt is passed on to it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work())
        return
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = Future()

    async def main() -> None:
        task = asyncio.ensure_future(work())
        started.set_result((asyncio.get_running_loop(), task))
        await task

    with ThreadPoolExecutor(1) as thread:
        finished = thread.submit(asyncio.run, main())
        loop, task = started.result()
        try:
            finished.result()
        except KeyboardInterrupt:
            if not finished.done():
                loop.call_soon_threadsafe(task.cancel)
            raise
