"""The judges of a search: any judge, and a cheap one that may be asked first."""

from typing import TYPE_CHECKING, Annotated, Union, cast, get_args

from pydantic import Field, TypeAdapter, create_model

from configs.schema.judge import JudgeConfig, SingleJudgeConfig
from configs.schema.knobs import Knobs


class ScreenedKnobs(Knobs):
    """What the judge of a search has beside its own knobs."""

    screening: SingleJudgeConfig | None = None
    """A cheap judge of any kind but `ensemble`, with that kind's knobs, that scores groups of demonstrations before
    this one is asked: a reward model, a model of your own, a metric. Its scores stand in no result; the strategy
    `screening` learns how far it agrees with this judge, and relies on it no further. Absent: nobody is asked first."""
    screened_held_out_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the held-out questions, the same of every category, that `judge.screening` alone scores: answers to them
    cost no verdict of this judge. It scores the others too, and where the two agree on these, the report gives the
    winner's gain with a narrower interval beside the plain one (prediction-powered inference). 0: it scores none."""


def _screened(judge: type[Knobs]) -> type[Knobs]:
    """Make this kind of judge, with the knobs of a search's."""
    name = f"Search{judge.__name__}"
    globals()[name] = create_model(name, __base__=(ScreenedKnobs, judge), __doc__=judge.__doc__)  # pickle looks there
    return cast(type[Knobs], globals()[name])


if TYPE_CHECKING:
    SearchJudgeConfig = JudgeConfig
else:
    SearchJudgeConfig = Annotated[
        Union[tuple(map(_screened, get_args(get_args(JudgeConfig)[0])))], Field(discriminator="kind")  # noqa: UP007
    ]

_ADAPTER: TypeAdapter[JudgeConfig] = TypeAdapter(JudgeConfig)


def screening_judge(config: JudgeConfig) -> SingleJudgeConfig | None:
    """The cheap judge that is asked first; None where there is none."""
    return config.screening if isinstance(config, ScreenedKnobs) else None


def judge_alone(config: JudgeConfig) -> JudgeConfig:
    """The judge whose scores count, without the one that is asked first."""
    return _ADAPTER.validate_python(config.model_dump(exclude={*ScreenedKnobs.model_fields}))


def screened_held_out_share(config: JudgeConfig) -> float:
    """Share of the held-out questions that the cheap judge alone scores, in [0, 1)."""
    return config.screened_held_out_share if isinstance(config, ScreenedKnobs) else 0.0
