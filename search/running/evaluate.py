"""Score prompts on a benchmark, without a search."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from configs.errors import InputError
from configs.schema.evaluation import EvaluationConfig
from configs.schema.model import AnyModelConfig, ServedModelConfig
from configs.score_bounds import score_bounds
from evaluators.budget import Budget
from evaluators.counts import Counts
from evaluators.evaluator import Evaluator
from evaluators.generation import Answers
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import read_spend
from evaluators.panel import Panel
from evaluators.task_group import task_group
from evaluators.utilization import Utilization
from search.live.console import ProgressConsole
from search.live.progress import View, make_views, watching
from search.live.snapshot import Position
from search.problem.candidate import OWN, Candidate
from search.problem.prompt_variant import PromptVariant
from search.problem.split import digest_of
from search.problem.trial import Trial
from search.results.alpaca_eval import write_places
from search.results.comparison import VariantResult, read_variant_results, write_variant_results
from search.results.evaluation_material import EvaluationMaterial
from search.results.evaluation_status import EvaluationStatus, read_evaluation
from search.run_directory.files import write_json
from search.run_directory.run import TALLY, Run, is_evaluation, ledger_path
from search.running.evaluation_plan import EvaluationPlan, make_evaluation_plan
from search.running.launch import conduct
from search.running.lost_rows import refuse_lost_rows
from search.running.models import make_model
from search.running.prices import price_of
from search.running.scorer import Scorer
from search.running.token_limit import refuse_long_prompt
from search.running.usage_clock import TimeKeeper, clock_from_now, gpus_each, utilization_of
from workers.activity import WorkersActivity
from workers.service.activity import ServiceActivity
from workers.text_model import TextModel

_log = logging.getLogger(__name__)


def evaluate(
    config: EvaluationConfig, path: Path, console: Console | None = None, *, pay_again: bool = False
) -> EvaluationStatus:
    """Score every variant, in the directory `path`: a new one, or that of an earlier evaluation, which may have had
    other variants. What was paid for there is not paid for again, and what failed there is tried again.

    Args:
        pay_again: go on although the ledger has lost rows that were paid for.

    Raises:
        InputError: something is wrong with config, files, models or directory.
        RunStopped: it cannot go on now; everything paid for is kept, and the same call goes on.
    """
    plan = make_evaluation_plan(config, path)
    _refuse_missing_keys(plan)
    is_new = not (path / "config.json").exists()
    run = _open(path, config)
    for notice in plan.notices:
        _log.warning("%s", notice)
    view = make_views(console or ProgressConsole(), run.path)
    try:
        conduct(run, lambda: _evaluate(plan, run, view, pay_again))
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
    if not (path / "config.json").exists():
        return Run.create(path, config)
    if not is_evaluation(path):
        raise InputError(f"{path} holds a search: give another --run-dir")
    return Run.open(path)


async def _evaluate(plan: EvaluationPlan, run: Run, view: View, pay_again: bool) -> None:
    config, clock = plan.config, clock_from_now()
    way_on = f"the same command with `--run-dir {run.path} --set {{knob}}=...`"
    run.refuse_changes(_manifest(plan))
    refuse_lost_rows(run, ledger_path(run.path, config), pay_again)
    spent = read_spend(ledger_path(run.path, config), run.id)
    Budget(config.budget, lambda: spent, way_on).check()
    ledger = Ledger(ledger_path(run.path, config), run.id, run.path / TALLY)
    try:
        budget = Budget(config.budget, lambda: ledger.spend, way_on)
        bout = _Bout(plan, run, ledger, budget)
        keeper = TimeKeeper(ledger=ledger, budget=budget, utilization=bout.utilization, clock=clock)
        async with keeper.kept(), bout.judged():
            for model, variants in plan.by_model():
                async with (
                    bout.loaded(model, variants),
                    watching(bout, view, config.scoring.confidence, clock, score_bounds(config.scoring, config.judge)),
                    task_group() as tasks,
                ):
                    for one in variants:
                        tasks.create_task(bout.score(one))
            bout.note_places()
    finally:
        await ledger.close()


def _manifest(plan: EvaluationPlan) -> dict[str, Any]:
    """What is known before anything is loaded: what all variants have in common, without which their scores would
    not be comparable, and what each of them is, but for its model."""
    config = plan.config
    return {
        **{f"variant {one.name}": _identity(one) for one in plan.variants},
        "questions": f"{len(plan.questions)} questions, {digest_of(plan.questions)[:16]}",
        "scoring": config.scoring.model_dump(mode="json", include={"objective", "max_failed_share"}),
        "ledger": str(config.ledger_path) if config.ledger_path else "in the run directory",
    }


class _Bout:
    """An evaluation under way."""

    def __init__(self, plan: EvaluationPlan, run: Run, ledger: Ledger, budget: Budget) -> None:
        self._plan = plan
        self._run = run
        self._ledger = ledger
        self._budget = budget
        self._counts = Counts()
        self._panel = Panel(plan.members, ledger=ledger, budget=budget, counts=self._counts)
        self._before = {
            one.name: one for one in read_variant_results(run.path / "results.json")[0]
        }  # by an earlier call
        self._outcomes: dict[str, VariantResult] = {}
        self._model: TextModel | None = None
        self._answers: Answers | None = None  # of that model
        self._gpus = 0.0  # of each worker of that model
        self._utilization = Utilization()  # of the models before it

    @asynccontextmanager
    async def judged(self) -> AsyncIterator[None]:
        """While the judges are there."""
        try:
            for member in self._plan.members:
                await member.judge.start()
            self._run.refuse_changes(self._judges())
            await self._panel.start()
            await self._plan.judge_models.note_started()
            yield
        finally:
            await self._panel.close()

    @asynccontextmanager
    async def loaded(self, config: AnyModelConfig, variants: list[PromptVariant]) -> AsyncIterator[None]:
        """While this model is there. Raises InputError where a variant's prompts do not fit it, or have changed."""
        _log.info("loading %s", config.name)
        workers = self._plan.config.workers
        self._model = model = make_model(config, workers)
        try:
            card = await model.start()
            _log.info("%s is ready on %s", config.name, card.device)
            self._gpus = gpus_each(card, workers)
            for one in variants:
                name, new_tokens = f"the prompt of '{one.name}'", one.decoding.max_new_tokens
                await refuse_long_prompt(name, one.block(self._plan.questions), new_tokens, model, card)
            self._begin({f"model of {one.name}": card.fingerprint for one in variants})
            self._answers = Answers(
                model=model,
                card=card,
                ledger=self._ledger,
                budget=self._budget,
                counts=self._counts,
                price=price_of(config),
            )
            yield
        finally:
            await model.close()
            self._utilization += utilization_of(model.activity(), self._gpus)
            self._model, self._gpus = None, 0.0

    def _begin(self, models: dict[str, str]) -> None:
        """These models' variants can be asked: from here on the directory is this evaluation's."""
        self._run.check_manifest(_manifest(self._plan) | self._judges() | models, growing=True)
        self._run.begin()
        self._run.replace_config(self._plan.config)
        material = EvaluationMaterial.of(self._plan.questions, self._plan.variants)
        write_json(self._run.path / "material.json", material.to_json())

    def _judges(self) -> dict[str, Any]:
        return {"judge": [[one.judge.fingerprint, one.weight, one.repeats, one.average] for one in self._plan.members]}

    async def score(self, variant: PromptVariant) -> None:
        """Have this variant answer and be judged, and keep what comes of it. Prompts that variants have in common
        are answered once."""
        assert self._answers is not None
        evaluator = Evaluator(
            answers=self._answers,
            panel=self._panel,
            objective=self._plan.objective,
            ledger=self._ledger,
            counts=self._counts,
            clean=variant.renderer.clean,
        )
        scorer = Scorer(
            renderer=variant.renderer,
            rules=variant.rules,
            demonstrations={one.id: one for one in variant.demonstrations},
            questions={one.id: one for one in self._plan.questions},
            evaluator=evaluator,
            decodings={OWN: variant.decoding},
            max_failed_share=self._plan.config.scoring.max_failed_share,
        )
        candidate = Candidate(tuple(one.id for one in variant.demonstrations))
        scored = await scorer.score(Trial(candidate, tuple(one.id for one in self._plan.questions)))
        self._outcomes[variant.name] = VariantResult.of(variant.name, scored)
        self._write()

    def _write(self) -> None:
        known = self._before | self._outcomes
        through = [known[one.name] for one in self._plan.variants if one.name in known]
        write_variant_results(self._run.path / "results.json", through, self._plan.categories)

    def note_places(self) -> None:
        """What AlpacaEval's leaderboard would say, where its judge has judged."""
        config = self._plan.config
        if config.judge.kind == "alpaca_eval":
            source = config.questions.baseline_path or config.questions.path
            baseline = source.stem if source else config.questions.hub or ""
            write_places(self._run.path, list(self._outcomes.values()), self._plan.questions, baseline)

    def position(self) -> Position:
        return Position("evaluate", len(self._outcomes), self._counts.evaluated, self._plan.evaluations)

    def counts(self) -> Counts:
        return self._counts

    def activity(self) -> WorkersActivity:
        return self._model.activity() if self._model else WorkersActivity()

    def services(self) -> list[ServiceActivity]:
        return self._plan.judge_models.services()

    def budget(self) -> Budget:
        return self._budget

    def utilization(self) -> Utilization:
        """The utilization of all models so far."""
        judges = self._plan.judge_models.utilization(self._counts.waits.seconds)
        return self._utilization + utilization_of(self.activity(), self._gpus) + judges


def _identity(variant: PromptVariant) -> dict[str, Any]:
    """What decides a variant's answers, beside its model."""
    return {
        "prompt": variant.digest,
        "render": variant.render.model_dump(mode="json"),
        "decoding": asdict(variant.decoding),
    }
