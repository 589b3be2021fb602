"""The one loop: ask, score, tell; then the held-out questions."""

import asyncio
from collections import deque
from collections.abc import Sequence
from statistics import fmean

from configs.errors import RunStopped
from configs.plural import show_many
from configs.schema.scoring import ScoringConfig
from evaluators.task_group import task_group
from search.live.snapshot import GainSoFar, Position
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.split import HeldOut
from search.problem.trial import TOO_LONG, ScoredTrial, Side, Trial
from search.run_directory.file_formats import Extension
from search.run_directory.journal import Journal, replayed
from search.run_directory.records import LEADERS, EndRecord, ExpectedGain, JournalRecord, TrialRecord
from search.running.finalists import final_trials, finalists, most_finalists
from search.running.scorer import Scorer
from search.running.strategy_thread import StrategyThread
from search.statistics.certainty import Certainty
from search.strategies.parts.leaderboard import Leaderboard
from search.strategies.strategy import Strategy


class BasePromptRefused(RunStopped):
    """A served model, whose context nobody knew, has refused the base prompt as too long: it always would."""

    may_go_on = False


class Coordinator:
    """Runs one search to its end, or goes on with one.

    Args:
        window: trials under way at the same time.
        scoring: when to stop for failures, and how sure it must be that the winner beats the base prompt.
    """

    def __init__(
        self,
        *,
        strategy: Strategy,
        scorer: Scorer,
        journal: Journal,
        space: SearchSpace,
        held_out: HeldOut,
        window: int,
        scoring: ScoringConfig,
    ) -> None:
        self._strategy = StrategyThread(strategy)
        self._scorer = scorer
        self._journal = journal
        self._space = space
        self._held_out = held_out
        self._window, self._scoring = window, scoring
        self._board = Leaderboard()
        self._certainty = Certainty(space, held_out.judged)
        self._phase: Side = "search"
        self._finals: list[Trial] = []
        self._asked = 0
        self._recorded = 0
        self._searched = 0  # of them on search questions
        self._candidates: set[Candidate] = set()
        self._evaluated = 0
        self._replayed = 0
        self._unsure: list[TrialRecord] = []
        self._improved: set[int] = set()  # positions whose recorded failures have passed
        self._highest: GainSoFar | None = None  # of any best so far

    async def run(self, extensions: Sequence[Extension] = ()) -> None:
        """Search, then score the finalists on the held-out questions.

        Args:
            extensions: larger budgets under which it goes on where the strategy has ended, one after the other.

        Raises:
            RunStopped: everything paid for is kept.
            InputError: the journal disagrees.
        """
        try:
            async with task_group() as tasks:
                base = Trial(self._space.compose(()), self._space.questions)
                await self._search(tasks, [base])
                for extension in extensions:
                    if extension.after_end:
                        await self._judge_winner(tasks, goes_on=True)
                    await self._extend(extension.budget)
                    await self._search(tasks)
                await self._judge_winner(tasks)
        finally:
            self._strategy.close()

    async def _extend(self, budget: int) -> None:
        self._phase = "search"
        await self._strategy.extend(budget)

    async def _search(self, tasks: asyncio.TaskGroup, first: Sequence[Trial] = ()) -> None:
        under_way = deque(self._start(tasks, "search", trial) for trial in first)
        while True:
            while (room := self._window - len(under_way)) > 0:
                asked = await self._strategy.ask(room)
                under_way.extend(self._start(tasks, "search", trial) for trial in asked)
                if not asked:
                    break
            if not under_way:
                return
            await self._tell(await under_way.popleft())

    def _start(self, tasks: asyncio.TaskGroup, side: Side, trial: Trial) -> asyncio.Task[ScoredTrial]:
        position, self._asked = self._asked, self._asked + 1
        return tasks.create_task(self._score(position, side, trial))

    async def _score(self, position: int, side: Side, trial: Trial) -> ScoredTrial:
        record = self._journal.recorded(position)
        if record is None:
            return await self._scorer.score(trial)
        before = replayed(side, record, trial)
        return await self._try_again(position, before) if before.may_improve else before

    async def _try_again(self, position: int, before: ScoredTrial) -> ScoredTrial:
        """Score a recorded trial with failures that may have passed; what has a score comes from the ledger. Where
        nothing has improved, the record stands."""
        try:
            again = await self._scorer.score(before.trial)
        except RunStopped:
            if self._journal.has_ended:  # it stays the search that it was
                return before
            raise
        if len(again.failures) >= len(before.failures):
            return before
        self._improved.add(position)
        return again

    def _leave_path_if_improved(self, position: int) -> None:
        """Leave the journal's path at the first failure that has passed: the search goes on as if it had never
        happened.
        """
        if position in self._improved:
            self._journal.forget_from(position)

    async def _tell(self, scored: ScoredTrial) -> None:
        self._leave_path_if_improved(self._recorded + len(self._unsure))
        self._stop_if_hopeless(scored)
        if scored.trial.tells_scores:
            self._board.tell(scored)
        if not scored.trial.screening:
            self._certainty.tell(scored)
        await self._strategy.tell(scored)
        self._note_lead()
        self._unsure.append(TrialRecord("search", scored, self._strategy.ranking[:LEADERS]))
        if scored.mean is not None or not self._failed_in_a_row():
            await self._note_unsure()

    def _note_lead(self) -> None:
        """Remember the largest gain that any best so far has had, of a resumed search too: a smaller one will be
        remarked on."""
        leader, base = next(iter(self._strategy.ranking), None), self._space.compose(())
        of_base = self._board.scores(base)
        scores = self._board.scores(leader) if leader and leader != base else {}
        ahead = [score - of_base[name] for name, score in scores.items() if name in of_base]
        if ahead and fmean(ahead) > (self._highest.gain if self._highest else 0.0):
            self._highest = GainSoFar(fmean(ahead), len(ahead))

    async def _note_unsure(self) -> None:
        """A row of failures enters the journal once something has worked after it: if the run stops because of them,
        a resumed run shall try them again. A prompt that is too long has not worked, nor says it that nothing does."""
        for record in self._unsure:
            await self._note(record)
        self._unsure.clear()

    def _failed_in_a_row(self) -> int:
        return sum(_may_succeed_later(record.scored) for record in self._unsure)

    async def _note(self, record: TrialRecord) -> None:
        is_recorded = self._journal.is_recorded(self._recorded)
        await self._append(record)
        self._recorded += 1
        if record.side == "search" and not record.scored.trial.screening:
            self._searched += 1
            self._candidates.add(record.candidate)
        self._evaluated += len(record.scored.trial.questions)
        self._replayed += len(record.scored.trial.questions) * is_recorded

    async def _append(self, record: JournalRecord, *, goes_on: bool = False) -> None:
        """Write a record beside the event loop, in the order of calls: a disk may take its time."""
        await self._strategy.compute(lambda: self._journal.append(record, goes_on=goes_on))

    def _stop_if_hopeless(self, scored: ScoredTrial) -> None:
        position = self._recorded + len(self._unsure)
        if scored.mean is not None or self._journal.is_recorded(position):
            return
        if not _may_succeed_later(scored):
            if position == 0:
                raise BasePromptRefused(f"the base prompt with a search question is too long for the model: {_SHORTER}")
            return
        in_a_row = self._failed_in_a_row() + 1
        if position == 0:
            raise RunStopped(f"the base prompt could not be scored, {scored.what_failed}: {_REMEDY}")
        if in_a_row >= self._scoring.stop_after_failed:
            raise RunStopped(
                f"{show_many(in_a_row, 'trial')} in a row could not be scored, in the last one {scored.what_failed}: "
                f"{_REMEDY}"
            )

    async def _judge_winner(self, tasks: asyncio.TaskGroup, *, goes_on: bool = False) -> None:
        await self._note_unsure()
        self._phase = "held_out"
        ranking = self._strategy.ranking
        base = self._space.compose(())
        self._finals = final_trials(finalists(ranking, self._space), self._held_out)
        started = [self._start(tasks, "held_out", trial) for trial in self._finals]
        for trial, task in zip(self._finals, started, strict=True):
            scored = await task
            self._leave_path_if_improved(self._recorded)
            decides = trial.tells_scores and (trial.candidate in ranking[:2] or trial.candidate == base)
            if decides and _may_succeed_later(scored):
                raise RunStopped(
                    f"a finalist could not be scored on held-out questions, {scored.what_failed}: {_REMEDY}"
                )
            if trial.tells_scores:
                self._certainty.tell(scored)
            await self._note(TrialRecord("held_out", scored))
        await self._append(await self._strategy.compute(self._end), goes_on=goes_on)
        self._asked, self._recorded = self._asked + 1, self._recorded + 1  # the record has a place in the journal too

    def _end(self) -> EndRecord:
        base = self._space.compose(())
        best, *others = self._strategy.ranking
        runner_up = others[0] if others else None
        drift, agreement = self._certainty.drift(), self._strategy.agreement
        if best == base:
            return EndRecord(base, runner_up, None, (None, self._expected(runner_up)), drift, agreement)
        probability = self._certainty.probability_better(best)
        if probability >= self._scoring.min_win_probability:
            expected = self._expected(best), self._expected(runner_up)
            return EndRecord(best, runner_up, probability, expected, drift, agreement)
        return EndRecord(base, best, probability, (None, self._expected(best)), drift, agreement)

    def _expected(self, candidate: Candidate | None) -> ExpectedGain | None:
        gain = self._certainty.expected_gain(candidate, self._scoring.confidence) if candidate else None
        return gain and ExpectedGain(*gain)

    def position(self) -> Position:
        """The point that the search has reached, for the progress view."""
        ranking = self._strategy.ranking
        if self._phase == "held_out":
            left = self._finals[len(self._finals) + self._recorded - self._asked :]
            to_come = sum(len(trial.questions) for trial in left)
        else:
            to_come = max(0, self._strategy.planned - self._evaluated)
            to_come += most_finalists(self._space) * sum(map(len, self._held_out))
        return Position(
            phase=self._phase,
            trials=self._searched,
            candidates=len(self._candidates),
            stage=self._strategy.stage if self._phase == "search" else "",
            evaluated=self._evaluated,
            planned=self._evaluated + to_come,
            replayed=self._replayed,
            best_scores=self._board.scores(ranking[0]) if ranking else {},
            base_scores=self._board.scores(self._space.compose(())),
            ranked=len(ranking),
            highest=self._highest,
        )


_REMEDY = "fix that, then go on"
_SHORTER = "start a new run with a shorter one, shorter questions, or a lower decoding.max_new_tokens"


def _may_succeed_later(scored: ScoredTrial) -> bool:
    """Whether it has no mean for reasons that may pass; a prompt that is too long stays too long."""
    return scored.mean is None and TOO_LONG not in scored.failures.values()
