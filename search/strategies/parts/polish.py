"""A local search as the last stage of another strategy, from the best set that it found.

What it arrives at was the best of many neighbours on few questions, and so it seems better than it is: it takes the
start's place only where a paired test on all questions that both have met proves it better.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import TOO_LONG, ScoredTrial, Trial
from search.strategies.parts.elimination import by_test
from search.strategies.strategy import Strategy

_PROVEN = by_test("t", 0.1)  # worse than the other, and so out

LocalFrom = Callable[[Sequence[str]], Strategy]
"""A local search that starts from this choice; it knows nothing yet."""


@dataclass(slots=True)
class _Known:
    """What both stages have learnt of a candidate."""

    scores: dict[str, float]
    failures: dict[str, str]

    def learn(self, scored: ScoredTrial) -> None:
        if scored.mean is not None:
            self.scores |= scored.scores
            self.failures |= scored.failures
        else:  # what little was scored of it is in no mean, and nobody asks again
            cause = next(iter(scored.failures.values()), "")
            self.failures |= dict.fromkeys(scored.trial.questions, cause) | scored.failures

    def missing(self, questions: Iterable[str]) -> tuple[str, ...]:
        if TOO_LONG in self.failures.values():
            return ()
        return tuple(name for name in questions if name not in self.scores and name not in self.failures)

    def of(self, trial: Trial) -> ScoredTrial:
        if TOO_LONG in self.failures.values():
            return ScoredTrial(trial, {}, dict.fromkeys(trial.questions, TOO_LONG), None)
        scores = {name: self.scores[name] for name in trial.questions if name in self.scores}
        failures = {name: self.failures[name] for name in trial.questions if name not in scores}
        return ScoredTrial(trial, scores, failures, fmean(scores.values()) if scores else None)


class Polished:
    """A strategy to its end, then a local search from what it ranks first. What the first stage was told is not asked
    for again: the second one is told it from here, though it counts as asked. A place and a decoding that the best has
    of its own stay.

    Args:
        first: new.
        local: makes the second stage.
        evaluations: answers that the second stage asks for at most, the base prompt's not counted.
    """

    def __init__(self, space: SearchSpace, first: Strategy, local: LocalFrom, evaluations: int) -> None:
        self._space, self._first, self._local = space, first, local
        self._evaluations = evaluations
        self._base = space.compose(())
        self._known: dict[Candidate, _Known] = {}
        self._awaited = 1  # the base prompt
        self._answers = len(space.questions)
        self._second: Strategy | None = None
        self._start = self._base
        self._wanted: deque[Trial] = deque()  # by the second stage, in its order, as it spells them
        self._seen = 0  # answers that it has asked for, known ones included

    def ask(self, room: int) -> Sequence[Trial]:
        trials = list(self._first.ask(room)) if self._second is None else []
        if self._second is None and not trials and not self._awaited and self._first.ranking():
            self._begin()
        if self._second is not None:
            trials = self._ask_second(self._second, room)
        self._awaited += len(trials)
        self._answers += sum(len(trial.questions) for trial in trials)
        return trials

    def _begin(self) -> None:
        self._start = self._first.ranking()[0]
        if not self._space.added(self._start) and self._known[self._start].missing(self._space.questions):
            # The base prompt in another decoding that has not met everything cannot stand for itself.
            self._start = self._base
        self._second = self._local(self._space.added(self._start))
        self._second.tell(self._known_of(Trial(self._base, self._space.questions)))

    def _ask_second(self, second: Strategy, room: int) -> list[Trial]:
        trials: list[Trial] = []
        while len(trials) < room and (asked := second.ask(1)):
            (wanted,) = asked
            self._seen += len(wanted.questions)
            self._wanted.append(wanted)
            missing = self._knowledge(wanted.candidate).missing(wanted.questions)
            if missing:
                trials.append(Trial(self._rendered(wanted.candidate), missing))
            elif not trials and not self._awaited:
                self._pass_on(second)
        return trials

    def tell(self, scored: ScoredTrial) -> None:
        self._awaited -= 1
        self._known.setdefault(scored.trial.candidate, _Known({}, {})).learn(scored)
        if self._second is None:
            self._first.tell(scored)
        else:
            self._pass_on(self._second)

    def _pass_on(self, second: Strategy) -> None:
        """Tell the second stage what it waits for, in its order, as far as everything of it is known."""
        while self._wanted:
            known = self._knowledge(self._wanted[0].candidate)
            if known.missing(self._wanted[0].questions):
                return
            second.tell(self._known_of(self._wanted.popleft()))

    def _known_of(self, wanted: Trial) -> ScoredTrial:
        return self._knowledge(wanted.candidate).of(wanted)

    def _knowledge(self, candidate: Candidate) -> _Known:
        return self._known.setdefault(self._rendered(candidate), _Known({}, {}))

    def _rendered(self, candidate: Candidate) -> Candidate:
        """As the start is: in its place and its decoding. The base prompt stays what it is unless it is the start."""
        added = self._space.added(candidate)
        if not added:
            return self._base if self._space.added(self._start) else self._start
        return self._space.compose(added, self._space.place(self._start), self._start.decoding)

    def planned(self) -> int:
        if self._second is None:
            return self._first.planned() + self._evaluations
        return self._answers + self._second.planned() - len(self._space.questions) - self._seen

    def ranking(self) -> Sequence[Candidate]:
        first = self._first.ranking()
        if self._second is None:
            return first
        polished = [self._rendered(candidate) for candidate in self._second.ranking()]
        best = [one for one in polished[:1] if self._is_better(one, first[0])]
        return list(dict.fromkeys([*best, *first, *polished]))

    def _is_better(self, one: Candidate, start: Candidate) -> bool:
        told = {each: self._known[each].scores for each in (one, start)}
        return one != start and start not in _PROVEN(told)
