"""A strategy whose finalists meet all search questions before its ranking is final."""

from collections.abc import Sequence

from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.parts.leaderboard import Leaderboard
from search.strategies.parts.shortlist import fewer_questions
from search.strategies.strategy import Extensible, Strategy, agreement_of, screened_by, stage_of

_FINALISTS = 2


class CompleteFinalists:
    """A strategy that asks as `strategy` does; when that has ended, its first two candidates are asked about the search
    questions that they have not met, and candidates that have met all come first, by their gain over the base prompt.

    A mean over few questions depends on which ones they were: a winner of 8 questions and a runner-up of 32 cannot be
    compared. Where both have met all questions anyway, nothing is asked and the order stays the strategy's own.
    """

    def __init__(self, strategy: Strategy, space: SearchSpace, seed: int) -> None:
        self._strategy = strategy
        self._base = space.compose(())
        self._questions = fewer_questions(space, seed).questions
        self._board = Leaderboard()
        self._met: dict[Candidate, set[str]] = {}
        self._under_way = 0
        self._final: list[Trial] | None = None  # None while the strategy goes on
        self._final_answers = 0

    def ask(self, room: int) -> Sequence[Trial]:
        trials = self._strategy.ask(room) if self._final is None else []
        if not trials and not self._under_way and self._final is None and self._met:
            self._final = self._unmet()
            self._final_answers = sum(len(trial.questions) for trial in self._final)
        if self._final:
            trials, self._final = self._final[:room], self._final[room:]
        self._under_way += len(trials)
        return trials

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
        if not trial.screening:
            self._met.setdefault(trial.candidate, set()).update(trial.questions)
        if trial.tells_scores:
            self._board.tell(scored)
        if self._final is None:
            self._strategy.tell(scored)

    def planned(self) -> int:
        if self._final is not None:
            return self._strategy.planned() + self._final_answers
        leaders = self._strategy.ranking()[:_FINALISTS]
        left = sum(len(self._questions_left(leader)) for leader in leaders)
        return self._strategy.planned() + left + (_FINALISTS - len(leaders)) * len(self._questions)

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
        """Have the strategy go on. What its finalists met beyond its own questions stays unknown to it; where it asks
        again, the ledger answers."""
        assert isinstance(self._strategy, Extensible)
        self._strategy.extend(budget)
        self._final, self._final_answers = None, 0

    def agreement(self) -> float | None:
        """See `Screened`."""
        return agreement_of(self._strategy)

    def screened(self) -> int:
        """See `Screened`."""
        return screened_by(self._strategy)

    def stage(self) -> str:
        """What it is doing, in a few words."""
        return stage_of(self._strategy) if self._final is None else "the finalists meet all search questions"
