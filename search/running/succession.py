"""A search that goes on under another judge: a new run directory that says which search it succeeds.

Its scores are those of the new judge alone, so its strategy begins anew; what it asks of candidates that the earlier
search has tried, it finds in their common ledger, answers and re-judged verdicts alike. Nothing of the two scales is
ever mixed.
"""

from pathlib import Path

from configs.errors import InputError
from configs.schema.rejudge import RejudgeConfig
from configs.schema.run import RunConfig
from configs.schema.search_judge import screened_held_out_share, screening_judge
from configs.stored import dump_config, restore_config
from search.results.search_results import SearchResults
from search.run_directory.run import Run
from search.running.assembly import make_plan

_READY = "its verdicts so far are in the ledger"


def successor_config(results: SearchResults, config: RejudgeConfig, path: Path) -> RunConfig:
    """The config of a search at `path` that goes on from these results under another judge.

    Raises:
        InputError: `path` is in use, the judge does not fit the search, or its files are not what they were.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} exists and is not empty: choose another --run-dir")
    given = config.model_dump(mode="json", include=config.model_fields_set)
    if (first := screening_judge(results.config.judge)) is not None:
        given["judge"]["screening"] = first.model_dump(mode="json")
        given["judge"]["screened_held_out_share"] = screened_held_out_share(results.config.judge)
    ledger = {"ledger_path": str(results.ledger.resolve())}
    succeeding = restore_config(dump_config(results.config) | given | ledger, "the judge's file")
    plan = make_plan(succeeding, path)
    changes = [name for name, digest in plan.material.digests.items() if results.manifest.get(name, digest) != digest]
    if changes:
        raise InputError(
            f"{', '.join(sorted(changes))} changed since {results.path} was started, and its answers would not be "
            "those of the new search: restore them"
        )
    return succeeding


def create_successor(results: SearchResults, config: RunConfig, path: Path) -> None:
    """Make the run directory of the search that goes on; `resume` starts it. Raises InputError where it cannot be
    written."""
    succeeded = {"run": results.run, "directory": str(results.path.resolve()), "judge": results.manifest["judge"]}
    run = Run.create(path, config, succeeded)
    try:
        run.set_state("stopped", f"it goes on from {results.path} under another judge; {_READY}")
    finally:
        run.close()
