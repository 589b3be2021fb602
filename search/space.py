"""Which candidates there are."""

from collections.abc import Sequence
from dataclasses import dataclass

from search.candidate import Candidate


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """The base prompt's demonstrations and those that may be added to them.

    Attributes:
        base: ids of the base prompt's own demonstrations, in order; always there.
        pool: ids that may be added; none of them in `base`.
        questions: ids of the guiding questions.
        insert_at: how many of the base's demonstrations stand before the added ones.
        max_added: at most this many are added.
    """

    base: tuple[str, ...]
    pool: tuple[str, ...]
    questions: tuple[str, ...]
    insert_at: int
    max_added: int

    def compose(self, added: Sequence[str]) -> Candidate:
        """The candidate with these demonstrations, in this order, in their place among the base's."""
        return Candidate((*self.base[: self.insert_at], *added, *self.base[self.insert_at :]))

    def added(self, candidate: Candidate) -> tuple[str, ...]:
        """The inverse of `compose`."""
        end = len(candidate) - (len(self.base) - self.insert_at)
        return candidate.demonstrations[self.insert_at : end]
