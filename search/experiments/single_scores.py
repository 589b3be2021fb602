"""How good demonstrations were by themselves, read from a search."""

from collections.abc import Sequence
from pathlib import Path

from configs.errors import InputError
from search.prompts.demonstration import Demonstration
from search.results.search_results import read_search_results


def best_alone(run: Path, pool: Sequence[Demonstration]) -> list[Demonstration]:
    """Demonstrations of this pool that a search has added alone to its base prompt on all search questions, the best
    mean first: the paper's first round.

    Raises:
        InputError: there is no run, or it has scored none of them alone.
    """
    results = read_search_results(run)
    if results.material is None:
        raise InputError(f"{run}: the search has not begun; wait until it has scored demonstrations")
    base = {demonstration.id for demonstration in results.material.base}
    known, here = results.material.demonstrations, {demonstration.content: demonstration for demonstration in pool}
    scored: list[tuple[float, Demonstration]] = []
    for candidate, scores in results.search.items():
        added = [name for name in candidate.demonstrations if name not in base]
        demonstration = known[added[0]] if len(added) == 1 else None
        mine = here.get(demonstration.content) if demonstration else None
        mean = scores.mean(results.confidence)
        if mine is not None and mean is not None and mean.n + mean.failed == len(results.material.search):
            scored.append((mean.mean, mine))
    if not scored:
        raise InputError(
            f"{run}: the search has scored no demonstration of this pool alone on all search questions; give the run "
            "of an exhaustive greedy search in many_shot.scores"
        )
    return [demonstration for _, demonstration in sorted(scored, key=lambda pair: -pair[0])]
