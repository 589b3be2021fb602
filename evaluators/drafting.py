"""What drafts from earlier answers have brought a run."""

from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Drafting:
    """What the model that answers said, in how many passes, as far as somebody counts; all 0 where nobody does.

    Attributes:
        tokens: generated.
        passes: of the model for these, summed over the answers.
        drafted: tokens proposed from earlier answers.
    """

    tokens: int = 0
    passes: int = 0
    drafted: int = 0

    def __add__(self, other: "Drafting") -> "Drafting":
        return Drafting(*(own + more for own, more in zip(astuple(self), astuple(other), strict=True)))

    @property
    def tokens_per_pass(self) -> float | None:
        """How many times fewer passes than without drafts, which need one a token; None where nobody counts."""
        return self.tokens / self.passes if self.passes else None

    @property
    def accepted_share(self) -> float | None:
        """The share of the drafted tokens that the model said, in [0, 1]; None where nothing was drafted."""
        return (self.tokens - self.passes) / self.drafted if self.drafted else None


NO_DRAFTING = Drafting()
