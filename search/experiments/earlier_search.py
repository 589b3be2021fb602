"""A search that a config names: read only when it has finished, since what it has found changes until then."""

from pathlib import Path

from configs.errors import InputError
from search.results.search_results import SearchResults, read_search_results


def read_finished_search(run: Path) -> SearchResults:
    """Read the search in this directory. Raises InputError where there is none, or it has not finished."""
    results = read_search_results(run)
    if results.state == "running":
        raise InputError(f"{run}: the search is still running, its best sets may change; wait until it has finished")
    if results.state != "finished":
        raise InputError(
            f"{run}: the search has not finished, and its best sets may change; run `demosearch resume {run}` first"
        )
    return results
