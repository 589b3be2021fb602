"""What counts as a score, and what a run may spend."""

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    FiniteFloat,
    field_validator,
    model_validator,
)

from configs.schema.knobs import Knobs, Share


class ScoringConfig(Knobs):
    """What a candidate's score is made of."""

    max_failed_share: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """A trial with more failed questions than this share of them, rounded up, has no mean, in [0, 1)."""
    stop_after_failed: Annotated[int, Field(ge=1)] = 5
    """Stop the run when this many trials in a row have no mean: something is wrong with model or judge."""
    confidence: Share = 0.95
    """Confidence of every interval shown."""
    bounds: tuple[FiniteFloat, FiniteFloat] | None = None
    """The lowest and the highest score that the judge can give, such as `[0, 1]`: intervals of few or equal scores need
    them. Needed only where the judge does not say: for kinds `function` and `reward_model`."""
    min_win_probability: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """The base prompt is exported unless all scores of the run, held-out ones included, make it this probable that the
    winner beats it; 0 exports the winner in any case."""
    objective: Literal["turn_1", "turn_2", "mean"] | tuple[Annotated[FiniteFloat, Field(ge=0)], ...] = "turn_1"
    """Answers that count: those to the first turn, to the second, the mean of both, or a weight a turn, such as `[1,
    2]`. Turns that count for nothing are answered where a later one needs them, and not judged."""

    @field_validator("bounds")
    @classmethod
    def _low_below_high(cls, bounds: tuple[float, float] | None) -> tuple[float, float] | None:
        if bounds is not None and bounds[0] >= bounds[1]:
            raise ValueError(f"{bounds[0]:g} must lie below {bounds[1]:g}")
        return bounds

    @model_validator(mode="after")
    def _last_turn_counts(self) -> Self:
        if not isinstance(self.objective, str) and not (self.objective and self.objective[-1] > 0):
            raise ValueError("objective must end in a weight above 0: leave out the turns behind it")
        return self


class BudgetConfig(Knobs):
    """What a run may cost at most, all its processes together; no limit where absent. When one is reached the run
    stops, everything is kept, and it goes on with a larger one. No part of a run's identity."""

    generations: Annotated[int, Field(ge=1)] | None = None
    """Completions. May be exceeded by one for each block of questions under way."""
    verdicts: Annotated[int, Field(ge=1)] | None = None
    """Judged generations: single verdicts, repeats included. Never exceeded."""
    judge_calls: Annotated[int, Field(ge=1)] | None = None
    """Calls of a judging model, unreadable ones included. May be exceeded by further calls of verdicts under way."""
    judge_tokens: Annotated[int, Field(ge=1)] | None = None
    """Tokens the judge reads and writes. May be exceeded by the calls under way."""
    dollars: Annotated[float, Field(gt=0)] | None = None
    """US dollars at the prices in `service`; needs them. May be exceeded by the calls under way."""
    gpu_hours: Annotated[float, Field(gt=0)] | None = None
    """GPUs held by loaded models, times hours; looked at every two seconds."""
    hours: Annotated[float, Field(gt=0)] | None = None
    """Wall time, loading included; looked at every two seconds."""
