"""The models that judges are made of, from their configs. Heavy libraries are imported where a judge needs them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING

from configs.schema.judge import RewardModelJudgeConfig
from configs.schema.judge_knobs import LanguageModelJudgeKnobs
from configs.schema.model import ModelConfig, RewardModelConfig
from configs.schema.service import ServiceConfig
from configs.schema.workers import WorkersConfig
from evaluators.judge_tools.chat_model import ChatModel, ServedChatModel
from workers.chat_template import ChatTemplate, LoadTemplate
from workers.text_model import RewardModel, TextModel

if TYPE_CHECKING:
    from workers.service.service import Service

_HERE = WorkersConfig(kind="local")


def make_service(
    config: ServiceConfig, folder: Path | None = None, environment: Mapping[str, str] = environ
) -> "Service":
    """The client of a service, which keeps what later processes need in `folder`, the run's. Raises InputError where
    there is no key in the environment."""
    from workers.service.service import Service  # noqa: PLC0415 -- openai

    return Service(config, environment, folder)


@dataclass(frozen=True, slots=True)
class Models:
    """How models are made for judges; none is started.

    Attributes:
        text: a language model.
        reward: a reward model.
        service: the client of a served one.
        template: a model's chat template.
    """

    text: Callable[[ModelConfig, WorkersConfig], TextModel]
    reward: Callable[[RewardModelConfig, WorkersConfig], RewardModel]
    service: Callable[[ServiceConfig], "Service"] = make_service
    template: LoadTemplate = ChatTemplate.load

    def chat(self, config: LanguageModelJudgeKnobs) -> ChatModel:
        """The model that a judge talks to. Raises InputError where it has no chat template, or no key."""
        if config.service is not None:
            return ServedChatModel(self.service(config.service))
        from evaluators.judge_tools.local_chat_model import LocalChatModel  # noqa: PLC0415

        assert config.model is not None
        template = self.template(
            config.model.name, config.model.revision, "judge.model.name", "choose an instruct model"
        )
        return LocalChatModel(self.text(config.model, config.workers or _HERE), template)

    def rating(self, config: RewardModelJudgeConfig) -> tuple[RewardModel, ChatTemplate | None]:
        """A reward model, and the template of the chats that it reads; None where it reads pairs. Raises InputError
        where it has no chat template."""
        template = None
        if config.model.reads == "chat":
            advice = "set judge.model.reads to pair, or choose another one"
            template = self.template(config.model.name, config.model.revision, "judge.model.name", advice, rates=True)
        return self.reward(config.model, config.workers or _HERE), template
