"""The composition root: the one place where the parts of a search are put together.

Heavy libraries are imported in the function that needs them, so that bad input is refused within a second.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import asdict, dataclass
from importlib.metadata import version
from os import environ
from pathlib import Path
from typing import Any

import numpy as np

from configs.schema.run import RunConfig
from configs.schema.strategy import ScreeningConfig
from configs.schema.workers import WorkersConfig
from evaluators.budget import WAY_ON, Budget
from evaluators.counts import Counts
from evaluators.evaluator import Evaluator
from evaluators.generation import Answers
from evaluators.judges_from_config import make_panel_members
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import read_spend
from evaluators.ledger.spend import Spend
from evaluators.objective import Objective
from evaluators.panel import Panel, PanelMember
from evaluators.question import Question
from evaluators.utilization import Utilization
from search.live.snapshot import Position
from search.problem.candidate import OWN
from search.problem.decodings import make_decodings
from search.problem.material import Material, load_material
from search.problem.space import SearchSpace
from search.prompts.render import Renderer, make_renderer
from search.run_directory.files import Floats, write_json
from search.run_directory.journal import Journal
from search.run_directory.run import TALLY, Run, ledger_path
from search.running.coordinator import Coordinator
from search.running.earlier_runs import check_earlier_runs, earlier_effects
from search.running.judge_models import JudgeModels
from search.running.likelihood import ReferenceAnswers
from search.running.models import make_model, make_reward_model
from search.running.prices import price_of, refuse_unknown_prices
from search.running.scorer import Scorer
from search.running.service_check import refuse_unusable_services
from search.running.token_limit import limit_tokens, refuse_long_prompt
from search.running.usage_clock import TimeKeeper, gpus_each, utilization_of
from search.strategies.make import make_strategy
from search.trackers.make import refuse_missing_packages
from workers.activity import WorkersActivity
from workers.prompt import Decoding
from workers.service.activity import ServiceActivity
from workers.text_model import ModelCard, TextModel


@dataclass(frozen=True, slots=True)
class Plan:
    """A search that could start: every input read and checked, nothing loaded and nothing spent."""

    config: RunConfig
    material: Material
    space: SearchSpace
    members: tuple[PanelMember, ...]
    renderer: Renderer
    judge_models: JudgeModels

    @property
    def decodings(self) -> dict[str, Decoding]:
        """By the name that candidates have for them. Raises InputError."""
        return make_decodings(self.config, self.renderer)

    def reference_answers(self, space: SearchSpace) -> ReferenceAnswers | None:
        """Whose likelihood the strategy wants to know of the demonstrations of this space. Raises InputError."""
        strategy = self.config.strategy
        if not isinstance(strategy, ScreeningConfig) or not strategy.hints.likelihood_questions:
            return None
        return ReferenceAnswers(space, self.material, self.renderer, strategy.hints.likelihood_questions)

    @property
    def earlier_runs(self) -> tuple[Path, ...]:
        """Run directories whose results are a hint."""
        strategy = self.config.strategy
        return strategy.hints.runs if isinstance(strategy, ScreeningConfig) else ()


@dataclass(frozen=True, slots=True)
class Parts:
    """What scores trials: a loaded model, judges and a ledger, wired."""

    card: ModelCard
    model: TextModel
    evaluator: Evaluator
    scorer: Scorer
    ledger: Ledger
    budget: Budget
    judge_models: JudgeModels

    def keeper(self, workers: WorkersConfig, clock: Callable[[], float]) -> TimeKeeper:
        """The keeper of the time that these parts are in use, on workers of this config."""
        each = gpus_each(self.card, workers)

        def utilization() -> Utilization:
            judges = self.judge_models.utilization(self.evaluator.counts.waits.seconds)
            return utilization_of(self.model.activity(), each) + judges

        return TimeKeeper(ledger=self.ledger, budget=self.budget, utilization=utilization, clock=clock)


@dataclass(slots=True)
class AtWork:
    """Work that is done with some parts, to be looked at meanwhile; where it stands is its own to say."""

    parts: Parts

    def counts(self) -> Counts:
        return self.parts.evaluator.counts

    def activity(self) -> WorkersActivity:
        return self.parts.model.activity()

    def services(self) -> list[ServiceActivity]:
        return self.parts.judge_models.services()

    def budget(self) -> Budget:
        return self.parts.budget


@dataclass(slots=True)
class Search(AtWork):
    """A search, wired."""

    coordinator: Coordinator

    def position(self) -> Position:
        return self.coordinator.position()


def make_plan(config: RunConfig, path: Path, environment: Mapping[str, str] = environ) -> Plan:
    """Read and check everything that a config names; `path` is the run's. Raises InputError."""
    refuse_missing_packages(config.trackers)
    renderer = make_renderer(config.render, config.model)
    material = load_material(config, renderer)
    judge_models = JudgeModels(make_model, make_reward_model, path, environment)
    members = make_panel_members(config.judge, judge_models.models)
    objective = Objective.of(config.scoring)
    check_questions([*material.search, *material.held_out], objective, members)
    refuse_unknown_prices(config)
    refuse_unusable_services(config, environment)
    plan = Plan(config, material, material.space(config.strategy), members, renderer, judge_models)
    plan.reference_answers(plan.space)
    check_earlier_runs(plan.earlier_runs, plan.space, plan.material, path)
    make_decodings(config, renderer)
    return plan


@asynccontextmanager
async def assemble(plan: Plan, run: Run) -> AsyncIterator[Search]:
    """Wire a whole search; give everything back at the end.

    Raises:
        InputError: as `assemble_parts`, or the journal cannot be read.
    """
    config = plan.config
    async with assemble_parts(plan, run) as parts:
        limit = config.strategy.max_prompt_tokens
        space = await limit_tokens(plan.space, limit, plan.material, plan.renderer, parts.model)
        hints = await _hints(plan, space, parts, run.path)
        with closing(Journal(run.path / "journal.jsonl")) as journal:
            coordinator = Coordinator(
                strategy=make_strategy(config.strategy, space, config.seed, plan.material, run.path, hints),
                scorer=parts.scorer,
                journal=journal,
                space=space,
                held_out=[question.id for question in plan.material.held_out],
                window=config.window,
                scoring=config.scoring,
            )
            yield Search(parts, coordinator)


async def _hints(plan: Plan, space: SearchSpace, parts: Parts, folder: Path) -> Floats | None:
    """What is known of the demonstrations of the pool beforehand, [N, hints]; None where nothing is. Raises InputError
    and RunStopped."""
    hints = [earlier_effects(plan.earlier_runs, space, plan.material, folder)]
    if (answers := plan.reference_answers(space)) is not None:
        likelihood = await answers.likelihood(parts.model, parts.card, folder, parts.budget, parts.ledger)
        hints.append(likelihood[:, None])
    known = [hint for hint in hints if hint is not None]
    return np.hstack(known) if known else None


@asynccontextmanager
async def assemble_parts(plan: Plan, run: Run) -> AsyncIterator[Parts]:
    """Load model and judges, open the ledger, wire them; give everything back at the end.

    Raises:
        InputError: the model cannot be loaded, the base prompt is too long for it, or the run was started under other
            conditions.
    """
    config = plan.config
    async with AsyncExitStack() as stack:
        for member in plan.members:
            stack.push_async_callback(member.judge.close)
        model = make_model(config.model, config.workers)
        stack.push_async_callback(model.close)
        card = await model.start()
        await _refuse_long_base(plan, model, card)
        for member in plan.members:
            await member.judge.start()
        await plan.judge_models.note_started()
        run.check_manifest(make_manifest(plan, card) | run.succeeds)
        run.begin()
        write_json(run.path / "material.json", plan.material.to_json())
        ledger = Ledger(ledger_path(run.path, config), run.id, run.path / TALLY)
        stack.push_async_callback(ledger.close)
        budget = make_budget(config, run, lambda: ledger.spend)
        evaluator = make_evaluator(plan, model, card, ledger, budget)
        stack.push_async_callback(evaluator.close)
        await evaluator.start()
        scorer = Scorer(
            renderer=plan.renderer,
            rules=plan.material.rules,
            demonstrations=plan.material.demonstrations,
            questions=plan.material.questions,
            evaluator=evaluator,
            decodings=plan.decodings,
            max_failed_share=config.scoring.max_failed_share,
        )
        yield Parts(card, model, evaluator, scorer, ledger, budget, plan.judge_models)


def make_budget(config: RunConfig, run: Run, spend: Callable[[], Spend]) -> Budget:
    """The limits of a run, which say what can be done when they are reached."""
    return Budget(config.budget, spend, WAY_ON.replace("RUN", str(run.path)))


def refuse_if_spent(config: RunConfig, run: Run) -> None:
    """Raises BudgetSpent where nothing is left to spend, before a model is loaded for nothing."""
    spend = read_spend(ledger_path(run.path, config), run.id)
    make_budget(config, run, lambda: spend).check()


def make_evaluator(plan: Plan, model: TextModel, card: ModelCard, ledger: Ledger, budget: Budget) -> Evaluator:
    """Answers and judges as the plan wants it, kept in this ledger."""
    counts = Counts()
    answers = Answers(
        model=model,
        card=card,
        ledger=ledger,
        budget=budget,
        counts=counts,
        price=price_of(plan.config.model),
    )
    return Evaluator(
        answers=answers,
        panel=Panel(plan.members, ledger=ledger, budget=budget, counts=counts),
        objective=Objective.of(plan.config.scoring),
        ledger=ledger,
        counts=counts,
        clean=plan.renderer.clean,
    )


def check_questions(questions: Sequence[Question], objective: Objective, members: Sequence[PanelMember]) -> None:
    """Raises InputError where a question cannot be judged as the objective wants it."""
    objective.check(questions)
    turns = [turn for turn in range(objective.turns) if objective.counts(turn)]
    for member in members:
        member.judge.check(questions, turns)


async def _refuse_long_base(plan: Plan, model: TextModel, card: ModelCard) -> None:
    asked = [(question.query,) for question in plan.material.questions.values()]
    block = plan.renderer.block(plan.material.rules, plan.material.base, asked)
    longest = max(one.max_new_tokens for one in plan.decodings.values())
    await refuse_long_prompt("the base prompt", block, longest, model, card)


def make_manifest(plan: Plan, card: ModelCard) -> dict[str, Any]:
    """Everything that decides a run's outcome; a resumed run must agree in all of it."""
    config = plan.config
    settings = config.model_dump(mode="json", include={"seed", "strategy", "render", "scoring", "window"})
    others = plan.decodings
    own = others.pop(OWN)
    versions = {name: version(name) for name in ("demosearch", "numpy", "optuna", "scikit-learn", "scipy")}
    return {
        **settings,
        "ledger": str(config.ledger_path) if config.ledger_path else "in the run directory",
        **plan.material.digests,
        **({"contamination": counts} if (counts := plan.material.contamination.counts()) else {}),
        "decoding": asdict(own),
        **({"decodings": {name: asdict(one) for name, one in others.items()}} if others else {}),
        "model": card.fingerprint,
        "judge": [[member.judge.fingerprint, member.weight, member.repeats, member.average] for member in plan.members],
        "versions": versions,
    }
