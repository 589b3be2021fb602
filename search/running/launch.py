"""Start a search, or go on with one."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from rich.console import Console

from configs.errors import DemosearchError, InputError, RunStopped
from configs.schema.run import RunConfig
from search.live.progress import View, make_views
from search.results.status import Status, read_status
from search.run_directory.journal import OtherEnd, read_journal
from search.run_directory.new_place import refuse_unusable_directory
from search.run_directory.records import EndRecord
from search.run_directory.run import Run, ledger_path, read_config, read_extensions, require_search
from search.running.assembly import Plan, assemble, make_plan, planned_manifest
from search.running.event_loop import in_own_loop
from search.running.lost_rows import refuse_lost_rows
from search.running.usage_clock import clock_from_now
from search.running.workplace import Workplace, refuse_if_spent
from search.trackers.figures import figures_now
from search.trackers.tracker import Figures
from search.trackers.tracking import Tracking, tracking

_log = logging.getLogger(__name__)


InLoop = Callable[[Callable[[], Coroutine[Any, Any, None]], Callable[[], None]], None]
"""What runs asynchronous work to its end, as `in_own_loop` does."""


def launch(
    config: RunConfig,
    path: Path | str,
    console: Console | None = None,
    *,
    view: View | None = None,
    in_loop: InLoop = in_own_loop,
) -> Status:
    """Run a new search in the directory `path` to its end.

    Args:
        view: what shows its progress, in the place of what suits the console.
        in_loop: does the asynchronous part.

    Raises:
        InputError: something is wrong with config, files, model or directory; nothing has been spent.
        RunStopped: it cannot go on now; everything paid for is kept, and `resume` goes on.
    """
    path = Path(path).absolute()  # a judge function may change the working directory
    refuse_unusable_directory(path)
    plan = make_plan(config, path)
    run = Run.create(path, config)
    try:
        return _conduct(plan, run, make_views(console, run.path, view), in_loop)
    except InputError:
        if not run.started:
            run.discard()
        raise


def resume(
    path: Path | str,
    console: Console | None = None,
    config: RunConfig | None = None,
    *,
    pay_again: bool = False,
    view: View | None = None,
    in_loop: InLoop = in_own_loop,
) -> Status:
    """Go on with the search in `path`, whatever ended it; one that is finished is only checked.

    Args:
        config: in place of the recorded one, to change what does not decide the outcome, such as workers or budget.
        pay_again: go on although the ledger has lost rows that were paid for.
        view, in_loop: as `launch`.

    Raises:
        InputError, RunStopped: as `launch`; and InputError where config, data, model or versions have changed.
    """
    path = Path(path).absolute()
    require_search(path, "resume")
    recorded = read_config(path)
    plan, run = make_plan(config or recorded, path), Run.open(path)
    return _conduct(plan, run, make_views(console, run.path, view), in_loop, pay_again)


def _conduct(plan: Plan, run: Run, view: View, in_loop: InLoop, pay_again: bool = False) -> Status:
    for notice in plan.material.notices:
        _log.warning("%s", notice)
    with tracking(plan.config, run.path) as trackers:
        conduct(run, lambda: _search(plan, run, view, trackers, pay_again), in_loop)
    return read_status(run.path)


def conduct(run: Run, work: Callable[[], Coroutine[Any, Any, None]], in_loop: InLoop = in_own_loop) -> None:
    """Do the work of a run to its end, and note how it ended; the directory is given free.

    Raises:
        DemosearchError: whatever the work raised.
        KeyboardInterrupt: it was interrupted or told to end.
    """
    try:
        in_loop(work, lambda: _note_stop(run, "interrupted"))
    except OtherEnd:
        run.set_state("finished")  # as it was
        raise
    except DemosearchError as error:
        _note_stop(run, str(error), not isinstance(error, RunStopped) or error.may_go_on)
        raise
    except (KeyboardInterrupt, asyncio.CancelledError):
        _note_stop(run, "interrupted")
        raise KeyboardInterrupt from None
    else:
        run.set_state("finished")
    finally:
        run.close()


def _note_stop(run: Run, reason: str, may_go_on: bool = True) -> None:
    with contextlib.suppress(RunStopped):  # a full disk may be the reason; what went wrong is said anyway
        run.note_stop(reason, may_go_on)


async def _search(plan: Plan, run: Run, view: View, trackers: Tracking, pay_again: bool) -> None:
    config, clock = plan.config, clock_from_now()
    run.refuse_changes(planned_manifest(plan))
    refuse_lost_rows(run, ledger_path(run.path, config), pay_again)
    has_ended = _has_ended(run)
    if has_ended:  # whatever it has spent
        _log.info("the search has finished: what it did is checked")
    else:
        refuse_if_spent(run, config)
    _log.info("loading %s", config.model.name)
    async with assemble(plan, run) as search:
        _log.info("%s is ready on %s", config.model.name, search.model.card.device)
        workplace = search.workplace
        timed = contextlib.nullcontext() if has_ended else workplace.timed(clock)
        follow = trackers.following(lambda: _figures(workplace, clock()))
        async with workplace.watched(search.coordinator.position, view, clock), timed, follow:
            await search.coordinator.run(read_extensions(run.path))


def refuse_to_go_on(config: RunConfig, path: Path, *, pay_again: bool, extends: bool = False) -> None:
    """Raise what `resume` of the search in `path` would raise for rows that its ledger has lost, and a spent budget.

    Args:
        extends: it goes on under a larger budget of its strategy, and has not ended then.
    """
    run = Run(path)
    if not pay_again:
        refuse_lost_rows(run, ledger_path(path, config), pay_again)
    if extends or not _has_ended(run):
        refuse_if_spent(run, config)


def _has_ended(run: Run) -> bool:
    ends = sum(isinstance(record, EndRecord) for record in read_journal(run.path / "journal.jsonl"))
    return ends > sum(extension.after_end for extension in read_extensions(run.path))


def _figures(workplace: Workplace, seconds: float) -> Figures:
    return figures_now(workplace.counts(), workplace.activity(), workplace.ledger.spend, seconds)
