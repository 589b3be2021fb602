"""The judges of a search: any judge, and a cheap one that may be asked first."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from configs.schema.judge import (
    AlpacaEvalJudgeConfig,
    EnsembleJudgeConfig,
    FunctionJudgeConfig,
    JudgeConfig,
    MTBenchJudgeConfig,
    PairwiseJudgeConfig,
    ReferenceJudgeConfig,
    RewardModelJudgeConfig,
    RubricJudgeConfig,
    SingleJudgeConfig,
)
from configs.schema.knobs import Knobs


class ScreenedKnobs(Knobs):
    """What the judge of a search has beside its own knobs."""

    screening: SingleJudgeConfig | None = None
    """A cheap judge of any kind but `ensemble`, with that kind's knobs, that scores groups of demonstrations before
    this one is asked: a reward model, a model of your own, a metric. Its scores stand in no result; the strategy
    `screening` learns how far it agrees with this judge, and relies on it no further. Absent: nobody is asked first."""


class SearchMTBenchJudgeConfig(ScreenedKnobs, MTBenchJudgeConfig):
    __doc__ = MTBenchJudgeConfig.__doc__


class SearchRubricJudgeConfig(ScreenedKnobs, RubricJudgeConfig):
    __doc__ = RubricJudgeConfig.__doc__


class SearchPairwiseJudgeConfig(ScreenedKnobs, PairwiseJudgeConfig):
    __doc__ = PairwiseJudgeConfig.__doc__


class SearchAlpacaEvalJudgeConfig(ScreenedKnobs, AlpacaEvalJudgeConfig):
    __doc__ = AlpacaEvalJudgeConfig.__doc__


class SearchRewardModelJudgeConfig(ScreenedKnobs, RewardModelJudgeConfig):
    __doc__ = RewardModelJudgeConfig.__doc__


class SearchReferenceJudgeConfig(ScreenedKnobs, ReferenceJudgeConfig):
    __doc__ = ReferenceJudgeConfig.__doc__


class SearchFunctionJudgeConfig(ScreenedKnobs, FunctionJudgeConfig):
    __doc__ = FunctionJudgeConfig.__doc__


class SearchEnsembleJudgeConfig(ScreenedKnobs, EnsembleJudgeConfig):
    __doc__ = EnsembleJudgeConfig.__doc__


SearchJudgeConfig = Annotated[
    SearchMTBenchJudgeConfig
    | SearchRubricJudgeConfig
    | SearchPairwiseJudgeConfig
    | SearchAlpacaEvalJudgeConfig
    | SearchRewardModelJudgeConfig
    | SearchReferenceJudgeConfig
    | SearchFunctionJudgeConfig
    | SearchEnsembleJudgeConfig,
    Field(discriminator="kind"),
]

_ADAPTER: TypeAdapter[JudgeConfig] = TypeAdapter(JudgeConfig)


def screening_judge(config: JudgeConfig) -> SingleJudgeConfig | None:
    """The cheap judge that is asked first; None where there is none."""
    return config.screening if isinstance(config, ScreenedKnobs) else None


def judge_alone(config: JudgeConfig) -> JudgeConfig:
    """The judge whose scores count, without the one that is asked first."""
    return _ADAPTER.validate_python(config.model_dump(exclude={"screening"}))
