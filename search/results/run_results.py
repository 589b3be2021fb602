"""What every run directory says, a search's as an evaluation's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from configs.schema.evaluation import EvaluationConfig
from configs.schema.judge_knobs import Bounds
from configs.schema.run import RunConfig
from configs.score_bounds import score_bounds
from evaluators.evaluation import Failure
from evaluators.ledger.queries import read_failures, read_spend
from evaluators.ledger.spend import Spend
from search.run_directory.files import missing, refusing_damage
from search.run_directory.run import ledger_path, read_manifest, read_material
from search.run_directory.state import State

M = TypeVar("M")


@dataclass(frozen=True)
class RunResults:
    """What the results of searches and of evaluations share.

    Attributes:
        run: the id under which its spend stands in the ledger.
        reason: why it stopped, where it has.
    """

    path: Path
    config: RunConfig | EvaluationConfig
    run: str
    state: State
    reason: str

    @property
    def confidence(self) -> float:
        return self.config.scoring.confidence

    @property
    def bounds(self) -> Bounds | None:
        """Lowest and highest score there can be; None where that is not known."""
        return score_bounds(self.config.scoring, self.config.judge)

    @property
    def ledger(self) -> Path:
        return ledger_path(self.path, self.config)

    @cached_property
    def spend(self) -> Spend:
        return read_spend(self.ledger, self.run)

    @cached_property
    def failures(self) -> list[Failure]:
        """Items that have failed and not succeeded since, the latest failure of each."""
        return read_failures(self.ledger, self.run)

    def _read_material(self, started: bool, checked: Callable[[Mapping[str, Any]], M]) -> M | None:
        """The material; None while a run that has not started loads its model for the first time.

        Args:
            checked: makes it of the file's content; raises ValueError where that belongs to another run.

        Raises:
            InputError: it is lost or damaged, or belongs to another run.
        """
        file = self.path / "material.json"
        if not file.exists():
            if started:
                raise missing(file)
            return None
        with refusing_damage(file):
            return checked(read_material(self.path))

    def _read_manifest(self, started: bool, *needed: str) -> Mapping[str, Any]:
        """Empty while a run that has not started loads its model for the first time.

        Args:
            needed: entries of that of a run that has started.

        Raises:
            InputError: it is lost or damaged.
        """
        file, manifest = self.path / "manifest.json", read_manifest(self.path)
        if not started:
            return manifest
        if not manifest:
            raise missing(file)
        with refusing_damage(file):
            return manifest | {name: manifest[name] for name in needed}
