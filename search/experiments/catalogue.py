"""The experiments by name: each is the module of that name beside this one, loaded when it is asked for."""

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, get_args

from configs.errors import InputError
from configs.schema.experiment_names import ExperimentName

if TYPE_CHECKING:
    from search.experiments.experiment import Experiment

EXPERIMENTS: tuple[str, ...] = get_args(ExperimentName)


def experiment_named(name: str) -> "Experiment":
    """Raises InputError where there is none, with the nearest."""
    if name in EXPERIMENTS:
        experiment: Experiment = import_module(f"search.experiments.{name}").EXPERIMENT
        return experiment
    near = get_close_matches(name.replace("-", "_"), EXPERIMENTS, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"choose from {', '.join(EXPERIMENTS)}"
    raise InputError(f"there is no experiment '{name}'; {hint}")
