"""How good demonstrations were by themselves, read from a search: the paper's first round."""

from collections.abc import Iterable, Sequence

from search.prompts.demonstration import Demonstration
from search.results.search_results import SearchResults


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
