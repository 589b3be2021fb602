"""An evaluation before it begins: what is asked, of whom, and who judges."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import environ
from pathlib import Path

from configs.errors import InputError
from configs.schema.evaluation import EvaluationConfig
from configs.schema.model import AnyModelConfig
from evaluators.judges_from_config import make_panel_members
from evaluators.objective import Objective
from evaluators.panel import PanelMember
from evaluators.question import Question
from search.problem.contamination import shown_questions
from search.problem.prompt_variant import PromptVariant, load_variants
from search.problem.split import load_questions, load_split
from search.prompts.urial import BasePrompt
from search.running.assembly import check_questions
from search.running.judge_models import JudgeModels
from search.running.models import make_model, make_reward_model
from search.running.prices import refuse_unknown_prices
from search.running.service_check import refuse_unusable_services


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """An evaluation that could start: every input read and checked, nothing loaded and nothing spent.

    Attributes:
        notices: what a person should know about the data, a sentence each.
    """

    config: EvaluationConfig
    questions: tuple[Question, ...]
    variants: tuple[PromptVariant, ...]
    members: tuple[PanelMember, ...]
    judge_models: JudgeModels
    notices: tuple[str, ...] = ()

    @property
    def objective(self) -> Objective:
        return Objective.of(self.config.scoring)

    @property
    def categories(self) -> dict[str, str]:
        return {question.id: question.category for question in self.questions}

    @property
    def evaluations(self) -> int:
        """Every question for every variant."""
        return len(self.questions) * len(self.variants)

    def by_model(self) -> Iterator[tuple[AnyModelConfig, list[PromptVariant]]]:
        """Variants of one model together, in the order in which the models come first."""
        models: list[AnyModelConfig] = []
        for one in self.variants:
            if one.model not in models:
                models.append(one.model)
        for model in models:
            yield model, [one for one in self.variants if one.model == model]


def make_evaluation_plan(
    config: EvaluationConfig, path: Path, environment: Mapping[str, str] = environ
) -> EvaluationPlan:
    """Read and check everything that a config names. Raises InputError."""
    variants = load_variants(config)
    questions, notices = load_questions(config.questions)
    if config.side != "all":
        questions = getattr(load_split(config.questions), config.side)
    shown = shown_questions({one.name: BasePrompt(one.rules, one.demonstrations) for one in variants}, questions)
    if not questions:
        raise InputError("there is no question to ask: give another questions.path")
    judge_models = JudgeModels(make_model, make_reward_model, path, environment)
    members = make_panel_members(config.judge, judge_models.models)
    check_questions(questions, Objective.of(config.scoring), members)
    refuse_unknown_prices(config)
    refuse_unusable_services(config, environment)
    return EvaluationPlan(config, questions, variants, members, judge_models, (*notices, *shown))
