"""Who judges a run, before anything is loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import Any

from configs.schema.judge import JudgeConfig
from evaluators.judges_from_config import make_panel_members
from evaluators.objective import Objective
from evaluators.panel import PanelMember
from evaluators.question import Question
from search.running.judge_models import JudgeModels
from search.running.models import make_model, make_reward_model


@dataclass(frozen=True, slots=True)
class Judges:
    """Who judges, and the models that they are made of."""

    members: tuple[PanelMember, ...]
    models: JudgeModels

    def check(self, questions: Sequence[Question], objective: Objective) -> None:
        """Raises InputError where a question cannot be judged as the objective wants it."""
        objective.check(questions)
        turns = [turn for turn in range(objective.turns) if objective.counts(turn)]
        for member in self.members:
            member.judge.check(questions, turns)

    def manifest(self) -> list[Any]:
        """What decides their verdicts, a list for each; once they are started."""
        return [[member.judge.fingerprint, member.weight, member.repeats, member.average] for member in self.members]


def make_judges(config: JudgeConfig, path: Path, environment: Mapping[str, str] = environ) -> Judges:
    """The judges of the run at `path`, not started. Raises InputError where prompts, keys or modules are missing."""
    models = JudgeModels(make_model, make_reward_model, path, environment)
    return Judges(make_panel_members(config, models.models), models)
