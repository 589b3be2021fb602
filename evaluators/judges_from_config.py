"""From a config to the judges of a run. Heavy libraries are imported where a judge needs them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING

from configs.schema.judge import (
    AlpacaEvalJudgeConfig,
    EnsembleJudgeConfig,
    FunctionJudgeConfig,
    JudgeConfig,
    MemberConfig,
    MTBenchJudgeConfig,
    PairwiseJudgeConfig,
    ReferenceJudgeConfig,
    RewardModelJudgeConfig,
    RubricJudgeConfig,
    SingleJudgeConfig,
    SpeakingJudgeKnobs,
)
from configs.schema.model import ModelConfig, RewardModelConfig
from configs.schema.service import ServiceConfig
from configs.schema.workers import WorkersConfig
from evaluators.judge import Judge
from evaluators.judge_tools.chat_model import ChatModel
from evaluators.panel import PanelMember
from workers.text_model import RewardModel, TextModel

if TYPE_CHECKING:
    from workers.service.service import Service

_HERE = WorkersConfig(kind="local")


def make_service(
    config: ServiceConfig, folder: Path | None = None, environment: Mapping[str, str] = environ
) -> "Service":
    """The client of a service, which keeps its batches in `folder`. Raises InputError where there is no key in the
    environment."""
    from workers.service.service import Service  # noqa: PLC0415 -- openai

    return Service(config, environment, folder)


@dataclass(frozen=True, slots=True)
class Models:
    """How models are made for judges; none is started.

    Attributes:
        text: a language model.
        reward: a reward model.
        service: the client of a served one.
    """

    text: Callable[[ModelConfig, WorkersConfig], TextModel]
    reward: Callable[[RewardModelConfig, WorkersConfig], RewardModel]
    service: Callable[[ServiceConfig], "Service"] = make_service


def make_panel_members(config: JudgeConfig, models: Models) -> tuple[PanelMember, ...]:
    """The panel's members. Raises InputError when prompts, keys or modules are missing."""
    configs = config.members if isinstance(config, EnsembleJudgeConfig) else (MemberConfig(judge=config),)
    return tuple(member for one in configs for member in _members(one.judge, one.weight, models))


def _members(config: SingleJudgeConfig, weight: float, models: Models) -> list[PanelMember]:
    judges = _pair(config, models) if isinstance(config, PairwiseJudgeConfig) else [_make_judge(config, models)]
    return [PanelMember(judge, weight / len(judges), config.repeats, config.average) for judge in judges]


def _make_judge(config: SingleJudgeConfig, models: Models) -> Judge:
    match config:
        case MTBenchJudgeConfig():
            from evaluators.judges.mt_bench import MTBenchJudge  # noqa: PLC0415 -- chosen by the config

            return MTBenchJudge.load(config, _make_chat_model(config, models))
        case RubricJudgeConfig():
            from evaluators.judges.rubric import RubricJudge  # noqa: PLC0415

            return RubricJudge.load(config, _make_chat_model(config, models))
        case AlpacaEvalJudgeConfig():
            from evaluators.judges.alpaca_eval import AlpacaEvalJudge  # noqa: PLC0415

            return AlpacaEvalJudge.load(config, _make_chat_model(config, models))
        case RewardModelJudgeConfig():
            return _make_reward_judge(config, models)
        case FunctionJudgeConfig():
            from evaluators.judges.function import FunctionJudge  # noqa: PLC0415

            return FunctionJudge.load(config)
        case ReferenceJudgeConfig():
            from evaluators.judges.reference import ReferenceJudge  # noqa: PLC0415

            return ReferenceJudge(config)
    raise AssertionError(f"no judge for {config}")


def _pair(config: PairwiseJudgeConfig, models: Models) -> list[Judge]:
    """One judge for each order of the answers; they share a chat model."""
    from evaluators.judges.pairwise import PairPrompts, PairwiseJudge  # noqa: PLC0415

    prompts, chat_model = PairPrompts.read(config), _make_chat_model(config, models)
    return [PairwiseJudge(config, chat_model, prompts, first) for first in ((True, False) if config.swap else (True,))]


def _make_reward_judge(config: RewardModelJudgeConfig, models: Models) -> Judge:
    from evaluators.judges.reward_model import RewardModelJudge  # noqa: PLC0415
    from workers.chat_template import ChatTemplate  # noqa: PLC0415

    template = None
    if config.model.reads == "chat":
        advice = "set judge.model.reads to pair, or choose another one"
        template = ChatTemplate.load(config.model.name, config.model.revision, "judge.model.name", advice)
    return RewardModelJudge(models.reward(config.model, config.workers or _HERE), template)


def _make_chat_model(config: SpeakingJudgeKnobs, models: Models) -> ChatModel:
    """The model that a judge talks to."""
    if config.service is not None:
        from evaluators.judge_tools.chat_model import ServedSpeaker  # noqa: PLC0415

        return ServedSpeaker(models.service(config.service))
    from evaluators.judge_tools.local_chat_model import LocalChatModel  # noqa: PLC0415
    from workers.chat_template import ChatTemplate  # noqa: PLC0415

    assert config.model is not None
    template = ChatTemplate.load(
        config.model.name, config.model.revision, "judge.model.name", "choose an instruct model"
    )
    return LocalChatModel(models.text(config.model, config.workers or _HERE), template)
