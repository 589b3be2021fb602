"""Score prompts on a benchmark, without a search."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from configs.errors import InputError, RunStopped
from configs.schema.evaluation import EvaluationConfig
from configs.schema.model import AnyModelConfig, ServedModelConfig
from evaluators.task_group import task_group
from search.live.progress import View, make_views
from search.live.snapshot import Position
from search.problem.candidate import OWN, Candidate
from search.problem.prompt_variant import PromptVariant
from search.problem.split import digest_of
from search.problem.trial import NOT_LOADED, TOO_LONG, ScoredTrial, Trial
from search.results.alpaca_eval import write_places
from search.results.evaluation_material import EvaluationMaterial
from search.results.evaluation_status import EvaluationStatus, read_evaluation
from search.run_directory.files import holds_run, write_json
from search.run_directory.new_place import refuse_unusable_directory
from search.run_directory.run import Run, is_evaluation, ledger_path, read_evaluation_config
from search.run_directory.variant_records import (
    VariantRecord,
    has_version,
    read_variant_records,
    write_variant_records,
)
from search.running.evaluation_plan import EvaluationPlan, make_evaluation_plan
from search.running.launch import conduct
from search.running.lost_rows import refuse_lost_rows
from search.running.models import make_model
from search.running.place_check import models_of_judges, refuse_missing_equipment, refuse_missing_models
from search.running.scorer import Scorer
from search.running.token_limit import complaint_of_length, refuse_long_prompt
from search.running.usage_clock import clock_from_now
from search.running.workplace import LoadedModel, Workplace, opened_workplace, refuse_if_spent
from workers.failures import WorkersUnavailable

_log = logging.getLogger(__name__)


def evaluate(
    config: EvaluationConfig,
    path: Path | str,
    console: Console | None = None,
    *,
    pay_again: bool = False,
    leave_out: bool = False,
) -> EvaluationStatus:
    """Score every variant, in the directory `path`: a new one, or that of an earlier evaluation, which may have had
    other variants. What was paid for there is not paid for again, and what failed there is tried again.

    Args:
        pay_again: go on although the ledger has lost rows that were paid for.
        leave_out: a variant that cannot be asked (its prompts do not fit its model's context, or its model cannot be
            loaded) keeps the scores of an earlier call or gets a result without scores that says why, and the others
            are evaluated; else it is an error, and so it is where no model at all can be loaded.

    Raises:
        InputError: something is wrong with config, files, models or directory.
        RunStopped: it cannot go on now, or no variant could be scored (no error with `leave_out`); everything paid for
            is kept, and the same call goes on.
    """
    path = Path(path).absolute()  # a judge function may change the working directory
    is_new = not holds_run(path)
    if is_new:
        refuse_unusable_directory(path)
    plan = make_evaluation_plan(config, path)
    _refuse_missing_keys(plan)
    needed = [*models_of_judges(config.judge), *(() if leave_out else plan.models)]
    refuse_missing_models(needed)
    refuse_missing_equipment(needed)
    run = _open(path, config)
    for notice in plan.notices:
        _log.warning("%s", notice)
    view = make_views(console, run.path)
    try:
        conduct(run, lambda: _evaluate(plan, run, view, pay_again, leave_out))
    except InputError:
        if is_new and not run.started:
            run.discard()
        raise
    return read_evaluation(path)


def _refuse_missing_keys(plan: EvaluationPlan) -> None:
    """Raises InputError where a served model has no key or no address: before any other model is loaded or paid."""
    for model, _ in plan.by_model():
        if isinstance(model, ServedModelConfig):
            make_model(model, plan.config.workers)


def _open(path: Path, config: EvaluationConfig) -> Run:
    if not holds_run(path):
        return Run.create(path, config)
    refuse_search(path)
    return Run.open(path)


def refuse_search(path: Path) -> None:
    """Raise InputError where the run in `path` is a search."""
    if not is_evaluation(path):
        raise InputError(f"{path} holds a search: choose another --run-dir")


async def _evaluate(plan: EvaluationPlan, run: Run, view: View, pay_again: bool, leave_out: bool) -> None:
    config, clock = plan.config, clock_from_now()
    run.refuse_changes(planned_manifest(plan))
    refuse_lost_rows(run, ledger_path(run.path, config), pay_again)
    refuse_if_spent(run, config)
    async with opened_workplace(run, config, plan.judges) as workplace:
        evaluating = _Evaluating(workplace, plan, run, leave_out)
        judged = workplace.judged(lambda: run.refuse_changes(_judges(plan)))
        async with workplace.timed(clock), judged:
            for config_of_model, variants in plan.by_model():
                async with evaluating.loaded(config_of_model, variants) as model:
                    if model is None:
                        continue
                    async with workplace.watched(evaluating.position, view, clock), task_group() as tasks:
                        for variant in variants:
                            tasks.create_task(evaluating.score(variant, model))
            evaluating.end()


def refuse_to_go_on(config: EvaluationConfig, path: Path, *, pay_again: bool) -> None:
    """Raise what `evaluate` in the directory of an earlier evaluation would raise for rows that its ledger has lost,
    and a spent budget."""
    run = Run(path)
    if not pay_again:
        refuse_lost_rows(run, ledger_path(path, config), pay_again)
    refuse_if_spent(run, config)


def planned_manifest(plan: EvaluationPlan) -> dict[str, Any]:
    """What is known before anything is loaded: what all variants have in common, without which their scores would
    not be comparable, and what each of them is, but for its model."""
    config = plan.config
    return {
        **{f"variant {variant.name}": _identity(variant) for variant in plan.variants},
        "questions": f"{len(plan.questions)} questions, {digest_of(plan.questions)[:16]}",
        "scoring": config.scoring.model_dump(mode="json", include={"objective", "max_failed_share"}),
        "ledger": str(config.ledger_path) if config.ledger_path else "in the run directory",
    }


def _judges(plan: EvaluationPlan) -> dict[str, Any]:
    return {"judge": plan.judges.manifest()}


class _Evaluating:
    """An evaluation under way."""

    def __init__(self, workplace: Workplace, plan: EvaluationPlan, run: Run, leave_out: bool) -> None:
        self._workplace = workplace
        self._leaves_out = leave_out
        self._plan = plan
        self._run = run
        self._before = _records_of_the_same_models(plan, run)
        self._records: dict[str, VariantRecord] = {}
        self._has_begun = False
        self._refused: InputError | WorkersUnavailable | None = None  # why the last model that failed cannot be loaded

    @asynccontextmanager
    async def loaded(self, config: AnyModelConfig, variants: list[PromptVariant]) -> AsyncIterator[LoadedModel | None]:
        """Load this model for as long as this is open; None where it cannot be loaded and its variants are left out.

        Raises:
            InputError: a variant's prompts have changed, do not fit the model, or it cannot be loaded.
            WorkersUnavailable: there is no worker for it.
        """
        _log.info("loading %s", config.name)
        async with AsyncExitStack() as open_models:
            try:
                model = await open_models.enter_async_context(self._workplace.loaded(config))
            except (InputError, WorkersUnavailable) as error:
                if not self._leaves_out:
                    raise
                self._refused = error
                for variant in variants:
                    self._leave_out(variant, f"its model cannot be loaded: {error}", NOT_LOADED)
                yield None
                return
            _log.info("%s is ready on %s", config.name, model.card.device)
            for variant in variants:
                await self._check_length(variant, model)
            self._begin({f"model of {variant.name}": model.card.fingerprint for variant in variants})
            yield model

    async def _check_length(self, variant: PromptVariant, model: LoadedModel) -> None:
        name, new_tokens = f"the prompt of '{variant.name}'", variant.decoding.max_new_tokens
        block = variant.block(self._plan.questions)
        if not self._leaves_out:
            await refuse_long_prompt(name, block, new_tokens, model.model, model.card)
            return
        complaint = await complaint_of_length(name, block, new_tokens, model.model, model.card)
        if complaint is not None:
            self._leave_out(variant, f"context too short: {complaint}", TOO_LONG)

    def _leave_out(self, variant: PromptVariant, why: str, failure: str) -> None:
        """Keep the scores that an earlier call has; without them a record that says why.

        Args:
            failure: of each of its questions.
        """
        before = self._before.get(variant.name)
        if before and before.scored.scores:
            _log.warning("'%s' keeps the scores of an earlier call: %s", variant.name, why)
            self._records[variant.name] = before
            return
        _log.warning("'%s' is left out: %s", variant.name, why)
        failures = {question.id: failure for question in self._plan.questions}
        scored = ScoredTrial(self._trial(variant), {}, failures, None)
        self._records[variant.name] = VariantRecord(variant.name, scored, not_asked=why.rstrip("."))

    def _begin(self, models: dict[str, str]) -> None:
        """Begin with these models' variants: from here on the directory is this evaluation's."""
        self._run.check_manifest(planned_manifest(self._plan) | _judges(self._plan) | models, growing=True)
        self._run.begin()
        self._has_begun = True
        self._write()  # before the config changes: no score of another model stands under this one's name
        self._run.replace_config(self._plan.config)
        material = EvaluationMaterial.of(self._plan.questions, self._plan.variants)
        write_json(self._run.path / "material.json", material.to_json(), with_checksum=True)

    async def score(self, variant: PromptVariant, model: LoadedModel) -> None:
        """Have this variant answer and be judged, and keep what comes of it. Prompts that variants have in common
        are answered once."""
        if variant.name in self._records:  # it is left out
            return
        scorer = Scorer(
            renderer=variant.renderer,
            rules=variant.rules,
            demonstrations={demonstration.id: demonstration for demonstration in variant.demonstrations},
            questions={question.id: question for question in self._plan.questions},
            evaluator=self._workplace.evaluator(model, variant.renderer.clean),
            decodings={OWN: variant.decoding},
            max_failed_share=self._plan.config.scoring.max_failed_share,
        )
        self._records[variant.name] = VariantRecord(variant.name, await scorer.score(self._trial(variant)))
        self._write()

    def _trial(self, variant: PromptVariant) -> Trial:
        candidate = Candidate(tuple(demonstration.id for demonstration in variant.demonstrations))
        return Trial(candidate, tuple(question.id for question in self._plan.questions))

    def _write(self) -> None:
        records = self._before | self._records
        through = [records[variant.name] for variant in self._plan.variants if variant.name in records]
        write_variant_records(self._run.path, through)

    def end(self) -> None:
        """Write everything down. Raises what no model could be loaded for, RunStopped where no variant has a score."""
        if self._refused is not None and not self._has_begun:
            raise self._refused
        self._write()
        self._note_places()
        if not self._leaves_out and all(record.scored.mean is None for record in self._records.values()):
            name, record = next(iter(self._records.items()))
            raise RunStopped(
                f"no prompt could be scored; with '{name}', {record.scored.what_failed}: fix that, then go on"
            )

    def _note_places(self) -> None:
        """What AlpacaEval's leaderboard would say, where its judge has judged."""
        config = self._plan.config
        if config.judge.kind == "alpaca_eval":
            source = config.questions.baseline_path or config.questions.path
            baseline = source.stem if source else config.questions.hub or ""
            scored = [record for record in self._records.values() if record.scored.scores]
            write_places(self._run.path, scored, self._plan.questions, baseline)

    def position(self) -> Position:
        evaluated = self._workplace.counts().evaluated
        return Position("evaluate", len(self._records), evaluated, self._plan.evaluations)


def _records_of_the_same_models(plan: EvaluationPlan, run: Run) -> dict[str, VariantRecord]:
    """Read what an earlier call has of variants whose model is the same. Where that was before results had a version,
    nothing is read: the ledger has what they are made of."""
    if not has_version(run.path):
        return {}
    earlier = read_evaluation_config(run.path)
    before = {variant.name: variant.model or earlier.model for variant in earlier.variants}
    same = {variant.name for variant in plan.variants if before.get(variant.name) == variant.model}
    return {name: record for name, record in read_variant_records(run.path).items() if name in same}


def _identity(variant: PromptVariant) -> dict[str, Any]:
    """What decides a variant's answers, beside its model."""
    return {
        "prompt": variant.digest,
        "render": variant.render.model_dump(mode="json"),
        "decoding": asdict(variant.decoding),
    }
