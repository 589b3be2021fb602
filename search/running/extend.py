"""A search that goes on under a larger budget of its strategy, from where that had ended."""

import logging
from contextlib import closing
from pathlib import Path

from rich.console import Console

from configs.errors import InputError
from configs.schema.run import RunConfig
from configs.schema.strategy import ScreeningConfig
from search.results.search_results import read_search_results
from search.results.status import Status
from search.run_directory.file_formats import Extension
from search.run_directory.run import Run, read_config, read_extensions, require_search
from search.running.assembly import make_plan
from search.running.launch import refuse_to_go_on, resume
from search.strategies.parts.screening_budget import answers_to_ask_for
from search.strategies.parts.shortlist import fewer_questions

_log = logging.getLogger(__name__)


def extend(path: Path | str, config: RunConfig, console: Console | None = None) -> Status:
    """Have the search in `path` go on under the larger budget of `config`, and run it to its new end.

    Its journal goes on where it is; nothing before changes. The manifest says that it was extended, and whether
    held-out questions had been scored before.

    Args:
        config: the recorded one with a larger `strategy.evaluations` or `strategy.trials`; what does not decide the
            outcome, such as workers and budget, may differ too. With the budget that the search has, it is resumed, so
            that a call that was interrupted can be made again.

    Raises:
        InputError: it cannot be extended so; nothing has changed.
        RunStopped: as `launch`; `resume` goes on.
    """
    named, path = Path(path), Path(path).absolute()  # a judge function may change the working directory
    require_search(named, "extend")
    before = _so_far(path)
    extension = plan_extension(named, config)
    recorded = config.model_copy(update={"strategy": read_config(path).strategy})
    if extension is None:
        _log.info("%s has this budget already: no further one is added", named)
        return resume(path, console, recorded)
    refuse_to_go_on(config, path, pay_again=False, extends=True)
    with closing(Run.open(path)) as run:
        try:
            if _so_far(path) != before:
                raise InputError(f"another process has just worked on {named}: see its status, then extend it again")
            run.extend(extension)
        finally:
            run.note_stop("")
    return resume(path, console, recorded)


def _so_far(path: Path) -> object:
    journal = path / "journal.jsonl"
    return read_extensions(path), journal.stat().st_size if journal.exists() else 0


def plan_extension(path: Path, config: RunConfig) -> Extension | None:
    """Return how the search in `path` would go on under `config`; None where it has this budget already. Raises
    InputError as `extend` does."""
    require_search(path, "extend")
    if not (path / "manifest.json").exists():
        raise InputError(f"{path} has not begun: start a new run with the larger budget")
    results = read_search_results(path)
    recorded = results.config
    setting = recorded.strategy.budget_setting
    if setting is None:
        raise InputError(
            f"a search by {recorded.strategy.kind} has no budget that can be extended: start a new run on the "
            f"same ledger (--set ledger_path={path}/ledger.sqlite)"
        )
    budget = getattr(config.strategy, setting, None)
    if config.strategy != recorded.strategy.model_copy(update={setting: budget}):
        raise InputError(
            f"`extend` changes strategy.{setting} and no other setting of it: start a new run for another search"
        )
    before = _budget_so_far(path, recorded, setting)
    if budget == before:
        return None
    if not isinstance(budget, int) or budget < before:
        raise InputError(
            f"{path} already has strategy.{setting}={before:,}: set more (--set strategy.{setting}={2 * before})"
        )
    if results.state == "running":
        raise InputError(f"{path} is running: extend it when it has ended, or stop it first")
    noted = sum(extension.after_end for extension in read_extensions(path))
    return Extension(budget=budget, after_end=results.journal.ends > noted)


def _budget_so_far(path: Path, config: RunConfig, setting: str) -> int:
    """The budget that the search was started with or last extended to; `auto` is worked out."""
    extensions = read_extensions(path)
    if extensions:
        return extensions[-1].budget
    budget = getattr(config.strategy, setting)
    if not isinstance(config.strategy, ScreeningConfig) or isinstance(budget, int):
        return int(budget)
    space = make_plan(config, path).space
    return answers_to_ask_for(config.strategy, fewer_questions(space, config.seed), len(space.questions))
