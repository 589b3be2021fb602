"""The journey of a block: answer it turn by turn, judge each answer the moment it is there, keep everything."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field

from evaluators.answer_keys import AnswerKeys
from evaluators.counts import Counts
from evaluators.evaluation import Evaluation, Failure
from evaluators.ledger.ledger import Ledger
from evaluators.objective import Objective
from evaluators.pipeline.generation import Answers, Promise
from evaluators.pipeline.panel import Panel
from evaluators.question import Conversation, Question
from evaluators.slices import slices
from evaluators.task_group import task_group
from workers.failures import GenerationFailed
from workers.prompt import Completion, Decoding, PromptBlock

Render = Callable[[Sequence[Conversation]], PromptBlock]
"""Prompts that put these conversations to the model, one suffix each, behind what all of them share."""


@dataclass(slots=True)
class _Talk:
    """One question on its way through the turns."""

    question: Question
    panel: Panel
    again: int = 0
    answers: tuple[str, ...] = ()
    generations: tuple[bytes, ...] = ()  # their keys
    scores: dict[int, float] = field(default_factory=dict)
    failure: Failure | None = None

    def take(self, key: bytes, answer: str) -> None:
        """Add the answer to the next turn."""
        self.generations += (key,)
        self.answers += (answer,)

    def goes_on(self, turn: int) -> bool:
        return self.failure is None and turn < len(self.question.turns)

    @property
    def conversation(self) -> Conversation:
        """The conversation up to the next turn, which the user begins."""
        exchanges = zip(self.question.turns, self.answers, strict=False)
        return (*(words for pair in exchanges for words in pair), self.question.turns[len(self.answers)])


class Evaluator:
    """Answers and judges; identical work is done once, ever, also while it is under way.

    Args:
        screening: who scores in the place of the panel where that is wanted.
        clean: turns a completion's text into the answer that the judge reads.
    """

    def __init__(
        self,
        *,
        answers: Answers,
        panel: Panel,
        screening: Panel,
        objective: Objective,
        ledger: Ledger,
        counts: Counts,
        clean: Callable[[str], str],
    ) -> None:
        self.counts = counts
        self._answers = answers
        self._panel, self._screening = panel, screening
        self._objective = objective
        self._ledger = ledger
        self._clean = clean

    async def evaluate(
        self,
        render: Render,
        questions: Sequence[Question],
        decoding: Decoding,
        again: int = 0,
        *,
        screening: bool = False,
    ) -> list[Evaluation | Failure]:
        """Put these questions to the model by the prompts that `render` spells, and have the answers judged.

        Args:
            again: 0 for the first verdicts on the answers, else the n-th further ones.
            screening: whether the screening judge scores them.

        Returns:
            In the order of `questions`, everything in it durable; an item that fails does so alone.

        Raises:
            RunStopped: nothing further can be evaluated now.
        """
        panel = self._screening if screening else self._panel
        talks = [_Talk(question, panel, again) for question in questions]
        async with task_group() as tasks:
            for turn in range(self._objective.turns):
                going = [talk for talk in talks if talk.goes_on(turn)]
                coming: list[asyncio.Task[None]] = []
                async for some in slices(going):
                    block = render([talk.conversation for talk in some])
                    coming += await self._take_turn(turn, some, block, decoding, tasks)
                if coming and turn + 1 < self._objective.turns:
                    await asyncio.wait(coming)
        await self._ledger.flush()
        return [self._outcome(talk) async for some in slices(talks) for talk in some]

    async def _take_turn(
        self, turn: int, talks: Sequence[_Talk], block: PromptBlock, decoding: Decoding, tasks: asyncio.TaskGroup
    ) -> list[asyncio.Task[None]]:
        """Have every talk take its answer to this turn; verdicts follow in `tasks`. Returns what takes the answers that
        are still to come."""
        if turn > 0:
            talks, block = await self._without_too_long(talks, block, decoding)
        answers = await self._answers.ask(block, decoding, [talk.question.id for talk in talks], tasks)
        stored = [
            (talk, key, self._clean(completion.text))
            for talk, (key, completion) in zip(talks, answers, strict=True)
            if isinstance(completion, Completion)
        ]
        self._take_stored(turn, stored, tasks)
        promised: dict[Promise, list[tuple[_Talk, bytes]]] = {}
        for talk, (key, promise) in zip(talks, answers, strict=True):
            if not isinstance(promise, Completion):
                promised.setdefault(promise, []).append((talk, key))
        return [tasks.create_task(self._take_promised(turn, promised, tasks))] if promised else []

    async def _without_too_long(
        self, talks: Sequence[_Talk], block: PromptBlock, decoding: Decoding
    ) -> tuple[list[_Talk], PromptBlock]:
        """A first answer may leave no room for the second: that concerns its question alone."""
        refused = await self._answers.refuse_too_long(block, decoding)
        for index, (key, error) in refused.items():
            self._fail(talks[index], key, error)
        rest = [index for index in range(len(talks)) if index not in refused]
        return [talks[index] for index in rest], block.select(rest)

    def _take_stored(self, turn: int, stored: list[tuple[_Talk, bytes, str]], tasks: asyncio.TaskGroup) -> None:
        for talk, key, answer in stored:
            talk.take(key, answer)
        if not self._objective.counts(turn):
            return
        if not stored:
            return
        first = stored[0][0]
        scores = first.panel.stored_scores([(talk.question, talk.answers) for talk, _, _ in stored], first.again)
        for (talk, key, _), score in zip(stored, scores, strict=True):
            if score is None:
                tasks.create_task(self._judge(turn, talk, talk.answers, key))
            else:
                self.counts.reused += 1
                self._take_score(turn, talk, score)

    async def _take_promised(
        self, turn: int, promised: Mapping[Promise, Sequence[tuple[_Talk, bytes]]], tasks: asyncio.TaskGroup
    ) -> None:
        """Take the promised answers as they come. One task for many of them, and one context: a garbage collection
        stops the event loop for as long as it looks at what each answer would have of its own."""
        arrived: asyncio.Queue[Promise] = asyncio.Queue()
        arrive, context = arrived.put_nowait, copy_context()
        for promise in promised:
            promise.add_done_callback(arrive, context=context)
        for _ in promised:
            promise = await arrived.get()
            for talk, key in promised[promise]:
                try:
                    completion = promise.result()
                except GenerationFailed as error:
                    self._fail(talk, key, error)
                    continue
                talk.take(key, self._clean(completion.text))
                if self._objective.counts(turn):
                    tasks.create_task(self._judge(turn, talk, talk.answers, key))

    async def _judge(self, turn: int, talk: _Talk, answers: tuple[str, ...], key: bytes) -> None:
        outcome = await talk.panel.score(talk.question, answers, key, talk.again)
        if isinstance(outcome, Failure):
            self._give_up(talk, talk.failure or outcome)
        else:
            self._take_score(turn, talk, outcome)

    def _fail(self, talk: _Talk, key: bytes, error: GenerationFailed) -> None:
        failure = Failure(talk.question.id, "generation", type(error).__name__, str(error))
        self.counts.causes[failure.cause] += 1
        self._give_up(talk, failure)
        self._ledger.keep_failure(key, failure)  # durable when the evaluation ends, as everything in it

    def _take_score(self, turn: int, talk: _Talk, score: float) -> None:
        talk.scores[turn] = score
        if talk.failure is None and len(talk.scores) == self._objective.judged(len(talk.question.turns)):
            self.counts.evaluated += 1

    def _give_up(self, talk: _Talk, failure: Failure) -> None:
        self.counts.evaluated += talk.failure is None
        talk.failure = failure

    def _outcome(self, talk: _Talk) -> Evaluation | Failure:
        if talk.failure is not None:
            return talk.failure
        scores = tuple(talk.scores.get(turn) for turn in range(len(talk.answers)))
        return Evaluation(talk.question.id, talk.answers, scores, self._objective.combine(scores), self._keys(talk))

    def _keys(self, talk: _Talk) -> AnswerKeys:
        judged = [
            talk.panel.keys(talk.question, talk.answers[: turn + 1], talk.again) if self._objective.counts(turn) else ()
            for turn in range(len(talk.answers))
        ]
        return AnswerKeys(talk.generations, tuple(judged))
