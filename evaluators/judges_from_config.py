"""From a config to the judges of a run. Heavy libraries are imported where a judge needs them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from configs.schema import (
    AlpacaEvalJudgeConfig,
    EnsembleJudgeConfig,
    FunctionJudgeConfig,
    JudgeConfig,
    MemberConfig,
    ModelConfig,
    MTBenchJudgeConfig,
    PairwiseJudgeConfig,
    ReferenceJudgeConfig,
    RewardModelConfig,
    RewardModelJudgeConfig,
    RubricJudgeConfig,
    ServiceConfig,
    SingleJudgeConfig,
    SpeakingJudgeKnobs,
    WorkersConfig,
)
from evaluators.judge import Judge
from evaluators.judge_tools.chat_model import Speaker
from evaluators.panel import Seat
from workers.text_model import RewardModel, TextModel

if TYPE_CHECKING:
    from workers.service.service import Service

_HERE = WorkersConfig(kind="local")


def make_service(config: ServiceConfig, folder: Path | None = None) -> "Service":
    """The client of a service, which keeps its batches in `folder`. Raises InputError where there is no key."""
    from workers.service.service import Service  # noqa: PLC0415 -- openai

    return Service(config, folder=folder)


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


def make_seats(config: JudgeConfig, models: Models) -> tuple[Seat, ...]:
    """The panel's seats. Raises InputError when prompts, keys or modules are missing."""
    members = config.members if isinstance(config, EnsembleJudgeConfig) else (MemberConfig(judge=config),)
    return tuple(seat for member in members for seat in _seats(member.judge, member.weight, models))


def _seats(config: SingleJudgeConfig, weight: float, models: Models) -> list[Seat]:
    judges = _pair(config, models) if isinstance(config, PairwiseJudgeConfig) else [_make_judge(config, models)]
    return [Seat(judge, weight / len(judges), config.repeats, config.average) for judge in judges]


def _make_judge(config: SingleJudgeConfig, models: Models) -> Judge:
    match config:
        case MTBenchJudgeConfig():
            from evaluators.judges.mt_bench import MTBenchJudge  # noqa: PLC0415 -- chosen by the config

            return MTBenchJudge.load(config, _make_speaker(config, models))
        case RubricJudgeConfig():
            from evaluators.judges.rubric import RubricJudge  # noqa: PLC0415

            return RubricJudge.load(config, _make_speaker(config, models))
        case AlpacaEvalJudgeConfig():
            from evaluators.judges.alpaca_eval import AlpacaEvalJudge  # noqa: PLC0415

            return AlpacaEvalJudge.load(config, _make_speaker(config, models))
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
    """One judge for each order of the answers; they share a speaker."""
    from evaluators.judges.pairwise import PairPrompts, PairwiseJudge  # noqa: PLC0415

    prompts, speaker = PairPrompts.read(config), _make_speaker(config, models)
    return [PairwiseJudge(config, speaker, prompts, first) for first in ((True, False) if config.swap else (True,))]


def _make_reward_judge(config: RewardModelJudgeConfig, models: Models) -> Judge:
    from evaluators.judges.reward_model import RewardModelJudge  # noqa: PLC0415
    from workers.chat_template import ChatTemplate  # noqa: PLC0415

    template = None
    if config.model.reads == "chat":
        advice = "set judge.model.reads to pair, or choose another one"
        template = ChatTemplate.load(config.model.name, config.model.revision, "judge.model.name", advice)
    return RewardModelJudge(models.reward(config.model, config.workers or _HERE), template)


def _make_speaker(config: SpeakingJudgeKnobs, models: Models) -> Speaker:
    """The model that a judge talks to."""
    if config.service is not None:
        from evaluators.judge_tools.chat_model import ServedSpeaker  # noqa: PLC0415

        return ServedSpeaker(models.service(config.service))
    from evaluators.judge_tools.local_chat_model import ModelSpeaker  # noqa: PLC0415
    from workers.chat_template import ChatTemplate  # noqa: PLC0415

    assert config.model is not None
    template = ChatTemplate.load(
        config.model.name, config.model.revision, "judge.model.name", "choose an instruct model"
    )
    return ModelSpeaker(models.text(config.model, config.workers or _HERE), template)
