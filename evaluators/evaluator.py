"""The journey of a block: known? generate, judge, keep."""

import asyncio
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from configs.errors import DemosearchError, RunStopped
from evaluators.evaluation import Evaluation, Failure
from evaluators.failures import VerdictUnreadable
from evaluators.judge import Judge, Verdict
from evaluators.keys import generation_keys, prompt_digest, verdict_key
from evaluators.ledger import Ledger
from evaluators.question import Question
from workers.failures import GenerationFailed
from workers.prompt import Completion, Decoding, PromptBlock
from workers.text_model import TextModel


@dataclass(slots=True)
class Counts:
    """What this process has done so far, for the progress view."""

    generated: int = 0
    judged: int = 0
    known: int = 0
    failed: int = 0
    new_tokens: int = 0


class Evaluator:
    """Answers and judges blocks of prompts; identical work is done once, ever, also while it is under way.

    Args:
        model: started; `fingerprint` is its card's.
        clean: turns a completion's text into the answer that the judge reads.
    """

    def __init__(
        self,
        *,
        model: TextModel,
        fingerprint: str,
        decoding: Decoding,
        judge: Judge,
        ledger: Ledger,
        clean: Callable[[str], str],
    ) -> None:
        self.counts = Counts()
        self._model = model
        self._fingerprint = fingerprint
        self._decoding = decoding
        self._judge = judge
        self._judge_digest = sha256(judge.fingerprint.encode()).digest()
        self._ledger = ledger
        self._clean = clean
        self._generating: dict[bytes, asyncio.Future[Completion]] = {}
        self._judging: dict[bytes, asyncio.Task[Verdict]] = {}

    async def evaluate(self, block: PromptBlock, questions: Sequence[Question]) -> list[Evaluation | Failure]:
        """Answer suffix `i` of the block, which asks `questions[i]`, and judge the answer.

        Returns:
            In the order of `questions`, everything in it durable; an item that fails does so alone.

        Raises:
            RunStopped: nothing further can be evaluated now.
        """
        keys = generation_keys(self._fingerprint, self._decoding, block)
        stored = self._ledger.completions(keys)
        known = self._known(stored, keys, questions)
        missing = [index for index in range(len(keys)) if index not in known]
        ours, completions = self._claim(missing, stored, keys)
        items = {i: asyncio.create_task(self._item(questions[i], keys[i], completions[i])) for i in missing}
        generating = asyncio.create_task(self._generate(block, ours, keys, questions))
        await _all_or_first_error([generating, *items.values()])
        await self._ledger.flush()
        return [known[index] if index in known else items[index].result() for index in range(len(keys))]

    def _known(
        self, stored: dict[bytes, Completion], keys: Sequence[bytes], questions: Sequence[Question]
    ) -> dict[int, Evaluation]:
        """What the ledger can answer whole, by index."""
        answers = {i: self._clean(stored[key].text) for i, key in enumerate(keys) if key in stored}
        wanted = {i: verdict_key(self._judge.fingerprint, questions[i], answer) for i, answer in answers.items()}
        verdicts = self._ledger.verdicts(list(wanted.values()))
        known = {
            i: Evaluation(questions[i].id, answers[i], verdicts[key].score)
            for i, key in wanted.items()
            if key in verdicts
        }
        self.counts.known += len(known)
        return known

    def _claim(
        self, missing: Sequence[int], stored: dict[bytes, Completion], keys: Sequence[bytes]
    ) -> tuple[list[int], dict[int, asyncio.Future[Completion]]]:
        """The indices that this call has to generate, and for each missing one the completion that is or will be."""
        ours: list[int] = []
        completions: dict[int, asyncio.Future[Completion]] = {}
        for index in missing:
            key = keys[index]
            if key not in self._generating:
                promise = asyncio.get_running_loop().create_future()
                if key in stored:
                    promise.set_result(stored[key])
                else:
                    self._generating[key] = promise
                    ours.append(index)
                completions[index] = promise
            else:
                completions[index] = self._generating[key]
        return ours, completions

    async def _generate(
        self, block: PromptBlock, ours: list[int], keys: Sequence[bytes], questions: Sequence[Question]
    ) -> None:
        """Generate what is ours and keep every promise made for it, with a completion or an error."""
        if not ours:
            return
        prompt = prompt_digest(self._fingerprint, self._decoding, block)
        self._ledger.keep_prompt(prompt, self._fingerprint, json.dumps(asdict(self._decoding)), block.prefix)
        error: DemosearchError = GenerationFailed("the model ended the block without an answer to this question")
        try:
            async for position, completion in self._model.generate(block.select(ours), self._decoding):
                index = ours[position]
                kept = self._ledger.keep_completion(keys[index], prompt, questions[index].id, completion)
                kept.add_done_callback(partial(self._kept, keys[index]))
                self.counts.generated += 1
                self.counts.new_tokens += completion.new_tokens
                self._generating[keys[index]].set_result(completion)
        except GenerationFailed as failed:
            error = failed
        except (RunStopped, asyncio.CancelledError) as stopped:
            error = RunStopped(str(stopped) or "the search is being stopped")
            raise
        finally:
            for index in ours:
                promise = self._generating.get(keys[index])
                if promise is not None and not promise.done():
                    del self._generating[keys[index]]
                    promise.set_exception(error)
                    promise.exception()  # marks it as seen: whoever waited may have been cancelled meanwhile

    def _kept(self, key: bytes, kept: asyncio.Future[None]) -> None:
        """Until it is in the ledger, a completion is found here."""
        self._generating.pop(key, None)
        if not kept.cancelled():
            kept.exception()  # marks it as seen: `flush` raises it

    async def _item(self, question: Question, key: bytes, promise: asyncio.Future[Completion]) -> Evaluation | Failure:
        """Judge one completion once it is there; the only place where an error becomes a failure."""
        try:
            completion = await asyncio.shield(promise)
        except GenerationFailed as error:
            return await self._failure(Failure(question.id, "generation", type(error).__name__, str(error)), key)
        answer = self._clean(completion.text)
        judging = verdict_key(self._judge.fingerprint, question, answer)
        if judging not in self._judging:
            task = asyncio.create_task(self._judge_once(question, answer, key, judging))
            task.add_done_callback(lambda done: self._judged(judging, done))
            self._judging[judging] = task
        try:
            verdict = await asyncio.shield(self._judging[judging])
        except RunStopped:
            raise
        except DemosearchError as error:
            return await self._failure(Failure(question.id, "verdict", type(error).__name__, str(error)), judging)
        return Evaluation(question.id, answer, verdict.score)

    async def _judge_once(self, question: Question, answer: str, generation: bytes, key: bytes) -> Verdict:
        """A verdict that is durable; asked for only where the ledger has none."""
        stored = self._ledger.verdicts([key])
        if stored:
            return stored[key]
        verdict = await self._judge.judge(question, answer)
        if not math.isfinite(verdict.score):
            raise VerdictUnreadable(f"the judge's score is {verdict.score}")
        self.counts.judged += 1
        await self._ledger.keep_verdict(key, self._judge_digest, question.id, generation, verdict)
        return verdict

    def _judged(self, key: bytes, done: asyncio.Task[Verdict]) -> None:
        del self._judging[key]
        if not done.cancelled():
            done.exception()  # marks it as seen: whoever waited may have been cancelled meanwhile

    async def _failure(self, failure: Failure, key: bytes) -> Failure:
        self.counts.failed += 1
        await self._ledger.keep_failure(key, failure)
        return failure

    async def start(self) -> None:
        """Note the judge in the ledger."""
        await self._ledger.keep_judge(self._judge_digest, self._judge.fingerprint)

    async def close(self) -> None:
        """Wait for the verdicts that are being paid for, and keep them; nothing new is asked for."""
        await self._judge.close()
        await asyncio.gather(*self._judging.values(), return_exceptions=True)


async def _all_or_first_error(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Wait for all; at the first error give the others up and raise it."""
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
