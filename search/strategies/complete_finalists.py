"""A strategy whose finalists meet all search questions before its ranking is final."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.parts.drift_checks import MOST_CHECKS, DriftChecks
from search.strategies.parts.elimination import anytime_p_values
from search.strategies.parts.leaderboard import Leaderboard
from search.strategies.parts.shortlist import fewer_questions
from search.strategies.strategy import Extensible, Strategy, agreement_of, drift_suspected_by, screened_by, stage_of

_FINALISTS = 2


def _answers(trials: Sequence[Trial]) -> int:
    return sum(len(trial.questions) for trial in trials)


class CompleteFinalists:
    """A strategy that asks as `strategy` does; when that has ended, its first two candidates are asked about the search
    questions that they have not met, and candidates that have met all come first, by their gain over the base prompt.

    A mean over few questions depends on which ones they were: a winner of 8 questions and a runner-up of 32 cannot be
    compared. Where both have met all questions anyway, nothing is asked and the order stays the strategy's own.

    Args:
        error: the strategy ends early when its leader is proven better than the base prompt, with at most this
            probability of error however often one looks and however many lead in turn, if the judge's level stays; 0
            never ends it early.
        checks: how many times the base prompt's answers to some questions are judged again, which the strategy is not
            told; `auto`: as many as usual, once the strategy suspects that the judge's level drifts.
    """

    def __init__(
        self,
        strategy: Strategy,
        space: SearchSpace,
        seed: int,
        error: float = 0.0,
        checks: int | Literal["auto"] = 0,
    ) -> None:
        self._strategy, self._error, self._decided = strategy, error, False
        self._own_answers = self._checked_answers = 0  # asked for by the strategy, with the base prompt's; by checks
        self._base = space.compose(())
        self._questions = fewer_questions(space, seed).questions
        self._checks = DriftChecks(self._base, self._questions, MOST_CHECKS if checks == "auto" else checks, seed)
        self._checking = checks != "auto"
        self._checks_under_way: list[Trial] = []
        self._board = Leaderboard()
        self._of_base: dict[str, float] = {}  # its latest scores
        self._ahead: dict[Candidate, dict[str, float]] = {}  # of what the base prompt had when each was scored
        self._met: dict[Candidate, set[str]] = {}
        self._under_way = 0
        self._final: list[Trial] | None = None  # None while the strategy goes on
        self._final_answers = self._planned = self._earlier_final_answers = 0

    def ask(self, room: int) -> Sequence[Trial]:
        trials: list[Trial] = []
        if self._final is None and not self._decided:
            trials += self._due(self._own_answers / max(1, self._strategy.planned()), room) if self._met else []
            own = self._strategy.ask(room - len(trials)) if len(trials) < room else []
            self._own_answers += _answers(own)
            trials += own
        if not trials and not self._under_way and self._final is None and self._met:
            self._end()
        if self._final:
            trials, self._final = self._final[:room], self._final[room:]
        self._under_way += len(trials)
        return trials

    def _end(self) -> None:
        """Have the rest of the checks made, and the finalists meet what they have not."""
        unmet, checks = self._unmet(), self._due(1.0, self._checks.answers)
        self._final_answers = _answers(unmet)
        within = self._own_answers + self._checked_answers
        self._planned = within + self._earlier_final_answers + self._final_answers
        self._final = [*checks, *unmet]

    def _due(self, spent: float, room: int) -> list[Trial]:
        """Return checks that are due where a share `spent` of the budget is."""
        self._checking = self._checking or drift_suspected_by(self._strategy)
        checks = self._checks.due(spent, room) if self._checking else []
        self._checks_under_way += checks
        self._checked_answers += _answers(checks)
        return checks

    def _unmet(self) -> list[Trial]:
        """What the first two have not been asked about, a trial each."""
        left = {candidate: self._questions_left(candidate) for candidate in self._strategy.ranking()[:_FINALISTS]}
        return [Trial(candidate, questions) for candidate, questions in left.items() if questions]

    def _questions_left(self, candidate: Candidate) -> tuple[str, ...]:
        met = self._met.get(candidate, set())
        return tuple(name for name in self._questions if name not in met)

    def tell(self, scored: ScoredTrial) -> None:
        trial = scored.trial
        if self._met:
            self._under_way -= 1
        else:  # the base prompt's, which nobody asks for
            self._own_answers += len(trial.questions)
        if not trial.screening:
            self._met.setdefault(trial.candidate, set()).update(trial.questions)
        if trial.tells_scores:
            self._board.tell(scored)
        if scored.mean is not None and not trial.screening:
            self._compare(scored)
        if trial in self._checks_under_way:  # another trial that judges again is the strategy's own
            self._checks_under_way.remove(trial)
        elif self._final is None:
            self._strategy.tell(scored)
            self._decided = self._decided or (self._error > 0 and self._proves_its_leader())

    def _compare(self, scored: ScoredTrial) -> None:
        """Note scores of the base prompt, also those of answers judged again, and a candidate's first differences to
        them: so the judge's level has had the least time to move between the two."""
        candidate = scored.trial.candidate
        if candidate == self._base:
            self._of_base |= scored.scores
        elif not scored.trial.again:
            scores, of_base = scored.scores, self._of_base
            ahead = {name: scores[name] - of_base[name] for name in scores if name in of_base}
            self._ahead[candidate] = ahead | self._ahead.get(candidate, {})

    def _proves_its_leader(self) -> bool:
        """Whether the leader is proven better than the base prompt; nothing is while the strategy suspects that the
        judge's level drifts. The k-th candidate that was scored may err with a share 1 / (k * (k + 1)) of the error, so
        that all together err with no more than that."""
        leader = next(iter(self._strategy.ranking()), self._base)
        if leader not in self._ahead or drift_suspected_by(self._strategy):
            return False
        ahead = np.array([*self._ahead[leader].values()])
        place = [*self._met].index(leader)
        return len(ahead) > 0 and anytime_p_values(ahead[None])[0] < self._error / (place * (place + 1))

    def planned(self) -> int:
        if self._final is not None:
            return self._planned
        within = self._own_answers if self._decided else self._strategy.planned()
        within += self._earlier_final_answers + self._checks.answers
        leaders = self._strategy.ranking()[:_FINALISTS]
        left = sum(len(self._questions_left(leader)) for leader in leaders)
        return within + left + (_FINALISTS - len(leaders)) * len(self._questions)

    def ranking(self) -> Sequence[Candidate]:
        ranking = self._strategy.ranking()
        if not self._final_answers or self._final or self._under_way:
            return ranking
        among = set(ranking)
        complete = [
            candidate
            for candidate in self._board.shrunk_ranking(self._base)
            if candidate in among and (candidate == self._base or not self._questions_left(candidate))
        ]
        placed = set(complete)
        return [*complete, *(candidate for candidate in ranking if candidate not in placed)]

    def extend(self, budget: int) -> None:
        """Have the strategy go on, to its end whatever is proven. What its finalists met beyond its own questions stays
        unknown to it; where it asks again, the ledger answers. Checks of a drift are planned anew for what is added."""
        assert isinstance(self._strategy, Extensible)
        self._strategy.extend(budget)
        self._checks.extend(self._own_answers / max(1, self._strategy.planned()))
        self._earlier_final_answers += self._final_answers
        self._final, self._final_answers = None, 0
        self._error, self._decided = 0.0, False

    def agreement(self) -> float | None:
        """See `Screened`."""
        return agreement_of(self._strategy)

    def screened(self) -> int:
        """See `Screened`."""
        return screened_by(self._strategy)

    def stage(self) -> str:
        """What it is doing, in a few words."""
        if self._final is None and not self._decided:
            return stage_of(self._strategy)
        proven = "the leader is proven better than the base prompt; " if self._decided else ""
        return f"{proven}the finalists meet all search questions"
