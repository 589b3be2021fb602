"""A strategy of the user's own: bounded in time, and what it raises or returns is checked at the door.

It runs in threads that keep no process from ending. What it raises stops the run with a sentence, StopIteration and
SystemExit included; everything paid for is kept.
"""

import importlib
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from configs.errors import InputError, RunStopped
from configs.schema.strategy import CustomConfig
from search.problem.candidate import OWN, Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.strategy import Strategy
from workers.user_code import UserCodeFailed, call_in_thread, described

T = TypeVar("T")

MOST_PLANNED = 10**12
"""Answers; nobody plans more."""
_MOST_RANKED = 100_000  # candidates; no search tries more
_MOST_AGAIN = 10_000  # further verdicts; nobody asks for more
_SHOWN = 200  # characters of what was returned


class CustomStrategy:
    """The user's strategy behind a door. Ranking and plan are asked for once after each result, so that whoever shows
    them runs no user code.

    Args:
        name: `module:Class`, for messages.
        seconds: one call may take.
        has_screening_judge: whether trials may be scored by a screening judge.
    """

    def __init__(
        self, strategy: Strategy, name: str, space: SearchSpace, seconds: float, *, has_screening_judge: bool = False
    ) -> None:
        self.inner = strategy
        self._name = name
        self._space = space
        self._seconds = seconds
        self._has_screening_judge = has_screening_judge
        self._demonstrations, self._questions, self._decodings = (
            {name: name for name in names}
            for names in ((*space.base, *space.pool), space.questions, (OWN, *space.decodings))
        )
        self._ranking: tuple[Candidate, ...] = ()
        self._planned = self._call("planned", self._plan)

    @classmethod
    def load(
        cls, config: CustomConfig, space: SearchSpace, seed: int, *, has_screening_judge: bool = False
    ) -> "CustomStrategy":
        """Import the class and make a strategy of it.

        Raises:
            InputError: it cannot be imported or made.
        """
        make = _imported(config.strategy)
        try:
            strategy = call_in_thread(lambda: make(space, dict(config.options), seed), config.timeout)
        except UserCodeFailed as error:
            raise InputError(
                f"the strategy {config.strategy!r} cannot be created, it {error}: fix it, or correct strategy.options"
            ) from None
        return cls(strategy, config.strategy, space, config.timeout, has_screening_judge=has_screening_judge)

    def ask(self, room: int) -> Sequence[Trial]:
        return self._call(
            "ask",
            lambda: [self._trial(trial) for trial in _at_most(room, self.inner.ask(room), "trials")],
        )

    def tell(self, scored: ScoredTrial) -> None:
        self._call("tell", lambda: self.inner.tell(scored))
        ranking = self._call(
            "ranking", lambda: tuple(map(self._candidate, _at_most(_MOST_RANKED, self.inner.ranking(), "candidates")))
        )
        if not ranking:
            raise self._wrong(
                "ranking", "returned no candidate after a result, but must return the base prompt at least"
            )
        self._ranking, self._planned = ranking, self._call("planned", self._plan)

    def planned(self) -> int:
        return self._planned

    def ranking(self) -> Sequence[Candidate]:
        return self._ranking

    def _call(self, method: str, work: Callable[[], T]) -> T:
        """What the work returns, which calls the user's code and looks at what came of it: that may raise, too."""
        try:
            return call_in_thread(work, self._seconds)
        except UserCodeFailed as error:
            raise self._wrong(method, str(error.__cause__ if isinstance(error.__cause__, _Misfit) else error)) from None

    def _plan(self) -> int:
        planned: Any = self.inner.planned()
        if isinstance(planned, bool) or not hasattr(planned, "__index__"):
            raise _Misfit(f"must return a whole number, not {_shown(planned)}")
        return max(0, min(operator.index(planned), MOST_PLANNED))

    def _trial(self, trial: Any) -> Trial:
        """The trial in objects of our own; all that is left of the user's."""
        if not isinstance(trial, Trial):
            raise _Misfit(f"must return trials, not {_shown(trial)}")
        candidate, asked = self._candidate(trial.candidate), trial.questions
        if not isinstance(asked, tuple) or not asked or len(set(asked)) < len(asked):
            raise _Misfit(f"asks for {_shown(asked)}: a trial has a tuple of questions, each once")
        for question in asked:
            if question not in self._questions:
                raise _Misfit(f"asks for a question that is not a search question: {_shown(question)}")
        if type(trial.again) is not int or not 0 <= trial.again <= _MOST_AGAIN:
            raise _Misfit(f"again must be a whole number from 0 to {_MOST_AGAIN:,}, not {_shown(trial.again)}")
        if not isinstance(trial.screening, bool):
            raise _Misfit(f"screening must be true or false, not {_shown(trial.screening)}")
        if trial.screening and not self._has_screening_judge:
            raise _Misfit("asks for the screening judge, but the config names none in judge.screening")
        return Trial(candidate, tuple(self._questions[name] for name in asked), trial.again, trial.screening)

    def _candidate(self, candidate: Any) -> Candidate:
        if not isinstance(candidate, Candidate):
            raise _Misfit(f"must return candidates, not {_shown(candidate)}")
        if not isinstance(candidate.demonstrations, tuple):
            raise _Misfit(f"a candidate has a tuple of demonstrations, not {_shown(candidate.demonstrations)}")
        for name in candidate.demonstrations:
            if name not in self._demonstrations:
                raise _Misfit(f"names an unknown demonstration: {_shown(name)}")
        if candidate.decoding not in self._decodings:
            raise _Misfit(f"names an unknown decoding: {_shown(candidate.decoding)}")
        names = tuple(self._demonstrations[name] for name in candidate.demonstrations)
        return Candidate(names, self._decodings[candidate.decoding])

    def _wrong(self, method: str, problem: str) -> RunStopped:
        return RunStopped(f"the strategy {self._name}, {method}(): {problem}; fix it, then go on")


class _Misfit(Exception):
    """What is wrong with what the user's code returned."""


def _at_most(count: int, things: Iterable[T], of_what: str) -> Iterator[T]:
    """The things, which may be a generator that never ends."""
    for number, thing in enumerate(things):
        if number == count:
            raise _Misfit(f"returned more than {count:,} {of_what}")
        yield thing


def _imported(place: str) -> Callable[..., Strategy]:
    module, _, name = place.partition(":")
    try:
        make: Callable[..., Strategy] = getattr(importlib.import_module(module), name)
        if not callable(make):
            raise TypeError(f"{name} is not a class")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may raise anything while it is imported
        raise InputError(
            f"the strategy {place!r} cannot be imported ({described(error)}): give `module:Class` of a class that "
            "Python finds from here"
        ) from error
    return make


def _shown(thing: object) -> str:
    try:
        return repr(thing)[:_SHOWN].encode("utf-8", "replace").decode()
    except Exception:  # a __repr__ of the user's own
        return f"something of type {type(thing).__name__}"
