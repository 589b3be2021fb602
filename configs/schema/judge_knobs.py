"""What judges have in common: knobs, and what bounds and costs follow from them."""

from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from configs.schema.knobs import Knobs
from configs.schema.model import ModelConfig
from configs.schema.service import ServiceConfig
from configs.schema.workers import WorkersConfig

Bounds = tuple[float, float]
"""The lowest and the highest score that there can be."""


class JudgeKnobs(Knobs):
    """What every judge has."""

    repeats: Annotated[int, Field(ge=1, le=100)] = 1
    """Verdicts asked for each answer; more than one tells the judge's noise, at that many times the price. Without
    effect on a judge that is sure, such as a model of your own at temperature 0."""
    average: Literal["mean", "median"] = "mean"
    """What becomes of several."""

    @property
    def judges(self) -> "tuple[JudgeKnobs, ...]":
        """The judges that it stands for: itself, or an ensemble's members."""
        return (self,)

    @property
    def bounds(self) -> Bounds | None:
        """Lowest and highest score that it gives; None where its config does not tell."""
        return None

    @property
    def orders(self) -> int:
        """Orders in which it sees the answer and a baseline: each has verdicts of its own."""
        return 1

    @property
    def calls(self) -> int:
        """Calls of a model for one verdict, if the first can be read; 0 for a metric."""
        return 0

    @property
    def most_calls(self) -> int:
        """Calls of a model for one verdict, if none but the last can be read."""
        return self.calls

    @property
    def verdict_tokens(self) -> int:
        """Tokens that one call may write."""
        return 0


class LanguageModelJudgeKnobs(JudgeKnobs):
    """What every judge has that is a language model: give `service` or `model`."""

    service: ServiceConfig | None = None
    """A model behind an OpenAI-compatible service."""
    model: ModelConfig | None = None
    """A model with a chat template that runs here; no service, no price."""
    workers: WorkersConfig | None = None
    """Workers that run `model`; when absent it runs in this process, beside everything else. On a cluster give it Ray
    workers of its own, and say how many: `count: auto` takes all GPUs."""
    unreadable_retries: Annotated[int, Field(ge=0, le=10)] = 2
    """How often a verdict that cannot be read is asked for again before it counts as a failure; never where the same
    words would come again."""
    fence_answers: bool = True
    """Show answers between two lines that nobody can forge, with control tokens of chat templates, headings of the
    prompt and ratings inside them made harmless (a word joiner, U+2060, breaks them). `false` sends published prompts
    byte for byte, for numbers that must stand beside published ones."""

    @model_validator(mode="after")
    def _service_or_model(self) -> Self:
        if (self.service is None) == (self.model is None):
            raise ValueError("set either service or model")
        if self.model is None and self.workers is not None:
            raise ValueError("workers are for a model of your own, and there is a service: leave them out")
        return self

    @property
    def calls(self) -> int:
        return 1

    @property
    def most_calls(self) -> int:
        return 1 + self.unreadable_retries

    @property
    def verdict_tokens(self) -> int:
        return 1


class WritingJudgeKnobs(LanguageModelJudgeKnobs):
    """What every judge has that explains itself in words."""

    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Temperature of the judge; 0 is greedy."""
    max_tokens: Annotated[int, Field(ge=1)] = 2048
    """Tokens the judge may write."""
    rating: Literal["decision", "first", "expected"] = "decision"
    """What is read from the judge's words. `decision`: the rating that it decides on, outside reasoning and quotations,
    the most explicit one; a doubt (several ratings that differ, a range, words cut off) is a failure. `first`:
    as the published parsers do, the first match wherever it stands, for numbers beside published ones. `expected`: the
    mean of all whole-number ratings (or of A, B and C), weighted by how probable each was in the place of the decision;
    for models of your own and for services that return log-probabilities."""

    @property
    def verdict_tokens(self) -> int:
        return self.max_tokens


class ScaleKnobs(Knobs):
    """A scale of scores."""

    low: FiniteFloat = 1.0
    """Worst score."""
    high: FiniteFloat = 10.0
    """Best score; must lie above `low`."""

    @model_validator(mode="after")
    def _low_below_high(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must lie below high ({self.high:g})")
        return self

    @property
    def bounds(self) -> Bounds | None:
        return self.low, self.high
