"""Searches that an experiment needs before it has cells."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from configs.errors import InputError
from configs.schema.experiment import ExperimentConfig
from evaluators.failures import ReferencesMissing
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.found_sets import FoundSet, SearchTask
from search.experiments.places import ledger_of, search_folder
from search.experiments.rounds import added_demonstrations, averaged_results, met_all, rounds_of
from search.experiments.setting import Setting
from search.experiments.single_scores import scored_alone
from search.problem.candidate import OWN, Candidate
from search.problem.decodings import decoding_of
from search.problem.material import Material
from search.prompts.demonstration import Demonstration
from search.report.comparison import finalists
from search.results.candidate_results import CandidateResults
from search.results.search_results import SearchResults, read_search_results
from search.run_directory.files import holds_run
from search.run_directory.journal import OtherEnd
from search.running.coordinator import BasePromptRefused
from search.running.launch import launch, resume
from search.statistics.estimates import Estimate
from workers.failures import PromptsTooLong

CANNOT_RUN = (PromptsTooLong, BasePromptRefused, ReferencesMissing)
"""What concerns one search alone: its prompts are holes, and everything else goes on."""

Sets = Mapping[int, tuple[Candidate, Estimate]]
"""A candidate and its mean while searching, by number of chosen demonstrations."""

_log = logging.getLogger(__name__)


def run_searches(experiment: Experiment, config: ExperimentConfig, path: Path, console: Console | None) -> FoundSets:
    """Start them, go on with them, or find them finished; what they found, by name, or why they cannot run."""
    tasks = tasks_of(experiment, config, path)
    return {task.name: _search(task, search_folder(path, task.name), console) for task in tasks}


def tasks_of(experiment: Experiment, config: ExperimentConfig, path: Path) -> list[SearchTask]:
    """The experiment's searches, on its own ledger."""
    ledger = ledger_of(config, path)
    return [
        SearchTask(task.name, task.config.model_copy(update={"ledger_path": ledger}))
        for task in experiment.searches(Setting(config))
    ]


def longest_sets(tasks: Sequence[SearchTask], setting: Setting, refused: Mapping[str, str]) -> dict[str, FoundSet]:
    """The most that these searches can find: the longest demonstrations of the pool.

    Args:
        refused: why some of them cannot run, by name.
    """
    if not tasks:
        return {}
    pool = sorted(_searched(tasks[0], setting), key=lambda demonstration: -demonstration.characters)
    rules, base = setting.base_prompt.rules, setting.base_prompt.demonstrations
    return {
        task.name: FoundSet(refused=refused[task.name])
        if task.name in refused
        else FoundSet(
            rules,
            {size: (*pool[:size], *base) for size in range(task.config.strategy.max_demonstrations + 1)},
            alone=tuple(pool),
        )
        for task in tasks
    }


def _searched(task: SearchTask, setting: Setting) -> tuple[Demonstration, ...]:
    """The pool of a search; all of an experiment's have the same."""
    return Setting(setting.config.model_copy(update={"pool": task.config.pool})).pool


def _search(task: SearchTask, folder: Path, console: Console | None) -> FoundSet:
    try:
        if holds_run(folder):
            resume(folder, console, task.config)
        else:
            launch(task.config, folder, console)
    except OtherEnd as error:
        _log.warning("the search '%s' stays as it ended: %s", task.name, error)
    except CANNOT_RUN as error:
        _log.warning("the search '%s' cannot run: %s", task.name, error)
        return FoundSet(refused=str(error))
    return found_in(folder)


def found_in(run: Path) -> FoundSet:
    """What the search in this directory has found so far. Raises InputError where it holds none that has begun."""
    return found_by(read_search_results(run))


def found_by(results: SearchResults) -> FoundSet:
    """What this search has found so far. Raises InputError where it has not begun."""
    material = results.material
    if material is None:
        raise InputError(f"{results.path}: the search has not begun; wait until it has scored demonstrations")
    is_papers = results.config.strategy.kind == "exhaustive_greedy"
    first = results.journal.ranked_first
    search = averaged_results(results) if is_papers else results.search
    best = best_by_size(search, material, results.confidence, first if is_papers else None)
    leader = next((finalist for finalist in finalists(results)[:-1] if finalist.candidate == first), None)
    return FoundSet(
        rules=material.rules,
        by_size={size: material.shown(candidate) for size, (candidate, _) in best.items()},
        alone=scored_alone(search, material, results.confidence),
        scores={size: score for size, (_, score) in best.items()},
        decodings={
            size: decoding_of(results.config, candidate)
            for size, (candidate, _) in best.items()
            if candidate.decoding != OWN
        },
        rounds=rounds_of(search, material, first) if is_papers else {},
        search_questions=frozenset(question.id for question in material.search),
        leader=leader,
        proven=leader is None or leader.role != "runner-up",
        chosen=0 if leader is None else len(added_demonstrations(leader.candidate, material)),
        judged=sum(len(scored.scores) + len(scored.failures) for scored in results.search.values()),
        spend=results.spend,
    )


def best_by_size(
    search: Mapping[Candidate, CandidateResults],
    material: Material,
    confidence: float,
    accepted: Candidate | None = None,
) -> Sets:
    """The best mean by number of chosen demonstrations, among the candidates that have answered all search questions; 0
    is the base prompt.

    Args:
        accepted: what the last round of the paper's search kept. The first demonstrations of it are what each round has
            kept, and that is not always the best mean.
    """
    best = dict[int, tuple[Candidate, Estimate]]()
    kept = added_demonstrations(accepted, material) if accepted else None
    for candidate, scored in search.items():
        added, mean = added_demonstrations(candidate, material), scored.mean(confidence)
        if mean is None or not met_all(scored, material):
            continue
        rank, before = (_begins(kept, added), mean.mean), best.get(len(added))
        if before is None or rank > (_begins(kept, added_demonstrations(before[0], material)), before[1].mean):
            best[len(added)] = candidate, mean
    return best


def _begins(kept: tuple[str, ...] | None, added: tuple[str, ...]) -> bool:
    return kept is not None and kept[: len(added)] == added
