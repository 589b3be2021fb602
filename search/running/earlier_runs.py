"""What earlier searches say of demonstrations that this pool shares with theirs: a hint, whose worth is learnt.

Another model, judge or benchmark orders demonstrations alike to some degree; how far, the effects model of the new
search finds out from its own answers (`search.statistics.effects`). Demonstrations are the same where all their texts
are.
"""

from collections.abc import Sequence, Set
from pathlib import Path

import numpy as np

from configs.errors import InputError
from configs.plural import show_many
from evaluators.question import Question
from search.problem.material import Material
from search.problem.space import SearchSpace
from search.results.search_results import read_search_results
from search.run_directory.files import Floats, keep_array, read_array
from search.run_directory.run import is_evaluation
from search.running.earlier_ledger import prompts_of_ledger
from search.running.scored_prompt import ScoredPrompt, Texts
from search.statistics.effects import USUAL_SPREAD, EffectsModel
from search.statistics.observed_scores import ObservedScores

_KNOB = "strategy.hints.runs"
_FILE = "earlier-runs.npy"
_DIGITS = 9
_MOST_QUESTIONS = 400
_FEWEST = 3  # demonstrations in common


def earlier_effects(runs: Sequence[Path], space: SearchSpace, material: Material, folder: Path) -> Floats | None:
    """Return what each run makes of each demonstration of the space's pool, [N, runs], 0 where it knows nothing of one;
    None without runs. Kept in `folder`, so that a resumed search meets the same numbers. Scores on questions that are
    held out in this search are not looked at.

    Args:
        runs: run directories of searches, and ledgers.

    Raises:
        InputError: one is neither, or shares too few demonstrations with the pool.
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
    texts = [material.demonstrations[name].texts for name in space.pool]
    try:
        prompts = _prompts_of(run, texts, material.held_out)
    except InputError as error:
        raise InputError(f"{_KNOB}: {error}") from error
    known_effects = _known_effects(prompts)
    shared = [place for place, text in enumerate(texts) if text in known_effects]
    if len(shared) < _FEWEST:
        raise InputError(
            f"{_KNOB}: {run} has scored {show_many(len(shared), 'demonstration')} of this pool on questions that are "
            "not held out "
            f"here, and {_FEWEST} are needed: name a search on the same demonstrations, or its ledger"
        )
    values = np.array([known_effects[texts[place]] for place in shared])
    effects = np.zeros(len(texts))
    effects[shared] = (values - values.mean()) / (values.std() or 1.0)
    return effects


def _prompts_of(run: Path, pool: Sequence[Texts], held_out: Sequence[Question]) -> list[ScoredPrompt]:
    """Return the prompts of a search, or of a ledger those that hold demonstrations of the pool, with their scores on
    questions that are not `held_out`."""
    if run.is_file():
        return prompts_of_ledger(run, pool, {question.id for question in held_out})
    if not (run / "config.json").is_file():
        wrong = "is neither the run directory of a search nor a ledger" if run.exists() else "does not exist"
        raise InputError(f"{run} {wrong}: correct the path, or leave it out")
    if is_evaluation(run):
        raise InputError(f"{run} is an evaluation, not a search: name its ledger instead")
    return _candidates_of(run, {question.query for question in held_out})


def _candidates_of(run: Path, held_out: Set[str]) -> list[ScoredPrompt]:
    """Return the candidates of a search with their scores on its search questions, without questions whose first turn
    is among `held_out`."""
    results = read_search_results(run)
    if results.material is None:
        return []
    texts = {name: demonstration.texts for name, demonstration in results.material.demonstrations.items()}
    asked = {name for name, question in results.material.questions.items() if question.query not in held_out}
    prompts = [
        ScoredPrompt(
            tuple(texts[name] for name in candidate.demonstrations),
            {name: score for name, score in scored.scores.items() if name in asked},
        )
        for candidate, scored in results.search.items()
    ]
    return [prompt for prompt in prompts if prompt.scores]


def _known_effects(prompts: Sequence[ScoredPrompt]) -> dict[Texts, float]:
    """Return the posterior mean of each demonstration that some of the prompts hold, and not all of them."""
    if not prompts:
        return {}
    always = set.intersection(*(set(prompt.demonstrations) for prompt in prompts))
    varied = sorted({texts for prompt in prompts for texts in prompt.demonstrations} - always)
    telling = [prompt for prompt in prompts if not always.issuperset(prompt.demonstrations)]
    asked = sorted({question for prompt in telling for question in prompt.scores})[:_MOST_QUESTIONS]
    number, place = {texts: at for at, texts in enumerate(varied)}, {name: at for at, name in enumerate(asked)}
    scores = ObservedScores()
    for prompt in prompts:
        members = tuple(number[texts] for texts in prompt.demonstrations if texts in number)
        met = {place[question]: value for question, value in prompt.scores.items() if question in place}
        if met:
            scores.tell(members, [*met], [*met.values()])
    if not varied or not scores.sets:
        return {}
    spread = float(np.concatenate(scores.values).std()) / USUAL_SPREAD
    fit = EffectsModel(len(asked), len(varied), None, spread or 1.0).fit(scores)
    return dict(zip(varied, fit.worths(fit.mean).tolist(), strict=True))
