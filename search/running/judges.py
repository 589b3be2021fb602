"""The judges of a run, before anything is loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import Any

from configs.schema.judge import JudgeConfig
from configs.schema.search_judge import screening_judge
from evaluators.objective import Objective
from evaluators.pipeline.judges_from_config import make_panel_members
from evaluators.pipeline.panel import PanelMember
from evaluators.question import Question
from search.running.judge_models import JudgeModels
from search.running.models import make_model, make_reward_model
from workers.chat_template import ChatTemplate, LoadTemplate


@dataclass(frozen=True, slots=True)
class Judges:
    """The judges, and the models that they are made of.

    Attributes:
        screening: who is asked first, and stands in no result; nobody in most runs.
    """

    members: tuple[PanelMember, ...]
    models: JudgeModels
    screening: tuple[PanelMember, ...] = ()

    def check(self, questions: Sequence[Question], objective: Objective) -> None:
        """Raises InputError where a question cannot be judged as the objective wants it."""
        objective.check(questions)
        turns = [turn for turn in range(objective.turns) if objective.counts(turn)]
        for member in (*self.members, *self.screening):
            member.judge.check(questions, turns)

    def manifest(self) -> list[Any]:
        """What decides their verdicts, a list for each; once they are started."""
        return _manifest(self.members)

    def screening_manifest(self) -> list[Any]:
        """The `manifest` of the judges who are asked first."""
        return _manifest(self.screening)


def make_judges(
    config: JudgeConfig,
    path: Path,
    environment: Mapping[str, str] = environ,
    load_template: LoadTemplate = ChatTemplate.load,
) -> Judges:
    """The judges of the run at `path`, not started. Raises InputError where prompts, keys or modules are missing."""
    models = JudgeModels(make_model, make_reward_model, path, environment, load_template)
    first = screening_judge(config)
    screening = () if first is None else make_panel_members(first, models.models)
    return Judges(make_panel_members(config, models.models), models, screening)


def _manifest(members: Sequence[PanelMember]) -> list[Any]:
    return [[member.judge.fingerprint, member.weight, member.repeats, member.average] for member in members]
