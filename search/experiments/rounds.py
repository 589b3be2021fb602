"""Scores of each round of a search that tries every demonstration in each, as the paper's does."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from statistics import fmean, stdev

from search.experiments.found_sets import Round
from search.problem.candidate import Candidate
from search.problem.material import Material
from search.results.candidate_results import CandidateResults
from search.results.search_results import SearchResults
from search.run_directory.records import TrialRecord


def averaged_results(results: SearchResults) -> dict[Candidate, CandidateResults]:
    """Return what the search knows of each candidate, every score the mean of all verdicts on that answer. Further
    verdicts on the base prompt's are left out: they check the judge for drift."""
    further: dict[Candidate, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for record in results.records():
        if not isinstance(record, TrialRecord) or record.scored.mean is None or record.candidate == results.base:
            continue
        if record.side == "search" and record.scored.trial.again:
            for name, score in record.scored.scores.items():
                further[record.candidate][name].append(score)
    return {candidate: averaged(scored, further.get(candidate, {})) for candidate, scored in results.search.items()}


def averaged(scored: CandidateResults, further: Mapping[str, list[float]]) -> CandidateResults:
    """Return the results with each score the mean of itself and `further` ones, by question."""
    first = {name: [score] for name, score in scored.scores.items()}
    scores = {name: fmean([*first.get(name, []), *further.get(name, [])]) for name in {**first, **further}}
    failures = {name: cause for name, cause in scored.failures.items() if name not in scores}
    return replace(scored, scores=scores, failures=failures)


def rounds_of(
    search: Mapping[Candidate, CandidateResults], material: Material, accepted: Candidate | None = None
) -> dict[int, Round]:
    """Return the rounds by number of chosen demonstrations, of candidates that were asked all search questions; one
    without any score is counted as failed.

    Args:
        accepted: what the last round kept; the first demonstrations of it are what each round has kept.
    """
    chain = added_demonstrations(accepted, material) if accepted else ()
    asked: dict[int, dict[tuple[str, ...], CandidateResults]] = defaultdict(dict)
    for candidate, scored in search.items():
        if met_all(scored, material):
            added = added_demonstrations(candidate, material)
            asked[len(added)][added] = scored
    rounds = {size: _round(some, chain[:size] if size else None) for size, some in sorted(asked.items())}
    return {size: one_round for size, one_round in rounds.items() if one_round}


def _round(asked: Mapping[tuple[str, ...], CandidateResults], kept: tuple[str, ...] | None) -> Round | None:
    """Return None where every candidate failed."""
    scored = {added: results.scores for added, results in asked.items() if results.scores}
    means = {added: fmean(scores.values()) for added, scores in scored.items()}
    if not means:
        return None
    return Round(
        count=len(means),
        mean=fmean(means.values()),
        spread=stdev(means.values()) if len(means) > 1 else 0.0,
        best=max(means.values()),
        kept=None if kept is None else means.get(kept),
        failed=len(asked) - len(means),
        questions=min(map(len, scored.values())),
    )


def met_all(scored: CandidateResults, material: Material) -> bool:
    """Whether this candidate was asked all search questions."""
    return len(scored.scores) + len(scored.failures) == len(material.search)


def added_demonstrations(candidate: Candidate, material: Material) -> tuple[str, ...]:
    """Return the ids of the demonstrations beside the base prompt's own, in the order they are shown in."""
    base = {demonstration.id for demonstration in material.base}
    return tuple(name for name in candidate.demonstrations if name not in base)
