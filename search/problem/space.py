"""The space of candidates: the one place that says whether a candidate is allowed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import comb, perm
from typing import Literal

from search.problem.candidate import OWN, Candidate


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """The base prompt's demonstrations and those that may be chosen.

    A choice is an ordered tuple of ids; the empty one always stands for the base prompt as it is.

    Attributes:
        base: ids of the base prompt's own demonstrations, in order.
        pool: ids that may be chosen. None of them in `base`, but all of `base` where `base_use` is "optional".
        questions: ids of the search questions.
        insert_at: how many of the base's demonstrations stand before the added ones, where `base_use` is "keep".
        vary_position: added ones may stand in any place among the base's; a strategy that tries no other lets them
            stand at `insert_at`.
        decodings: names of further decodings that a candidate may have; a strategy that tries no other leaves all with
            the run's own.
        max_added: at most this many are chosen.
        min_added: no winner but the base prompt itself has fewer.
        base_use: "keep": chosen ones are added to the base's. "drop": they stand alone. "optional": they stand alone,
            and the base's are among those to choose from.
        order: "free": any order is another candidate. "fixed": chosen ones stand in the order of the pool.
        required: every choice holds these, in whatever place.
        mutually_exclusive: no choice holds two of one group.
        tokens: of each demonstration in a prompt; those missing have none.
        max_tokens: of all demonstrations of a candidate together; None for no limit.
    """

    base: tuple[str, ...]
    pool: tuple[str, ...]
    questions: tuple[str, ...]
    insert_at: int
    max_added: int
    min_added: int = 0
    base_use: Literal["keep", "drop", "optional"] = "keep"
    order: Literal["free", "fixed"] = "free"
    required: tuple[str, ...] = ()
    mutually_exclusive: tuple[frozenset[str], ...] = ()
    tokens: Mapping[str, int] = field(default_factory=dict)
    max_tokens: int | None = None
    vary_position: bool = False
    decodings: tuple[str, ...] = ()

    @property
    def places(self) -> tuple[int, ...]:
        """Places where added ones may stand: how many of the base's before them, `insert_at` first."""
        if not self.vary_position or self.base_use != "keep":
            return (self.insert_at,)
        return (self.insert_at, *(place for place in range(len(self.base) + 1) if place != self.insert_at))

    def compose(self, chosen: Sequence[str], place: int | None = None, decoding: str = OWN) -> Candidate:
        """The candidate of a choice, its demonstrations in their place among the base's.

        Args:
            place: one of `places`; `insert_at` when absent.
            decoding: one of `decodings`, or the run's own.
        """
        if not chosen:
            return Candidate(self.base, decoding)
        arranged = self.arrange(chosen)
        if self.base_use != "keep":
            return Candidate(arranged, decoding)
        place = self.insert_at if place is None else place
        return Candidate((*self.base[:place], *arranged, *self.base[place:]), decoding)

    def added(self, candidate: Candidate) -> tuple[str, ...]:
        """The choice of a candidate."""
        if candidate.demonstrations == self.base:
            return ()
        if self.base_use != "keep":
            return candidate.demonstrations
        return tuple(name for name in candidate.demonstrations if name not in self.base)

    def place(self, candidate: Candidate) -> int:
        """The place of its added demonstrations among the base's; `insert_at` where that says nothing."""
        added = self.added(candidate)
        return candidate.demonstrations.index(added[0]) if added and self.base_use == "keep" else self.insert_at

    def members(self, candidate: Candidate) -> tuple[str, ...]:
        """The demonstrations of a candidate that are in the pool, in order; the base's too where they are optional."""
        return candidate.demonstrations if self.base_use == "optional" else self.added(candidate)

    def arrange(self, chosen: Sequence[str]) -> tuple[str, ...]:
        """The choice as it is rendered: in the order given, or in the pool's where order is fixed."""
        if self.order == "free":
            return tuple(chosen)
        among = set(chosen)
        return tuple(name for name in self.pool if name in among)

    def fits(self, chosen: Sequence[str]) -> bool:
        """Whether a choice may be tried on the way: it breaks no rule, though there may be too few in it yet."""
        among = set(chosen)
        return (
            len(among) == len(chosen) <= self.max_added
            and all(len(among & group) < 2 for group in self.mutually_exclusive)
            and self._tokens_fit(chosen)
        )

    def _tokens_fit(self, chosen: Sequence[str]) -> bool:
        if self.max_tokens is None:
            return True
        kept = self.base if self.base_use == "keep" else ()
        return sum(self.tokens.get(name, 0) for name in (*kept, *chosen)) <= self.max_tokens

    def longer(self, chosen: tuple[str, ...], names: Iterable[str]) -> list[tuple[str, ...]]:
        """The choice with one more of `names`, where that fits and is another prompt than the base's.

        The empty choice becomes what is required, first as it is, then with one more.
        """
        start = chosen or self.required
        longer = [(*start, name) for name in names]
        if start and not chosen:
            longer.insert(0, start)
        base = self.compose(())
        return [added for added in longer if self.fits(added) and self.compose(added) != base]

    def allows(self, chosen: Sequence[str]) -> bool:
        """Whether a choice may win: it fits, has enough demonstrations and all required ones, and is not the base
        prompt under another name. The base prompt itself, the empty choice, may always win."""
        if not chosen:
            return True
        spelt_anew = self.base_use == "keep" or self.arrange(chosen) != self.base
        return len(chosen) >= self.min_added and set(self.required) <= set(chosen) and spelt_anew and self.fits(chosen)

    def holds(self, candidate: Candidate) -> bool:
        """Whether a candidate may win: as `allows`, but the base prompt in another decoding only where nothing need be
        added to it."""
        added = self.added(candidate)
        if not added and candidate.decoding != OWN:
            return self.min_added == 0 and not self.required
        return self.allows(added)

    def size(self, least: int = 1) -> int:
        """How many candidates have at least `least` and at most `max_added` added demonstrations, the base prompt not
        counted; an upper bound where there are further rules."""
        count_orders = perm if self.order == "free" else comb
        choices = sum(count_orders(len(self.pool), count) for count in range(max(1, least), self.max_added + 1))
        bare = 0 if least > 0 or self.required else len(self.decodings)
        return choices * len(self.places) * (1 + len(self.decodings)) + bare
