"""The experiments by name."""

from difflib import get_close_matches

from configs.errors import InputError
from search.experiments import (
    aligned,
    components,
    decoding,
    greedy,
    icl_vs_finetuning,
    many_shot,
    matching,
    multi_turn,
    sufficient,
    transfer,
)
from search.experiments.experiment import Experiment

_ALL: tuple[Experiment, ...] = (
    greedy.EXPERIMENT,
    components.EXPERIMENT,
    many_shot.EXPERIMENT,
    decoding.EXPERIMENT,
    matching.EXPERIMENT,
    multi_turn.EXPERIMENT,
    aligned.EXPERIMENT,
    icl_vs_finetuning.EXPERIMENT,
    transfer.EXPERIMENT,
    sufficient.EXPERIMENT,
)
EXPERIMENTS = {experiment.name: experiment for experiment in _ALL}


def experiment_named(name: str) -> Experiment:
    """Raises InputError where there is none, with the nearest."""
    if name in EXPERIMENTS:
        return EXPERIMENTS[name]
    near = get_close_matches(name.replace("-", "_"), EXPERIMENTS, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"experiments are: {', '.join(EXPERIMENTS)}."
    raise InputError(f"There is no experiment '{name}'; {hint}")
