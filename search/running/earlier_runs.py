"""What earlier searches say of demonstrations that this pool shares with theirs: a hint, whose worth is learnt.

Another model, judge or benchmark orders demonstrations alike to some degree; how far, the effects model of the new
search finds out from its own answers (`search.statistics.effects`). Demonstrations are the same where all their texts
are.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from configs.errors import InputError
from search.problem.material import Material
from search.problem.space import SearchSpace
from search.results.search_results import SearchResults, read_search_results
from search.run_directory.files import Floats, keep_array, read_array
from search.statistics.effects import USUAL_SPREAD, EffectsModel
from search.statistics.observed_scores import ObservedScores

_KNOB = "strategy.hints.runs"
_FILE = "earlier-runs.npy"
_DIGITS = 9
_MOST_QUESTIONS = 400
_FEWEST = 3  # demonstrations in common


def earlier_effects(runs: Sequence[Path], space: SearchSpace, material: Material, folder: Path) -> Floats | None:
    """Return what each run makes of each demonstration of the space's pool, [N, runs], 0 where it knows nothing of one;
    None without runs. Kept in `folder`, so that a resumed search meets the same numbers.

    Raises:
        InputError: one is not a run directory of a search, or shares too few demonstrations with the pool.
    """
    if not runs:
        return None
    path = folder / _FILE
    kept = read_array(path)
    if kept is not None and kept.shape == (len(space.pool), len(runs)):
        return kept
    effects: Floats = np.stack([_effects_of(run, space, material) for run in runs], axis=1).round(_DIGITS)
    keep_array(path, effects)
    return effects


def check_earlier_runs(runs: Sequence[Path], space: SearchSpace, material: Material, folder: Path) -> None:
    """Raise InputError where `earlier_effects` would."""
    if not (folder / _FILE).exists():
        for run in runs:
            _effects_of(run, space, material)


def _effects_of(run: Path, space: SearchSpace, material: Material) -> Floats:
    """Return the posterior means of one run's effects, standardised over those that it knows, [N]."""
    results = read_search_results(run)
    known_effects = _known_effects(results)
    texts = [material.demonstrations[name].texts for name in space.pool]
    shared = [place for place, text in enumerate(texts) if text in known_effects]
    if len(shared) < _FEWEST:
        raise InputError(
            f"{_KNOB}: {run} has scored {len(shared)} demonstrations of this pool, and {_FEWEST} are needed: name a "
            "search on the same demonstrations"
        )
    values = np.array([known_effects[texts[place]] for place in shared])
    effects = np.zeros(len(texts))
    effects[shared] = (values - values.mean()) / (values.std() or 1.0)
    return effects


def _known_effects(results: SearchResults) -> dict[tuple[str, ...], float]:
    """Return the posterior mean of each demonstration that the run has scored, by its queries and answers."""
    scored = {candidate: scored.scores for candidate, scored in results.search.items() if scored.scores}
    if results.material is None or not scored:
        return {}
    always = set.intersection(*(set(candidate.demonstrations) for candidate in scored))
    names = sorted({name for candidate in scored for name in candidate.demonstrations} - always)
    others = [scores_of for candidate, scores_of in scored.items() if candidate != results.base]
    asked = sorted({question for scores_of in others for question in scores_of})[:_MOST_QUESTIONS]
    number, place = {name: at for at, name in enumerate(names)}, {name: at for at, name in enumerate(asked)}
    scores = ObservedScores()
    for candidate, scores_of in scored.items():
        members = tuple(number[name] for name in candidate.demonstrations if name in number)
        met = {place[question]: value for question, value in scores_of.items() if question in place}
        if met:
            scores.tell(members, [*met], [*met.values()])
    if not names or not scores.sets:
        return {}
    spread = float(np.concatenate(scores.values).std()) / USUAL_SPREAD
    fit = EffectsModel(len(asked), len(names), None, spread or 1.0).fit(scores)
    demonstrations = results.material.demonstrations
    worths = fit.worths(fit.mean).tolist()
    return {demonstrations[name].texts: worth for name, worth in zip(names, worths, strict=True)}
