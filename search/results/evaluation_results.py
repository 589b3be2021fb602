"""Everything that the directory of an evaluation says, read once, without disturbing whoever works on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.schema.evaluation import EvaluationConfig
from configs.score_bounds import Bounds, score_bounds
from search.results.comparison import VariantResult
from search.results.evaluation_material import EvaluationMaterial
from search.results.evaluation_status import EvaluationStatus, read_evaluation
from search.results.journal_results import CandidateResults
from search.run_directory.files import missing, refusing_damage
from search.run_directory.run import ledger_path, read_evaluation_config, read_manifest, read_material


@dataclass(frozen=True, slots=True)
class EvaluationResults:
    """What is known of one evaluation.

    Attributes:
        material: None while the first model is still loading for the first time.
        outcomes: of the variants that are through, in their order; the others are compared with the first.
    """

    path: Path
    status: EvaluationStatus
    config: EvaluationConfig
    manifest: Mapping[str, Any]
    material: EvaluationMaterial | None
    outcomes: tuple[VariantResult, ...]

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


def read_evaluation_results(path: Path) -> EvaluationResults:
    """Read the evaluation at `path`. Raises InputError where there is none."""
    status = read_evaluation(path)
    started = (path / "material.json").exists()
    return EvaluationResults(
        path=path,
        status=status,
        config=read_evaluation_config(path),
        manifest=_read_manifest(path, started),
        material=_read_material(path) if started else None,
        outcomes=status.outcomes,
    )


def _read_manifest(path: Path, started: bool) -> Mapping[str, Any]:
    file, manifest = path / "manifest.json", read_manifest(path)
    if not started:
        return manifest
    if not manifest:
        raise missing(file)
    with refusing_damage(file):
        return manifest | {"judge": manifest["judge"]}


def _read_material(path: Path) -> EvaluationMaterial:
    with refusing_damage(path / "material.json"):
        return EvaluationMaterial.from_json(read_material(path))


def told(outcome: VariantResult, bounds: Bounds | None = None) -> CandidateResults:
    """Return a variant's results as a search's report has a candidate's."""
    turns = {name: tuple(scores) for name, scores in outcome.turns.items()}
    return CandidateResults(
        0, dict(outcome.scores), dict(outcome.failures), dict(outcome.lengths), turns, bounds=bounds
    )
