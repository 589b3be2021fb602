"""An evaluation before it begins: what is asked, of whom, and who judges."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import environ
from pathlib import Path

from configs.errors import InputError
from configs.schema.evaluation import EvaluationConfig
from configs.schema.model import AnyModelConfig
from evaluators.objective import Objective
from evaluators.question import Question
from search.problem.prompt_variant import PromptVariant, load_variants
from search.problem.shown_questions import shown_questions
from search.problem.split import load_questions
from search.prompts.urial import BasePrompt
from search.running.judges import Judges, make_judges
from search.running.place_check import ModelPlace, are_here, refuse_unusable_ledger
from search.running.prices import refuse_unknown_prices
from search.running.service_check import refuse_unusable_services
from workers.chat_template import ChatTemplate, LoadTemplate


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """An evaluation that could start: every input read and checked, nothing loaded and nothing spent.

    Attributes:
        notices: what a person should know about the data, a sentence each.
    """

    config: EvaluationConfig
    questions: tuple[Question, ...]
    variants: tuple[PromptVariant, ...]
    judges: Judges
    notices: tuple[str, ...] = ()

    @property
    def objective(self) -> Objective:
        return Objective.of(self.config.scoring)

    @property
    def evaluations(self) -> int:
        """Every question for every variant."""
        return len(self.questions) * len(self.variants)

    @property
    def models(self) -> list[ModelPlace]:
        """Every model that answers, once."""
        return [ModelPlace("model", model, are_here(self.config.workers)) for model, _ in self.by_model()]

    def by_model(self) -> Iterator[tuple[AnyModelConfig, list[PromptVariant]]]:
        """Variants of one model together, in the order in which the models come first."""
        models: list[AnyModelConfig] = []
        for variant in self.variants:
            if variant.model not in models:
                models.append(variant.model)
        for model in models:
            yield model, [variant for variant in self.variants if variant.model == model]


def make_evaluation_plan(
    config: EvaluationConfig,
    path: Path,
    environment: Mapping[str, str] = environ,
    load_template: LoadTemplate = ChatTemplate.load,
) -> EvaluationPlan:
    """Read and check everything that a config names. Raises InputError."""
    variants = load_variants(config, load_template)
    questions, notices = load_questions(config.questions, config.side)
    shown = shown_questions(
        {variant.name: BasePrompt(variant.rules, variant.demonstrations) for variant in variants}, questions
    )
    if not questions:
        raise InputError("there are no questions: set questions.path to another file")
    judges = make_judges(config.judge, path, environment, load_template)
    judges.check(questions, Objective.of(config.scoring))
    refuse_unknown_prices(config)
    refuse_unusable_ledger(config)
    refuse_unusable_services(config, environment)
    return EvaluationPlan(config, questions, variants, judges, (*notices, *shown))
