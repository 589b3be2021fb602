"""What earlier searches say of demonstrations that this pool shares with theirs: a hint, whose worth is learnt.

Another model, judge or benchmark orders demonstrations alike to some degree; how far, the effects model of the new
search finds out from its own answers (`search.statistics.effects`). Demonstrations are the same where all their texts
are.
"""

from collections.abc import Sequence, Set
from itertools import chain, islice, zip_longest
from pathlib import Path

import numpy as np

from configs.errors import InputError
from configs.plural import show_many
from evaluators.question import Question
from search.problem.material import Material
from search.problem.space import SearchSpace
from search.results.search_results import read_search_results
from search.run_directory.files import Floats, holds_run, keep_array, read_array
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
    effects_by_texts = known_effects(prompts)
    shared = [place for place, text in enumerate(texts) if text in effects_by_texts]
    if len(shared) < _FEWEST:
        raise InputError(
            f"{_KNOB}: {run} has scored {show_many(len(shared), 'demonstration')} of this pool on questions that are "
            f"not held out here, and {_FEWEST} are needed: name a search on the same demonstrations, or its ledger"
        )
    values = np.array([effects_by_texts[texts[place]] for place in shared])
    effects = np.zeros(len(texts))
    effects[shared] = (values - values.mean()) / (values.std() or 1.0)
    return effects


def _prompts_of(run: Path, pool: Sequence[Texts], held_out: Sequence[Question]) -> list[ScoredPrompt]:
    """Return the prompts of a search, or of a ledger those that hold demonstrations of the pool, with their scores on
    questions that are not `held_out`."""
    if run.is_file():
        return prompts_of_ledger(run, pool, {question.id for question in held_out})
    if not holds_run(run):
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


def known_effects(prompts: Sequence[ScoredPrompt]) -> dict[Texts, float]:
    """Return the posterior mean of each demonstration that some of the prompts hold, and not all of them. At most 400
    questions are used, as many of one source as of another; what was scored on none of these is not known."""
    asked = _questions_in_turn({question for prompt in _telling(prompts) for question in prompt.scores})
    place = {name: at for at, name in enumerate(asked)}
    used = [prompt for prompt in prompts if not place.keys().isdisjoint(prompt.scores)]
    varied = sorted({texts for prompt in _telling(used) for texts in prompt.demonstrations} - _in_all(used))
    if not varied:
        return {}
    number, scores = {texts: at for at, texts in enumerate(varied)}, ObservedScores()
    for prompt in used:
        members = tuple(number[texts] for texts in prompt.demonstrations if texts in number)
        met = {place[question]: value for question, value in prompt.scores.items() if question in place}
        scores.tell(members, [*met], [*met.values()])
    spread = float(np.concatenate(scores.values).std()) / USUAL_SPREAD
    fit = EffectsModel(len(asked), len(varied), None, spread or 1.0).fit(scores)
    return dict(zip(varied, fit.worths(fit.mean).tolist(), strict=True))


def _in_all(prompts: Sequence[ScoredPrompt]) -> set[Texts]:
    """Return the demonstrations that all of the prompts hold."""
    return set.intersection(*(set(prompt.demonstrations) for prompt in prompts)) if prompts else set()


def _telling(prompts: Sequence[ScoredPrompt]) -> list[ScoredPrompt]:
    """Return the prompts that hold a demonstration which others do not."""
    always = _in_all(prompts)
    return [prompt for prompt in prompts if not always.issuperset(prompt.demonstrations)]


def _questions_in_turn(names: Set[str]) -> list[str]:
    """Return the questions to use, one of each source (a model and a judge, as `earlier_ledger` writes them before the
    question's id) in turn: those of the first source alone would leave out what only another has scored."""
    by_source: dict[str, list[str]] = {}
    for name in sorted(names):
        by_source.setdefault(name.rpartition("\0")[0], []).append(name)
    in_turn = chain.from_iterable(zip_longest(*by_source.values()))
    return [*islice((name for name in in_turn if name is not None), _MOST_QUESTIONS)]
