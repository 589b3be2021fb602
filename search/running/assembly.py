"""The composition root: the one place where the parts of a search are put together.

Heavy libraries are imported in the function that needs them, so that bad input is refused within a second.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import asdict, dataclass
from importlib.metadata import version
from os import environ
from pathlib import Path
from typing import Any

import numpy as np

from configs.schema.run import RunConfig
from configs.schema.search_judge import screened_held_out_share
from configs.schema.strategy import ScreeningConfig
from evaluators.objective import Objective
from search.problem.candidate import OWN
from search.problem.decodings import make_decodings
from search.problem.material import Material
from search.problem.material_files import load_material
from search.problem.space import SearchSpace
from search.problem.split import HeldOut, held_out_by_judge
from search.prompts.render import Renderer, make_renderer
from search.run_directory.files import Floats, write_json
from search.run_directory.journal import Journal
from search.run_directory.run import Run
from search.running.coordinator import Coordinator
from search.running.earlier_runs import check_earlier_runs, earlier_effects
from search.running.judges import Judges, make_judges
from search.running.likelihood import ReferenceAnswers
from search.running.place_check import (
    models_of,
    refuse_missing_equipment,
    refuse_missing_models,
    refuse_unusable_ledger,
)
from search.running.prices import refuse_unknown_prices
from search.running.scorer import Scorer
from search.running.service_check import refuse_unusable_services
from search.running.token_limit import limit_tokens, refuse_long_prompt
from search.running.workplace import LoadedModel, Workplace, opened_workplace
from search.strategies.make import make_strategy
from search.strategies.strategy import Strategy
from search.trackers.make import refuse_missing_packages
from workers.chat_template import ChatTemplate, LoadTemplate
from workers.prompt import Decoding
from workers.text_model import ModelCard


@dataclass(frozen=True, slots=True)
class Plan:
    """A search that could start: every input read and checked, nothing loaded and nothing spent.

    Attributes:
        held_out: held-out questions by whom they are scored.
        decodings: by the name that candidates have for them.
    """

    config: RunConfig
    material: Material
    space: SearchSpace
    judges: Judges
    renderer: Renderer
    held_out: HeldOut
    decodings: Mapping[str, Decoding]

    def strategy(self, space: SearchSpace, folder: Path, hints: Floats | None = None) -> Strategy:
        """Make the strategy by `make_strategy`, in the space that is left when prompts are not too long."""
        config = self.config
        screened = bool(self.judges.screening)
        return make_strategy(
            config.strategy, space, config.seed, self.material, folder, hints, has_screening_judge=screened
        )

    def reference_answers(self, space: SearchSpace) -> ReferenceAnswers | None:
        """Answers whose likelihood behind demonstrations the strategy wants to know. Raises InputError."""
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
class Search:
    """A search, wired."""

    workplace: Workplace
    model: LoadedModel
    coordinator: Coordinator


def make_plan(
    config: RunConfig,
    path: Path,
    environment: Mapping[str, str] = environ,
    load_template: LoadTemplate = ChatTemplate.load,
) -> Plan:
    """Read and check everything that a config names; `path` is the run's. Raises InputError."""
    refuse_missing_packages(config.trackers)
    refuse_unusable_ledger(config)
    refuse_missing_models(models_of(config))
    renderer = make_renderer(config.render, config.model, load_template)
    material = load_material(config, renderer)
    judges = make_judges(config.judge, path, environment, load_template)
    judges.check([*material.search, *material.held_out], Objective.of(config.scoring))
    refuse_unknown_prices(config)
    refuse_unusable_services(config, environment)
    space, share = material.space(config.strategy), screened_held_out_share(config.judge)
    held_out = held_out_by_judge(material.held_out, share, config.questions.split.seed)
    plan = Plan(config, material, space, judges, renderer, held_out, make_decodings(config, renderer))
    plan.reference_answers(space)
    check_earlier_runs(plan.earlier_runs, space, material, path)
    return plan


@asynccontextmanager
async def assemble(plan: Plan, run: Run) -> AsyncIterator[Search]:
    """Wire a whole search; give everything back at the end.

    Raises:
        InputError: as `assemble_scorer`, or the journal cannot be read.
    """
    config = plan.config
    async with assemble_scorer(plan, run) as (workplace, model, scorer):
        limit = config.strategy.max_prompt_tokens
        space = await limit_tokens(plan.space, limit, plan.material, plan.renderer, model.model)
        hints = await _hints(plan, space, workplace, model, run.path)
        with closing(Journal(run.path / "journal.jsonl")) as journal:
            coordinator = Coordinator(
                strategy=plan.strategy(space, run.path, hints),
                scorer=scorer,
                journal=journal,
                space=space,
                held_out=plan.held_out,
                window=config.window,
                scoring=config.scoring,
            )
            yield Search(workplace, model, coordinator)


async def _hints(
    plan: Plan, space: SearchSpace, workplace: Workplace, model: LoadedModel, folder: Path
) -> Floats | None:
    """What is known of the demonstrations of the pool beforehand, [N, hints]; None where nothing is. Raises InputError
    and RunStopped."""
    hints = [earlier_effects(plan.earlier_runs, space, plan.material, folder)]
    if (answers := plan.reference_answers(space)) is not None:
        likelihood = await answers.likelihood(model.model, model.card, folder, workplace.budget(), workplace.ledger)
        hints.append(likelihood[:, None])
    given = [hint for hint in hints if hint is not None]
    return np.hstack(given) if given else None


@asynccontextmanager
async def assemble_scorer(plan: Plan, run: Run) -> AsyncIterator[tuple[Workplace, LoadedModel, Scorer]]:
    """Load model and judges and wire what scores trials; give everything back at the end.

    Raises:
        InputError: the model cannot be loaded, the base prompt is too long for it, or the run was started under other
            conditions.
    """
    config = plan.config
    refuse_missing_equipment(models_of(config))
    async with opened_workplace(run, config, plan.judges) as workplace, workplace.loaded(config.model) as model:
        await _refuse_long_base(plan, model)
        async with workplace.judged(lambda: _begin(plan, run, model.card)):
            scorer = Scorer(
                renderer=plan.renderer,
                rules=plan.material.rules,
                demonstrations=plan.material.demonstrations,
                questions=plan.material.questions,
                evaluator=workplace.evaluator(model, plan.renderer.clean),
                decodings=plan.decodings,
                max_failed_share=config.scoring.max_failed_share,
            )
            yield workplace, model, scorer


def _begin(plan: Plan, run: Run, card: ModelCard) -> None:
    """Everything is loaded: from here on the directory is this search's."""
    run.check_manifest(make_manifest(plan, card) | run.succeeds)
    run.begin()
    write_json(run.path / "material.json", plan.material.to_json(), with_checksum=True)


async def _refuse_long_base(plan: Plan, model: LoadedModel) -> None:
    asked = [(question.query,) for question in plan.material.questions.values()]
    block = plan.renderer.block(plan.material.rules, plan.material.base, asked)
    longest = max(decoding.max_new_tokens for decoding in plan.decodings.values())
    await refuse_long_prompt("the base prompt", block, longest, model.model, model.card)


def make_manifest(plan: Plan, card: ModelCard) -> dict[str, Any]:
    """Everything that decides a run's outcome; a resumed run must agree in all of it."""
    return planned_manifest(plan) | {"model": card.fingerprint} | _judges(plan)


def planned_manifest(plan: Plan) -> dict[str, Any]:
    """The part of a run's manifest that is known before anything is loaded."""
    config = plan.config
    settings = config.model_dump(mode="json", include={"seed", "strategy", "render", "scoring", "window"})
    decodings = {name: asdict(decoding) for name, decoding in plan.decodings.items()}
    own = decodings.pop(OWN)
    versions = {name: version(name) for name in ("demosearch", "numpy", "optuna", "scikit-learn", "scipy")}
    return {
        **settings,
        "ledger": str(config.ledger_path) if config.ledger_path else "in the run directory",
        **plan.material.digests,
        **({"contamination": counts} if (counts := plan.material.contamination.counts()) else {}),
        "decoding": own,
        **({"decodings": decodings} if decodings else {}),
        **({"judged_held_out": len(plan.held_out.judged)} if plan.held_out.screened else {}),
        "versions": versions,
        **({} if plan.judges.models.are_loaded else _judges(plan)),
    }


def _judges(plan: Plan) -> dict[str, Any]:
    screening = plan.judges.screening_manifest()
    return {"judge": plan.judges.manifest(), **({"screening_judge": screening} if screening else {})}
