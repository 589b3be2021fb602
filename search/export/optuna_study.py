"""A run's candidates as an Optuna study, for optuna-dashboard and Optuna's own plots. No search reads it."""

import warnings
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from statistics import fmean
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import SQLAlchemyError

from configs.errors import InputError
from configs.schema.run import RunConfig
from search.problem.candidate import OWN, Candidate
from search.problem.material import Material
from search.problem.space import SearchSpace
from search.prompts.render import restore_renderer
from search.results.candidate_results import CandidateResults
from search.results.journal_results import JournalResults
from search.results.search_results import SearchResults, read_search_results
from search.results.status import Status, status_of

_OWNER = "demosearch run"  # the study's mark: whose it is
_CONTENT = "demosearch content"  # and what it was filled with
_EMPTY = ""
_PLACE, _DECODING = "place", "decoding"
_CHOICES = 200  # ids a slot can show by name: Optuna writes all of them with every trial
_STEPS = 8  # intermediate values a trial; every one is a row


def fill_study(path: Path, url: str) -> int:
    """Put the candidates of the run at `path` into the study of its name in the database at `url`.

    One trial a candidate, in the order told. Its value is its mean over the search questions that it was asked,
    intermediate values are the mean after some of them. COMPLETE: asked as many as the base prompt, or recommended;
    PRUNED: left a race before; FAIL: has no mean. Parameters are the slots; with a large pool a slot is a place in the
    pool, 0 for none.

    A study that the same run has filled before is filled anew where the run has got further, and left alone elsewhere.

    Args:
        url: as SQLAlchemy takes it, such as `sqlite:///study.db`.

    Returns:
        Trials in the study.

    Raises:
        InputError: nothing is told yet; the database cannot be used; its study of this name is another run's, or holds
            trials of others.
    """
    results = read_search_results(path)
    trials = _make_trials(results)
    if not trials:
        raise InputError(f"{path} has no scored candidate yet: try again when `demosearch status {path}` shows one")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        _fill(RDBStorage(url), status_of(results), results.run, trials)
    except (SQLAlchemyError, ImportError, optuna.exceptions.StorageInternalError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"the database cannot be used ({reason}): give --output sqlite:///FILE") from error
    return len(trials)


def _fill(storage: RDBStorage, status: Status, run: str, trials: Sequence[FrozenTrial]) -> None:
    content = _digest(trials)
    if status.run in optuna.get_all_study_names(storage):
        study = optuna.load_study(study_name=status.run, storage=storage)
        _refuse_strangers(study, run)
        if study.user_attrs.get(_CONTENT) == content:
            return
        optuna.delete_study(study_name=status.run, storage=storage)
    study = optuna.create_study(study_name=status.run, storage=storage, direction="maximize")
    study.set_user_attr(_OWNER, run)
    study.add_trials(trials)
    for name, value in status.to_json().items():
        study.set_user_attr(name, value)
    study.set_user_attr(_CONTENT, content)


def _refuse_strangers(study: optuna.Study, run: str) -> None:
    if study.user_attrs.get(_OWNER) != run:
        raise InputError(
            f"the database has a study '{study.study_name}' that is not this run's: choose another --output, or rename "
            "the run's directory"
        )
    if any("demonstrations" not in trial.user_attrs for trial in study.get_trials(deepcopy=False)):
        raise InputError(
            f"the study '{study.study_name}' holds trials that demosearch has not written: choose another --output"
        )


def _digest(trials: Sequence[FrozenTrial]) -> str:
    content = [(trial.state.name, trial.values, trial.params, trial.user_attrs) for trial in trials]
    return sha256(repr(content).encode()).hexdigest()


def _make_trials(results: SearchResults) -> list[FrozenTrial]:
    if results.material is None or results.base is None:
        return []
    spelling, roles = _Spelling(results.config, results.material), _roles(results.journal)
    full = len(results.search[results.base].scores)
    return [_make_trial(results, candidate, spelling, roles.get(candidate, []), full) for candidate in results.search]


def _roles(journal: JournalResults) -> dict[Candidate, list[str]]:
    """What a candidate is called in the status."""
    roles: dict[Candidate, list[str]] = {}
    named = (("winner", journal.winner), ("runner-up", journal.runner_up), ("base prompt", journal.base))
    for name, candidate in named:
        if candidate is not None:
            roles.setdefault(candidate, []).append(name)
    return roles


def _make_trial(
    results: SearchResults, candidate: Candidate, spelling: "_Spelling", roles: list[str], full: int
) -> FrozenTrial:
    """Make a trial of one candidate.

    Args:
        full: questions that the base prompt was asked.
    """
    scores = [*results.search[candidate].scores.values()]
    complete = bool(roles) or len(scores) >= full
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return create_trial(
            state=TrialState.FAIL if not scores else TrialState.COMPLETE if complete else TrialState.PRUNED,
            value=fmean(scores) if scores else None,
            params=spelling.params(candidate),
            distributions=spelling.distributions,
            intermediate_values=_running_means(scores),
            user_attrs=_attributes(results, candidate, spelling, roles),
        )


def _attributes(
    results: SearchResults, candidate: Candidate, spelling: "_Spelling", roles: list[str]
) -> dict[str, Any]:
    search, held_out = results.search[candidate], results.held_out.get(candidate, CandidateResults(0))
    return {
        "demonstrations": list(candidate.demonstrations),
        "role": ", ".join(roles),
        "questions": len(search.scores),
        "failed": len(search.failures),
        "prompt": spelling.prompt_digest(candidate),
        "held-out score": fmean(held_out.scores.values()) if held_out.scores else None,
        "held-out questions": len(held_out.scores),
    }


def _running_means(scores: Sequence[float]) -> dict[int, float]:
    """Running means by number of questions, a few of them."""
    steps = sorted({round(len(scores) * part / _STEPS) for part in range(1, _STEPS + 1)} - {0})
    return {step: fmean(scores[:step]) for step in steps}


class _Spelling:
    """Candidates as parameters and as prompts."""

    def __init__(self, config: RunConfig, material: Material) -> None:
        self._material = material
        self._demonstrations = material.demonstrations
        self._renderer = restore_renderer(config.render, material.template)
        self._space: SearchSpace = material.space(config.strategy)
        self._places = {name: place for place, name in enumerate((_EMPTY, *self._space.pool))}
        self._by_name = len(self._places) <= _CHOICES
        slot: BaseDistribution = (
            CategoricalDistribution(tuple(self._places)) if self._by_name else IntDistribution(0, len(self._space.pool))
        )
        self.distributions: dict[str, BaseDistribution] = {
            "count": IntDistribution(0, self._space.max_added),
            **{f"slot {number + 1}": slot for number in range(self._space.max_added)},
        }
        if len(self._space.places) > 1:
            self.distributions[_PLACE] = CategoricalDistribution(self._space.places)
        if self._space.decodings:
            self.distributions[_DECODING] = CategoricalDistribution((OWN, *self._space.decodings))

    def params(self, candidate: Candidate) -> dict[str, Any]:
        """The slots from the first to the last, how many of them are filled; place and decoding where they vary."""
        added = self._space.added(candidate)
        slots = [*added, *[_EMPTY] * (self._space.max_added - len(added))]
        values = slots if self._by_name else [self._places[name] for name in slots]
        optional = {_PLACE: self._space.place(candidate), _DECODING: candidate.decoding}
        return {"count": len(added), **{f"slot {number + 1}": value for number, value in enumerate(values)}} | {
            name: value for name, value in optional.items() if name in self.distributions
        }

    def prompt_digest(self, candidate: Candidate) -> str:
        """SHA-256 of what all questions' prompts begin with."""
        shown = [self._demonstrations[name] for name in candidate.demonstrations]
        block = self._renderer.block(self._material.rules, shown, [(self._material.search[0].query,)])
        return sha256(block.prefix.encode()).hexdigest()
