"""The interface of everything that decides which demonstrations to try."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial


class Strategy(Protocol):
    """Decides the next trials from the scores of the earlier ones. Deterministic: the same seed and the same sequence
    of calls give the same trials, so that a resumed run walks the same path."""

    def ask(self, room: int) -> Sequence[Trial]:
        """Ask for at most `room` (>= 1) further trials. None: nothing until something is told; while nothing is under
        way, that ends the search."""
        ...

    def tell(self, scored: ScoredTrial) -> None:
        """Take a result, in the order asked. The very first one told is the base prompt's, on all search questions;
        the strategy does not ask for it."""
        ...

    def planned(self) -> int:
        """How many answers it will ask for in all, the base prompt's included: an upper bound, as far as it knows."""
        ...

    def ranking(self) -> Sequence[Candidate]:
        """Every candidate it would recommend, best first, from what it has been told; empty before the first tell."""
        ...


@runtime_checkable
class Staged(Protocol):
    """A strategy that says what it is doing."""

    def stage(self) -> str:
        """What it is doing, in a few words, such as "groups of demonstrations leave a shortlist"."""
        ...


@runtime_checkable
class Extensible(Protocol):
    """A strategy that goes on under a larger budget when it has ended."""

    def extend(self, budget: int) -> None:
        """Go on as if `budget` had been the whole budget, from the beginning, after what has been asked under the
        smaller one; in the units of the strategy's config."""
        ...


@runtime_checkable
class WaryOfDrift(Protocol):
    """A strategy with a model of its scores that may say that the judge's level has moved."""

    def suspects_drift(self) -> bool:
        """Whether the scores so far say so, though no answer was judged again."""
        ...


@runtime_checkable
class Screened(Protocol):
    """A strategy that a cheap judge may guide."""

    def agreement(self) -> float | None:
        """How far that judge agrees with the one that counts: correlation of demonstrations' effects as learnt so far,
        in [0, 1), to 3 decimals. None where it is not asked, or has said nothing yet."""
        ...

    def screened(self) -> int:
        """How many of the answers planned that judge will score in all."""
        ...


def drift_suspected_by(strategy: Strategy) -> bool:
    """See `WaryOfDrift.suspects_drift`; False for any other strategy."""
    return isinstance(strategy, WaryOfDrift) and strategy.suspects_drift()


def agreement_of(strategy: Strategy) -> float | None:
    """The strategy's `Screened.agreement`; None for one that does not screen."""
    return strategy.agreement() if isinstance(strategy, Screened) else None


def screened_by(strategy: Strategy) -> int:
    """The strategy's `Screened.screened`; 0 for one that does not screen."""
    return strategy.screened() if isinstance(strategy, Screened) else 0


def stage_of(strategy: Strategy) -> str:
    """What a strategy is doing, in a few words; "" for one that does not say."""
    return strategy.stage() if isinstance(strategy, Staged) else ""
