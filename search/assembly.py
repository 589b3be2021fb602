"""The composition root: the one place where the parts of a search are put together.

Heavy libraries are imported in the function that needs them, so that bad input is refused within a second.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

from configs.errors import InputError
from configs.schema import (
    ExhaustiveGreedyConfig,
    JudgeConfig,
    ModelConfig,
    MTBenchJudgeConfig,
    RandomConfig,
    RunConfig,
    StrategyConfig,
)
from evaluators.evaluator import Counts, Evaluator
from evaluators.judge import Judge
from evaluators.ledger import Ledger
from search.coordinator import Coordinator, Position
from search.journal import Journal
from search.material import Material, load_material
from search.render import Renderer, make_renderer
from search.run import Run, ledger_path, write_json
from search.scoring import Scorer
from search.space import SearchSpace
from search.strategy import Strategy
from workers.activity import WorkersActivity
from workers.failures import GenerationFailed
from workers.prompt import Decoding
from workers.text_model import Engine, ModelCard, TextModel


@dataclass(frozen=True, slots=True)
class Plan:
    """A search that could start: every input read and checked, nothing loaded and nothing spent."""

    config: RunConfig
    material: Material
    space: SearchSpace
    judge: Judge
    renderer: Renderer

    @property
    def decoding(self) -> Decoding:
        knobs = self.config.decoding.model_dump()
        stop = self.renderer.stop if self.config.decoding.stop is None else self.config.decoding.stop
        return Decoding(**knobs | {"stop": tuple(stop)})


@dataclass(frozen=True, slots=True)
class Search:
    """A search, wired: to be run, and to be looked at meanwhile."""

    card: ModelCard
    coordinator: Coordinator
    model: TextModel
    evaluator: Evaluator

    def position(self) -> Position:
        return self.coordinator.position()

    def counts(self) -> Counts:
        return self.evaluator.counts

    def activity(self) -> WorkersActivity:
        return self.model.activity()


def make_plan(config: RunConfig) -> Plan:
    """Read and check everything that a config names. Raises InputError."""
    renderer = make_renderer(config.render, config.model)
    material = load_material(config, renderer)
    judge = make_judge(config.judge)
    judge.check([*material.guiding, *material.held_out])
    space = material.space(config.strategy.insert, config.strategy.max_demonstrations)
    return Plan(config, material, space, judge, renderer)


@asynccontextmanager
async def assemble(plan: Plan, run: Run) -> AsyncIterator[Search]:
    """Load the model, open ledger and journal, wire the rest; give everything back at the end.

    Raises:
        InputError: the model cannot be loaded, the base prompt is too long for it, or the run was started under other
            conditions.
    """
    config = plan.config
    async with AsyncExitStack() as closing:
        closing.push_async_callback(plan.judge.close)
        model = make_model(config)
        closing.push_async_callback(model.close)
        card = await model.start()
        await _refuse_long_base(plan, model, card)
        run.check_manifest(make_manifest(plan, card))
        write_json(run.path / "material.json", plan.material.to_json())
        ledger = Ledger(ledger_path(run.path, config), run.id)
        closing.push_async_callback(ledger.close)
        evaluator = Evaluator(
            model=model,
            fingerprint=card.fingerprint,
            decoding=plan.decoding,
            judge=plan.judge,
            ledger=ledger,
            clean=plan.renderer.clean,
        )
        closing.push_async_callback(evaluator.close)
        scorer = Scorer(
            renderer=plan.renderer,
            rules=plan.material.rules,
            demonstrations=plan.material.demonstrations,
            questions=plan.material.questions,
            evaluator=evaluator,
            max_failed_share=config.scoring.max_failed_share,
        )
        await evaluator.start()
        journal = Journal(run.path / "journal.jsonl")
        closing.callback(journal.close)
        coordinator = Coordinator(
            strategy=make_strategy(config.strategy, plan.space, config.seed),
            scorer=scorer,
            journal=journal,
            space=plan.space,
            held_out=[question.id for question in plan.material.held_out],
            window=config.window,
            stop_after_failed=config.scoring.stop_after_failed,
        )
        yield Search(card, coordinator, model, evaluator)


async def _refuse_long_base(plan: Plan, model: TextModel, card: ModelCard) -> None:
    queries = [question.query for question in plan.material.questions.values()]
    block = plan.renderer.block(plan.material.rules, plan.material.base, queries)
    try:
        longest = max(await model.count_tokens(block))
    except GenerationFailed as error:
        raise InputError(f"the model cannot read the base prompt ({error})") from error
    if longest + plan.decoding.max_new_tokens > card.context_tokens:
        raise InputError(
            f"the base prompt with the longest question has {longest:,} tokens; with {plan.decoding.max_new_tokens:,} "
            f"new tokens that is more than the model's context of {card.context_tokens:,}: shorten base_prompt, or "
            "lower decoding.max_new_tokens"
        )


def make_manifest(plan: Plan, card: ModelCard) -> dict[str, Any]:
    """Everything that decides a run's outcome; a resumed run must agree in all of it."""
    config = plan.config
    settings = config.model_dump(mode="json", include={"seed", "strategy", "render", "scoring", "window"})
    versions = {name: version(name) for name in ("demosearch", "numpy", "optuna", "scipy")}
    return {
        **settings,
        "ledger": str(config.ledger_path) if config.ledger_path else "in the run directory",
        **plan.material.digests,
        "decoding": asdict(plan.decoding),
        "model": card.fingerprint,
        "judge": plan.judge.fingerprint,
        "versions": versions,
    }


def make_judge(config: JudgeConfig) -> Judge:
    """The judge of a config. Raises InputError when its prompts or its key are missing."""
    if isinstance(config, MTBenchJudgeConfig):
        from evaluators.judges.mt_bench import MTBenchJudge  # noqa: PLC0415 -- openai

        return MTBenchJudge.load(config)
    from evaluators.judges.reference import ReferenceJudge  # noqa: PLC0415 -- sacrebleu

    return ReferenceJudge(config)


def make_model(config: RunConfig) -> TextModel:
    """The model of a config, not started."""
    load = partial(load_engine, config.model)
    if config.workers.kind == "local":
        from workers.local_worker import LocalWorker  # noqa: PLC0415 -- chosen by the config

        return LocalWorker(load)
    from workers.ray_workers import RayWorkers  # noqa: PLC0415 -- ray

    return RayWorkers(load, config.workers)


def load_engine(config: ModelConfig) -> Engine:
    """Load the model in the process that calls this."""
    from workers.engines.transformers_engine import TransformersEngine  # noqa: PLC0415 -- torch

    return TransformersEngine.load(config)


def make_strategy(config: StrategyConfig, space: SearchSpace, seed: int) -> Strategy:
    """The strategy of a config."""
    if isinstance(config, ExhaustiveGreedyConfig):
        from search.strategies.exhaustive_greedy import ExhaustiveGreedy  # noqa: PLC0415 -- chosen by the config

        return ExhaustiveGreedy(space, config)
    if isinstance(config, RandomConfig):
        from search.strategies.random import RandomSearch  # noqa: PLC0415 -- chosen by the config

        return RandomSearch(space, config, seed)
    from search.strategies.optuna import OptunaSearch  # noqa: PLC0415 -- optuna

    return OptunaSearch(space, config, seed)
