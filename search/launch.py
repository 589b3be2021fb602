"""Start a search, or go on with one."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from configs.errors import InputError, RunStopped
from configs.schema import RunConfig
from search.assembly import Plan, Search, assemble, make_plan
from search.progress import View, make_view, take_snapshot
from search.run import Run, read_config
from search.status import Status, read_status

_log = logging.getLogger(__name__)
_REFRESH = 0.25  # seconds between two looks
T = TypeVar("T")


def launch(config: RunConfig, path: Path, console: Console | None = None) -> Status:
    """Run a new search in the directory `path` to its end.

    Raises:
        InputError: something is wrong with config, files, model or directory; nothing has been spent.
        RunStopped: it cannot go on now; everything paid for is kept, and `resume` goes on.
    """
    plan = make_plan(config)
    return _conduct(plan, Run.create(path, config), console)


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
        _in_own_loop(_search(plan, run, view))
    except InputError:
        if not run.started:
            run.discard()
        else:
            run.set_state("stopped", "refused: see the message")
        raise
    except RunStopped as stopped:
        run.set_state("stopped", str(stopped))
        raise
    except (KeyboardInterrupt, asyncio.CancelledError):
        run.set_state("stopped", "interrupted")
        raise KeyboardInterrupt from None
    else:
        run.set_state("finished")
    finally:
        run.close()
    return read_status(run.path)


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


def _in_own_loop(work: Coroutine[Any, Any, T]) -> T:
    """Also where a loop runs already, as in a notebook."""
    run: Callable[[Coroutine[Any, Any, T]], T] = asyncio.run
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run, work).result()
