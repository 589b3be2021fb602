"""How good demonstrations were by themselves, read from a search: the paper's first round."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from configs.errors import InputError
from search.experiments.earlier_search import read_finished_search
from search.prompts.demonstration import Demonstration
from search.results.search_results import SearchResults


def best_alone(run: Path, pool: Sequence[Demonstration]) -> list[Demonstration]:
    """Demonstrations of this pool that the search in this directory has scored alone, the best mean first.

    Raises:
        InputError: there is no run, it has not finished, or it has scored none of them alone.
    """
    results = read_finished_search(run)
    ranked = of_pool(scored_alone(results), pool)
    if not ranked:
        raise InputError(
            f"{run}: the search has scored no demonstration of this pool alone on all search questions; give the run "
            "of an exhaustive greedy search in many_shot.scores"
        )
    return ranked


def scored_alone(results: SearchResults) -> tuple[Demonstration, ...]:
    """Demonstrations that were added alone to the base prompt on all search questions, the best mean first; equal means
    keep the order of the search."""
    material = results.material
    if material is None:
        return ()
    base, by_id = {demonstration.id for demonstration in material.base}, material.demonstrations
    scored: list[tuple[float, Demonstration]] = []
    for candidate, scores in results.search.items():
        added = [name for name in candidate.demonstrations if name not in base]
        mean = scores.mean(results.confidence) if len(added) == 1 else None
        if mean is not None and mean.n + mean.failed == len(material.search):
            scored.append((mean.mean, by_id[added[0]]))
    return tuple(demonstration for _, demonstration in sorted(scored, key=lambda pair: -pair[0]))


def of_pool(ranked: Iterable[Demonstration], pool: Sequence[Demonstration]) -> list[Demonstration]:
    """Demonstrations that this pool has too, as it has them, in the order given."""
    here = {demonstration.content: demonstration for demonstration in pool}
    return [here[demonstration.content] for demonstration in ranked if demonstration.content in here]
