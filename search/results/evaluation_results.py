"""Everything that the directory of an evaluation says, read without disturbing whoever works on it; no model,
tokenizer, hub or original file is needed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from configs.errors import InputError
from configs.schema.evaluation import EvaluationConfig
from configs.schema.judge_knobs import Bounds
from search.problem.trial import ScoredTrial
from search.prompts.render import answer_cleaner
from search.results.alpaca_eval import Place, read_places
from search.results.candidate_results import CandidateResults
from search.results.comparison import Result, compare
from search.results.evaluation_material import EvaluationMaterial
from search.results.lost_rows import lost_rows
from search.results.run_results import RunResults
from search.results.stored_answers import StoredAnswer, read_stored_answers
from search.run_directory.files import Damage
from search.run_directory.run import read_evaluation_config, read_id
from search.run_directory.state import read_state
from search.run_directory.variant_records import RESULTS, VariantRecord, read_variant_records


@dataclass(frozen=True)
class EvaluationResults(RunResults):
    """Results of one evaluation.

    Attributes:
        records: of the variants that are through, in their order; the others are compared with the first.
    """

    config: EvaluationConfig
    records: tuple[VariantRecord, ...]

    @cached_property
    def variants(self) -> Mapping[str, CandidateResults]:
        """Results by variant, as a search's are by candidate."""
        return {record.name: results_of(record.scored, self.bounds) for record in self.records}

    @cached_property
    def compared(self) -> tuple[Result, ...]:
        """Every variant beside the first one."""
        questions = self.material.questions if self.material else {}
        categories = {name: question.category for name, question in questions.items()}
        return compare(self.variants, categories, self.confidence, self.config.scoring.max_failed_share)

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """Empty while the first model is still loading for the first time. Raises InputError where it is lost."""
        return self._read_manifest((self.path / "material.json").exists(), "judge")

    @cached_property
    def material(self) -> EvaluationMaterial | None:
        """None while the first model is still loading for the first time. Raises InputError where it is lost, or
        belongs to another evaluation."""
        return self._read_material(bool(self.records), self._checked_material)

    def _checked_material(self, content: Mapping[str, Any]) -> EvaluationMaterial:
        """Raises ValueError where the results name what the material has not."""
        material = EvaluationMaterial.from_json(content)
        for record in self.records:
            asked = {*record.scored.trial.questions}
            strange = {record.name} - material.prompts.keys() or asked - material.questions.keys()
            if strange:
                raise Damage(f"it has no {min(strange)!r}, which the results name")
        return material

    @cached_property
    def lost(self) -> str:
        """What the ledger has lost, in a sentence; "" for nothing. The first variant's answers are looked up."""
        keys = self.records[0].scored.keys if self.records else {}
        return lost_rows(self.path, self.ledger, self.spend, keys)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """What AlpacaEval's leaderboard would say, where its judge has judged."""
        return read_places(self.path)

    def answers(self, record: VariantRecord, questions: Iterable[str] | None = None) -> dict[str, StoredAnswer]:
        """A variant's answers to these questions, by id, or to all; without those that the ledger has not."""
        keys = record.scored.keys
        wanted = keys if questions is None else {name: keys[name] for name in questions if name in keys}
        return read_stored_answers(self.ledger, wanted, self.cleaner(record))

    def cleaner(self, record: VariantRecord) -> Callable[[str], str]:
        """Turns the text of a variant's completion into the answer that the judge read."""
        renders = {variant.name: variant.render or self.config.render for variant in self.config.variants}
        return answer_cleaner(renders[record.name])


def read_evaluation_results(path: Path) -> EvaluationResults:
    """Read the evaluation at `path`. Raises InputError where there is none, or a file of it cannot be read."""
    state, reason = read_state(path)  # before the results, which may grow meanwhile
    records = read_variant_records(path)  # before the config, by which variants come and go
    config = read_evaluation_config(path)
    if state == "finished" and any(variant.name not in records for variant in config.variants):
        _refuse_lost_variants(path)
    return EvaluationResults(
        path=path,
        config=config,
        run=read_id(path),
        state=state,
        reason=reason,
        records=tuple(records[variant.name] for variant in config.variants if variant.name in records),
    )


def _refuse_lost_variants(path: Path) -> None:
    """Raises InputError, but where somebody works on the evaluation by now, and only its state was old."""
    if read_state(path)[0] == "finished":
        raise InputError(
            f"{path / RESULTS} has lost variants, since the evaluation has finished: restore it from a copy, or have "
            f"the same `demosearch evaluate` with `--run-dir {path}` write it again, which pays for nothing that the "
            "ledger holds"
        )


def results_of(scored: ScoredTrial, bounds: Bounds | None = None) -> CandidateResults:
    """What came of a single trial, its scores kept also where it has no mean."""
    return CandidateResults(
        0, dict(scored.scores), dict(scored.failures), dict(scored.lengths), dict(scored.turns), bounds=bounds
    )
