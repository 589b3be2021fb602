"""The space of candidates: what all strategies share, and what only some vary."""

from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from configs.schema.decoding import FurtherDecodingConfig
from configs.schema.knobs import Knobs


class StrategySummary(NamedTuple):
    """A line of the table in docs/strategies.md: what a strategy does, what answers it asks for, when to take it."""

    does: str
    asks_for: str
    take_it: str


class SearchSpaceConfig(Knobs):
    """What all strategies share: which candidates there are."""

    budget_setting: ClassVar[str | None] = None  # what `demosearch extend` raises
    ranks_by: ClassVar = "their mean score; all that are ranked have met every search question"

    max_demonstrations: Annotated[int, Field(ge=1)] = 3
    """Most demonstrations that are chosen."""
    min_demonstrations: Annotated[int, Field(ge=0)] = 0
    """No winner but the base prompt itself has fewer chosen demonstrations."""
    base: Literal["keep", "drop", "optional"] = "keep"
    """The base prompt's own demonstrations: `keep` adds the chosen ones to them, `drop` leaves them out of every
    candidate, `optional` leaves them out too, but they are among those to choose from (and count)."""
    insert: Literal["front", "back"] | Annotated[int, Field(ge=0)] = "front"
    """Place of added demonstrations among the base prompt's: `front` (the paper's), `back`, or how many of the base's
    stand before them. Without effect unless they are kept."""
    order: Literal["free", "fixed"] = "free"
    """`free`: another order is another candidate. `fixed`: chosen demonstrations stand in the pool's order."""
    required: tuple[str, ...] = ()
    """Ids of demonstrations that every candidate but the base prompt holds."""
    mutually_exclusive: tuple[tuple[str, ...], ...] = ()
    """Groups of ids; no candidate holds two demonstrations of one group."""
    max_prompt_tokens: Annotated[int, Field(ge=1)] | None = None
    """All demonstrations of a candidate together have at most this many tokens; only the model's limit when absent."""

    stop_when_decided: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Stop early when the best so far is proven better than the base prompt on the search questions, with at most this
    probability of error (0.05, say) however often one looks, provided that the judge's level stays (see drift_checks);
    a better one may then stay unfound. 0: never."""

    drift_checks: Annotated[int, Field(ge=0)] = 0
    """How many times the judge is asked again about the base prompt's answers to at most 8 questions while the search
    runs, which shows whether its level drifts. Each costs that many verdicts beside the budget, and no answer.
    0: never."""

    @model_validator(mode="after")
    def _sizes_agree(self) -> Self:
        if self.min_demonstrations > self.max_demonstrations:
            raise ValueError("min_demonstrations lies above max_demonstrations")
        if len(self.required) > self.max_demonstrations:
            raise ValueError("more demonstrations are required than max_demonstrations allows")
        return self


class VaryingKnobs(SearchSpaceConfig):
    """What only some strategies vary beside the demonstrations."""

    vary_position: bool = False
    """Try the chosen demonstrations in every place among the base prompt's; most candidates stand where `insert` says.
    Without effect unless the base prompt's are kept."""
    decodings: tuple[FurtherDecodingConfig, ...] = ()
    """Further decodings to try, each with any demonstrations and with the base prompt as it is; what wins is exported
    with its decoding. Each makes the space that much larger, and an answer in another decoding is another answer."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [decoding.name for decoding in self.decodings]
        if len(set(names)) < len(names):
            raise ValueError("two of decodings have the same name: give each its own")
        return self
