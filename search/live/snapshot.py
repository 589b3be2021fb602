"""One look at work under way: all that the views show of it, and that other processes may read."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from configs.plural import show_many
from evaluators.counts import Counts
from evaluators.pipeline.budget import Budget
from search.live.eta import Eta, Speedometer
from search.statistics.estimates import Estimate, estimate, paired_difference
from search.statistics.intervals import Bounds
from workers.activity import WorkersActivity
from workers.service.activity import ServiceActivity

Phase = Literal["search", "held_out", "retry", "evaluate"]
_DIGITS = 0.005  # points; less is not seen in two decimals


@dataclass(frozen=True, slots=True)
class Position:
    """The point that a search has reached.

    Attributes:
        phase: what is evaluated now.
        trials: told so far, on search questions.
        candidates: distinct ones among them.
        stage: what the strategy is doing, in a few words; "" where it does not say.
        evaluated, planned: evaluations told so far, and how many there will be in all (an upper bound), held-out ones
            included.
        replayed: those of `evaluated` that the journal held already.
        best_scores: the leader's search scores by question; empty before the first, and where nothing is searched.
        base_scores: those of the base prompt.
        ranked: how many candidates the strategy ranks, the base prompt included.
        highest: the largest gain that a best so far has had, also before the search was resumed; None before any.
    """

    phase: Phase
    trials: int
    evaluated: int
    planned: int
    replayed: int = 0
    best_scores: Mapping[str, float] = field(default_factory=dict)
    base_scores: Mapping[str, float] = field(default_factory=dict)
    candidates: int = 0
    stage: str = ""
    ranked: int = 0
    highest: "GainSoFar | None" = None


@dataclass(frozen=True, slots=True)
class GainSoFar:
    """The mean gain of a best so far over the base prompt, and the number of questions that it rests on."""

    gain: float
    questions: int


class Watched(Protocol):
    """What can be looked at while it is at work."""

    def counts(self) -> Counts: ...
    def activity(self) -> WorkersActivity: ...
    def services(self) -> list[ServiceActivity]:
        """The judges' services."""
        ...

    def budget(self) -> Budget: ...


@dataclass(frozen=True, slots=True)
class Work:
    """What this process has done; as in `Counts`.

    Attributes:
        tokens_per_second: over the last stretch of time.
    """

    generated: int = 0
    judged: int = 0
    reused: int = 0
    waiting: int = 0
    causes: Mapping[str, int] = field(default_factory=dict)
    tokens_per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How work stood at one moment.

    Attributes:
        moment: seconds since 1970.
        process: the coordinator's process id.
        seconds: since this process began to work on the run.
        trials: told so far, on search questions.
        candidates: distinct ones among them.
        stage: what the strategy is doing, in a few words; "" where it does not say.
        remark: why the best so far looks worse than before; "" where it does not.
        done, planned: evaluations, those under way that are through included; `planned` is an upper bound.
        eta: for the rest; None before anything is done.
        best: the leader's search score with its interval.
        base: the base prompt's.
        gain: paired difference of the two; None where the base prompt leads.
        ranked: how many candidates the strategy ranks, the base prompt included.
        services: of the judges.
        limits: of the budget, by quantity; only those that are set.
        spent: of every quantity, by all processes; None where it is not known.
    """

    moment: float
    process: int
    seconds: float
    phase: Phase
    trials: int
    done: int
    planned: int
    eta: Eta | None
    best: Estimate | None
    base: Estimate | None
    gain: Estimate | None
    work: Work
    activity: WorkersActivity
    services: tuple[ServiceActivity, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    spent: Mapping[str, float | None] = field(default_factory=dict)
    candidates: int = 0
    stage: str = ""
    remark: str = ""
    ranked: int = 0

    @property
    def is_search(self) -> bool:
        """Whether there is a best candidate to speak of."""
        return self.phase in ("search", "held_out")


class Observer:
    """Looks at work under way, again and again, and remembers how fast it was.

    Args:
        position: tells where the work stands.
        confidence: of the intervals of scores.
    """

    def __init__(
        self, watched: Watched, position: Callable[[], Position], confidence: float, bounds: Bounds | None = None
    ) -> None:
        self._watched, self._position, self._bounds = watched, position, bounds
        self._confidence = confidence
        self._evaluations, self._tokens = Speedometer(), Speedometer()

    def look(self, seconds: float) -> Snapshot:
        """Look once, so many seconds after the beginning."""
        position, counts, budget = self._position(), self._watched.counts(), self._watched.budget()
        done = min(position.planned, max(position.evaluated, position.replayed + counts.evaluated))
        self._evaluations.note(seconds, done)
        self._tokens.note(seconds, counts.new_tokens)
        best, base = position.best_scores, position.base_scores
        gain = paired_difference(best, base, self._confidence, self._bounds) if best is not base else None
        return Snapshot(
            moment=time.time(),
            process=os.getpid(),
            seconds=seconds,
            phase=position.phase,
            trials=position.trials,
            done=done,
            planned=position.planned,
            eta=self._evaluations.eta(position.planned - done),
            best=estimate([*best.values()], self._confidence, bounds=self._bounds),
            base=estimate([*base.values()], self._confidence, bounds=self._bounds),
            gain=gain,
            work=self._work(counts),
            activity=self._watched.activity(),
            services=tuple(self._watched.services()),
            limits=budget.limits,
            spent=budget.spent(),
            candidates=position.candidates,
            stage=position.stage,
            remark=_remark(position.highest, GainSoFar(gain.mean, gain.n) if gain else GainSoFar(0.0, len(base))),
            ranked=position.ranked,
        )

    def _work(self, counts: Counts) -> Work:
        return Work(
            generated=counts.generated,
            judged=counts.judged,
            reused=counts.reused,
            waiting=counts.waiting,
            causes=dict(counts.causes),
            tokens_per_second=self._tokens.speed,
        )


def _remark(highest: GainSoFar | None, now: GainSoFar) -> str:
    """A remark for the time in which the best so far gains less than one before it did."""
    if highest is None or now.gain > highest.gain - _DIGITS:
        return ""
    before = f"down from {highest.gain:+.2f} on {show_many(highest.questions, 'question')}"
    if now.questions > highest.questions:
        return f"{before}, which did not hold on further ones"
    return f"{before} by a candidate that now ranks lower"
