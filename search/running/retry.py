"""Evaluate again what has failed, and nothing else."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from configs.errors import InputError, RunStopped
from configs.schema.run import RunConfig
from evaluators.pipeline.generation import ConversationTooLong
from evaluators.task_group import task_group
from search.live.progress import View, make_views
from search.live.snapshot import Position
from search.problem.candidate import Candidate
from search.problem.trial import TOO_LONG, Side, Trial
from search.results.search_results import read_search_results
from search.results.status import Status, read_status
from search.run_directory.amendments import amendment, failed_items, open_amendments
from search.run_directory.journal import Journal
from search.run_directory.run import Run, ledger_path, read_config, require_search
from search.run_directory.state import State, read_state
from search.running.assembly import Plan, assemble_scorer, make_plan
from search.running.event_loop import in_own_loop
from search.running.lost_rows import refuse_lost_rows
from search.running.scorer import Scorer
from search.running.usage_clock import clock_from_now
from search.running.workplace import refuse_if_spent

_log = logging.getLogger(__name__)
PERMANENT = frozenset({TOO_LONG, ConversationTooLong.__name__})


@dataclass(slots=True)
class _Retry:
    scorer: Scorer
    planned: int
    evaluated: int = 0

    def position(self) -> Position:
        return Position("retry", 0, self.evaluated, self.planned)


def retry_failed(path: Path | str, console: Console | None = None, config: RunConfig | None = None) -> Status:
    """Evaluate every item again that the journal of the run at `path` holds as a failure, except prompts that are too
    long. What succeeds is kept beside the journal, and results are read with it from then on. Where there is none,
    nothing is done.

    Args:
        config: in place of the recorded one, as `resume` takes it.

    Raises:
        InputError: the search is running; or as `resume`.
        RunStopped: as `resume`.
    """
    named, path = Path(path), Path(path).absolute()  # a judge function may change the working directory
    require_search(named, "retry-failed")
    plan = make_plan(config or read_config(path), path)
    before = read_state(path)
    if before[0] == "running":
        raise InputError(f"the search in {named} is running: stop it, or wait until it has ended")
    trials = _trials(path)
    if not trials:
        resuming = (
            "" if before[0] == "finished" else f"; what the search stopped at is tried by `demosearch resume {named}`"
        )
        _log.info("%s has no failed item that could be tried again%s", named, resuming)
        return read_status(path)
    run = Run.open(path)
    view = make_views(console, run.path)
    try:
        in_own_loop(lambda: _retry(plan, run, view, trials), lambda: _restore(run, *before))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        _restore(run, *before)
        run.close()
    return read_status(path)


def _restore(run: Run, state: State, reason: str) -> None:
    """The search is where it was; of one that crashed, the note that it runs is all there is."""
    if state in ("finished", "stopped"):
        with suppress(RunStopped):  # a full disk may be what ended this; that is said anyway
            run.set_state(state, reason)


def _trials(path: Path) -> list[tuple[Side, Trial]]:
    questions: dict[tuple[Side, Candidate], list[str]] = {}
    for side, candidate, failed in failed_items(read_search_results(path).records(), PERMANENT):
        questions.setdefault((side, candidate), []).extend(failed)
    return [(side, Trial(candidate, tuple(dict.fromkeys(failed)))) for (side, candidate), failed in questions.items()]


async def _retry(plan: Plan, run: Run, view: View, trials: list[tuple[Side, Trial]]) -> None:
    clock = clock_from_now()
    refuse_lost_rows(run, ledger_path(run.path, plan.config), pay_again=False)
    refuse_if_spent(run, plan.config)
    async with assemble_scorer(plan, run) as (workplace, _, scorer):
        retry = _Retry(scorer, sum(len(trial.questions) for _, trial in trials))
        with open_amendments(run.path / "amendments.jsonl") as file:
            async with (
                workplace.watched(retry.position, view, clock),
                workplace.timed(clock),
                task_group() as tasks,
            ):
                for side, trial in trials:
                    tasks.create_task(_try(retry, file, side, trial))


async def _try(retry: _Retry, file: Journal, side: Side, trial: Trial) -> None:
    scored = await retry.scorer.score(trial)
    retry.evaluated += len(trial.questions)
    if scored.scores:
        file.append(amendment(side, scored))
