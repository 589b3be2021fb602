"""The judge's half of an evaluation: one judge or several, asked once or several times for each answer.

Every single verdict is a row of the ledger, so that a panel that failed half-way, or was enlarged, pays for the missing
ones only. An answer has a score when all its verdicts are there.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from statistics import fmean, median
from typing import Literal

from configs.errors import DemosearchError, RunStopped
from evaluators.answer_keys import MemberKeys
from evaluators.counts import Counts
from evaluators.evaluation import Failure
from evaluators.failures import JudgeFailed, VerdictStopped, VerdictUnreadable
from evaluators.judge import Judge, Verdict
from evaluators.ledger.keys import verdict_key
from evaluators.ledger.ledger import Ledger
from evaluators.pipeline.budget import Budget
from evaluators.question import Question
from evaluators.reply_model import ReplyModelWatch
from workers.service.failures import ServiceFailed
from workers.usage import NOTHING

_NEVER_READABLE = 8  # verdicts of a judge, all of them unreadable, stop the run
_SAMPLES = 3
_DRAWS = 10_000
"""Draws set aside for the repeats of one verdict; what could not be read is asked for anew by others, also of a service
that finds earlier ones again."""


@dataclass(frozen=True)
class PanelMember:
    """One judge of a panel.

    Attributes:
        weight: > 0, relative to the other members.
        repeats: verdicts asked for each answer, >= 1.
        average: what becomes of several verdicts.
    """

    judge: Judge
    weight: float = 1.0
    repeats: int = 1
    average: Literal["mean", "median"] = "mean"

    @cached_property
    def digest(self) -> bytes:
        return sha256(self.judge.fingerprint.encode()).digest()

    def asked(self, again: int) -> range:
        """Numbers of the verdicts that it gives when it is asked for the first time (0) or once more."""
        return range(again * self.repeats, (again + 1) * self.repeats)

    def keys(self, question: Question, answers: tuple[str, ...], again: int = 0) -> list[bytes]:
        """The keys of the verdicts that this member gives."""
        return [verdict_key(self.judge.fingerprint, question, answers, repeat) for repeat in self.asked(again)]

    def score(self, verdicts: Sequence[Verdict]) -> float:
        """The score of all repeats."""
        if len(verdicts) == 1:
            return verdicts[0].score
        scores = [verdict.score for verdict in verdicts]
        return fmean(scores) if self.average == "mean" else median(scores)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A verdict that is wanted.

    Attributes:
        generation: the key of the answer judged.
        repeat: its number among the member's on this answer.
        key: its own in the ledger.
    """

    member: PanelMember
    question: Question
    answers: tuple[str, ...]
    generation: bytes
    repeat: int
    key: bytes


class Panel:
    """Weighted mean over its members."""

    def __init__(self, members: Sequence[PanelMember], *, ledger: Ledger, budget: Budget, counts: Counts) -> None:
        self._members = tuple(members)
        self._weight = sum(member.weight for member in members)
        self._ledger = ledger
        self._budget = budget
        self._counts = counts
        self._under_way: dict[bytes, asyncio.Task[Verdict]] = {}
        self._closed = False
        self._readable: set[bytes] = set()  # digests of members that have given a verdict, now or before
        self._unreadable: dict[bytes, list[str]] = {}  # what the others have said
        self._watches: dict[bytes, ReplyModelWatch] = {}
        self._stopped: RunStopped | None = None  # what the judges were closed for

    async def start(self) -> None:
        """Load the judges and note them in the ledger."""
        for member in self._members:
            await member.judge.start()
            await self._ledger.keep_judge(member.digest, member.judge.fingerprint)
            self._watches[member.digest] = ReplyModelWatch("the judge", self._ledger.model_of_verdicts(member.digest))

    def keys(self, question: Question, answers: tuple[str, ...], again: int = 0) -> MemberKeys:
        """Keys of the verdicts on the last of these answers, given for the first time (0) or once more."""
        return tuple(tuple(member.keys(question, answers, again)) for member in self._members)

    def stored_scores(self, items: Sequence[tuple[Question, tuple[str, ...]]], again: int = 0) -> list[float | None]:
        """The scores that the ledger has in full; None where a verdict is missing."""
        keys = [[member.keys(*item, again) for member in self._members] for item in items]
        stored = self._ledger.verdicts([key for item in keys for member in item for key in member])
        return [self._combine(item, stored) for item in keys]

    def _combine(self, keys: list[list[bytes]], verdicts: dict[bytes, Verdict]) -> float | None:
        total = 0.0
        for member, own in zip(self._members, keys, strict=True):
            stored = [verdicts[key] for key in own if key in verdicts]
            if len(stored) < len(own):
                return None
            total += member.weight * member.score(stored)
        return total / self._weight

    async def score(
        self, question: Question, answers: tuple[str, ...], generation: bytes, again: int = 0
    ) -> float | Failure:
        """The score of the last of these answers, its verdicts durable; or why there is none.

        Args:
            generation: the key of the answer judged, for people who read the ledger.
            again: 0 for the first verdicts on it, else the n-th further ones.

        Raises:
            RunStopped: no answer can be scored now.
        """
        keys = [member.keys(question, answers, again) for member in self._members]
        wanted = [
            _Asked(member, question, answers, generation, repeat, key)
            for member, own in zip(self._members, keys, strict=True)
            for repeat, key in zip(member.asked(again), own, strict=True)
        ]
        self._counts.waits.begin()
        try:
            verdicts = await asyncio.gather(*(self._verdict(asked) for asked in wanted))
        except RunStopped:
            raise
        except DemosearchError as error:
            self._counts.causes[type(error).__name__] += 1
            return Failure(question.id, "verdict", type(error).__name__, str(error))
        finally:
            self._counts.waits.end()
        score = self._combine(keys, {asked.key: verdict for asked, verdict in zip(wanted, verdicts, strict=True)})
        assert score is not None
        return score

    async def _verdict(self, asked: _Asked) -> Verdict:
        """Identical work is done once, and goes on when whoever asked for it is gone."""
        key = asked.key
        if key not in self._under_way:
            task = asyncio.create_task(self._judge(asked))
            task.add_done_callback(lambda done: self._judged(key, done))
            self._under_way[key] = task
        return await asyncio.shield(self._under_way[key])

    async def _judge(self, asked: _Asked) -> Verdict:
        """A verdict that is durable; asked for only where the ledger has none."""
        member, question, key = asked.member, asked.question, asked.key
        stored = self._ledger.verdicts([key])
        if stored:
            return stored[key]
        try:
            with self._budget.judging():
                draw = asked.repeat + _DRAWS * self._ledger.unreadable(key)
                verdict = await member.judge.judge(question, asked.answers, draw)
            if not math.isfinite(verdict.score):
                raise VerdictUnreadable(f"the judge's score is {verdict.score}", verdict.usage)
            await self._refuse_other_model(member, verdict)
        except VerdictStopped as stop:
            failure = Failure(question.id, "verdict", type(stop).__name__, str(stop))
            await self._ledger.keep_failure(key, failure, stop.usage)
            raise
        except RunStopped:
            raise
        except DemosearchError as error:
            failure = Failure(question.id, "verdict", type(error).__name__, str(error))
            usage = error.usage if isinstance(error, JudgeFailed | ServiceFailed) else NOTHING
            if usage != NOTHING or not self._closed:  # what was never asked for has not failed
                await self._ledger.keep_failure(key, failure, usage)
            if self._stopped is not None:
                raise self._stopped from None
            if isinstance(error, VerdictUnreadable):
                self._stop_if_never_readable(member, error)
            raise
        self._readable.add(member.digest)
        self._counts.judged += 1
        await self._ledger.keep_verdict(key, member.digest, question.id, asked.generation, verdict)
        return verdict

    async def _refuse_other_model(self, member: PanelMember, verdict: Verdict) -> None:
        """Raise VerdictStopped for a verdict of another model than those before it, when nothing more is asked for."""
        watch = self._watches.get(member.digest)
        changed = None if watch is None else watch.complaint(verdict.model)
        if changed is not None:
            self._stopped, self._closed = changed, True
            await member.judge.close()
            raise VerdictStopped(str(changed), verdict.usage)

    def _stop_if_never_readable(self, member: PanelMember, error: VerdictUnreadable) -> None:
        """Paying on would be in vain."""
        if member.digest in self._readable:
            return
        words = self._unreadable.setdefault(member.digest, [])
        words.append(str(error))
        if len(words) >= _NEVER_READABLE:
            if self._ledger.has_verdict(member.digest):  # asked only now: it may look through the whole ledger
                self._readable.add(member.digest)
                return
            samples = "".join(f"\n  - {sample}" for sample in list(dict.fromkeys(words))[:_SAMPLES])
            raise RunStopped(
                f"the judge has not given a single rating in its first {len(words)} verdicts: check its prompt, its "
                f"model and its max_tokens, then go on; for example,{samples}"
            )

    def _judged(self, key: bytes, done: asyncio.Task[Verdict]) -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # marks it as seen: whoever waited may have been cancelled meanwhile

    async def close(self) -> None:
        """Wait for the verdicts that are being paid for, and keep them; nothing new is asked for."""
        self._closed = True
        await asyncio.gather(*(member.judge.close() for member in self._members))
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
