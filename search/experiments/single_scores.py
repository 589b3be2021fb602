"""How good demonstrations were by themselves, read from a search: the paper's first round."""

from collections.abc import Iterable, Mapping, Sequence

from search.experiments.rounds import added_demonstrations, met_all
from search.problem.candidate import Candidate
from search.problem.material import Material
from search.prompts.demonstration import Demonstration
from search.results.candidate_results import CandidateResults


def scored_alone(
    search: Mapping[Candidate, CandidateResults], material: Material, confidence: float
) -> tuple[Demonstration, ...]:
    """Demonstrations that were added alone to the base prompt on all search questions, the best mean first; equal means
    keep the order of the search."""
    scored: list[tuple[float, Demonstration]] = []
    for candidate, results in search.items():
        added = added_demonstrations(candidate, material)
        mean = results.mean(confidence) if len(added) == 1 else None
        if mean is not None and met_all(results, material):
            scored.append((mean.mean, material.demonstrations[added[0]]))
    return tuple(demonstration for _, demonstration in sorted(scored, key=lambda pair: -pair[0]))


def of_pool(ranked: Iterable[Demonstration], pool: Sequence[Demonstration]) -> list[Demonstration]:
    """Demonstrations that this pool has too, as it has them, in the order given."""
    here = {demonstration.content: demonstration for demonstration in pool}
    return [here[demonstration.content] for demonstration in ranked if demonstration.content in here]
