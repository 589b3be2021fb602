"""The decode loop: rows enter a batch, gain a token a step, and leave it when they end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal, Protocol

import torch

from workers.failures import GenerationFailed
from workers.messages import Answered, Ended
from workers.prompt import Completion, Decoding, PromptBlock
from workers.shared_prefix.capacity import Capacity
from workers.shared_prefix.detokenizer import Transcript
from workers.shared_prefix.memory import give_back, is_out_of_memory
from workers.shared_prefix.sampling import UNKNOWN, TokenChooser


class Rows(Protocol):
    """The running rows as the model sees them: their keys and values.

    Attributes:
        joins: rows may enter while others run.
    """

    joins: bool

    @property
    def held(self) -> int:
        """Bytes of the rows' own keys and values, the prefixes' not among them."""
        ...

    def stand_behind(self, prefix: list[int]) -> bool:
        """The rows that enter next begin with these tokens, which are in memory from now on. False when that has no
        place for them beside the prefixes of the rows that run.

        Raises:
            GenerationFailed: they do not even fit alone.
        """
        ...

    def enter(self, tokens: list[list[int]]) -> None:
        """Rows with these tokens (of some, none but the prefix's) join at the end of the batch."""
        ...

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Every row of the batch gains its token, [B]. Returns the logits behind it, [B, V]."""
        ...

    def keep(self, rows: torch.Tensor) -> None:
        """Only these rows stay, in this order; `rows` [B'] are indices."""
        ...


@dataclass(slots=True)
class Request:
    """One prompt under way.

    Attributes:
        job, index: whose answer it is.
        prefix: tokens that the prompts of its block begin with in common; fewer than the prompt has.
    """

    job: int
    index: int
    text: str
    prompt: list[int]
    prefix: list[int]
    transcript: Transcript
    finish: Literal["stop", "length"] | None = None
    new_tokens: int = 0

    @property
    def own(self) -> int:
        """Tokens of the prompt behind the prefix."""
        return len(self.prompt) - len(self.prefix)

    def push(self, token: int, decoding: Decoding, ends: Collection[int]) -> None:
        self.new_tokens += 1
        if token in ends or self.transcript.push(token):
            self.finish = "stop"
        elif self.new_tokens == decoding.max_new_tokens:
            self.finish = "stop" if self.transcript.has_stop() else "length"

    def completion(self) -> Completion:
        assert self.finish is not None
        return Completion(self.transcript.text(), len(self.prompt), self.new_tokens, self.finish)


class DecodeLoop:
    """Implements `text_model.Batch`: rows of all its jobs run together.

    Args:
        prepare: makes the requests of a job's block; what it raises, `add` raises.
        new_rows: makes an empty batch; called for the first rows, and whenever none is left.
        fitting: rows that the memory holds, at least 1: takes the tokens that each has of its own in its prompt, and
            the bytes that rows hold already.
        new_chooser: likewise makes what chooses their tokens.
        decoding: of all jobs.
        ends: token ids that end a text; they are no part of it.
        capacity: shared with other loops of the same engine.
    """

    def __init__(
        self,
        prepare: Callable[[int, PromptBlock], list[Request]],
        new_rows: Callable[[], Rows],
        fitting: Callable[[int, int], int],
        new_chooser: Callable[[], TokenChooser],
        decoding: Decoding,
        ends: Collection[int],
        capacity: Capacity,
    ) -> None:
        self._prepare = prepare
        self._new_rows = new_rows
        self._fitting = fitting
        self._new_chooser = new_chooser
        self._decoding = decoding
        self._ends = ends
        self._capacity = capacity
        self._unanswered: dict[int, int] = {}  # requests that each job still waits for
        self._waiting: deque[Request] = deque()
        self._news: list[Answered | Ended] = []
        self._clear()

    def has_room(self) -> bool:
        """As `Batch.has_room`; a few rows at a time, since reading one alone takes as long as a step of all.

        Not behind requests that wait: only a step tells how many rows the memory holds, and whether there is a place
        for their prefix.
        """
        return not self._waiting and self._has_room_beside(len(self._active))

    def add(self, job: int, block: PromptBlock) -> None:
        """As `Batch.add`."""
        requests = self._prepare(job, block)
        # longest first: neighbours in a batch need little padding, and too large a batch shows at once
        self._waiting.extend(sorted(requests, key=lambda request: -len(request.prompt)))
        self._unanswered[job] = len(requests)
        self._end_if_complete(job)

    def drop(self, job: int) -> None:
        """As `Batch.drop`."""
        self._unanswered.pop(job, None)
        self._waiting = deque(request for request in self._waiting if request.job != job)

    def step(self) -> list[Answered | Ended]:
        """As `Batch.step`."""
        out_of_memory = False
        try:
            self._shed()
            self._admit()
            self._advance()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            out_of_memory = True
        if out_of_memory:  # outside the handler, where the failed call's tensors are gone
            self._start_over_smaller()
        news, self._news = self._news, []
        return news

    def _clear(self) -> None:
        self._active: list[Request] = []
        self._rows: Rows | None = None
        self._chooser = self._new_chooser()
        self._device = self._chooser.device
        self._last = torch.empty(0, dtype=torch.long, device=self._device)  # [B], the tokens not yet given to the rows

    def _has_room_beside(self, rows: int) -> bool:
        joins = not self._active or (self._rows is not None and self._rows.joins)
        return rows == 0 or (joins and self._capacity.rows - rows >= self._capacity.rows / 4)

    @torch.inference_mode()
    def _admit(self) -> None:
        """Waiting requests enter in their order, those behind the first one's prefix at once. The others wait for the
        next step: a prefix may take long to read, and meanwhile nothing else is heeded."""
        if not self._waiting or not self._has_room_beside(len(self._active)):
            return
        prefix, rows = self._waiting[0].prefix, self._rows or self._new_rows()
        self._rows = rows
        try:
            if not rows.stand_behind(prefix):
                return
        except GenerationFailed as error:
            self._fail(self._waiting[0].job, error)
            return
        alike = self._first_behind(prefix)
        self._capacity.fit(self._fitting(max(request.own for request in (*self._active, *alike)), rows.held))
        if self._has_room_beside(len(self._active)):
            self._enter(rows, alike[: self._capacity.rows - len(self._active)])

    def _first_behind(self, prefix: list[int]) -> list[Request]:
        return list(takewhile(lambda request: request.prefix == prefix, self._waiting))

    def _enter(self, rows: Rows, new: list[Request]) -> None:
        for _ in new:
            self._waiting.popleft()
        self._active += new  # before the model runs, so that none is lost when memory ends
        tokens = [request.prompt + request.transcript.tokens for request in new]
        rows.enter([row[:-1] for row in tokens])
        self._last = torch.cat([self._last, torch.tensor([row[-1] for row in tokens], device=self._device)])
        self._chooser.enter([request.text for request in new], tokens, [request.new_tokens for request in new])

    @torch.inference_mode()
    def _advance(self) -> None:
        if not self._active:
            return
        assert self._rows is not None
        self._last = self._chooser.choose(self._rows.step(self._last))
        for request, token in zip(self._active, self._last.tolist(), strict=True):
            if token == UNKNOWN:
                self._fail(request.job, GenerationFailed("the model computes NaN: try model.dtype=bfloat16 or float32"))
            else:
                request.push(token, self._decoding, self._ends)
        self._shed()

    @torch.inference_mode()
    def _shed(self) -> None:
        """Rows leave that are finished, or that nobody waits for any more."""
        staying = [row for row, request in enumerate(self._active) if self._goes_on(request)]
        if len(staying) == len(self._active):
            return
        finished = [request for request in self._active if request.finish is not None]
        self._active = [self._active[row] for row in staying]
        for request in finished:
            self._answer(request)
        if not staying:
            self._clear()
            return
        assert self._rows is not None
        rows = torch.tensor(staying, device=self._device)
        self._rows.keep(rows)
        self._chooser.keep(rows)
        self._last = self._last[rows]

    def _goes_on(self, request: Request) -> bool:
        return request.finish is None and request.job in self._unanswered

    def _answer(self, request: Request) -> None:
        if request.job in self._unanswered:
            self._unanswered[request.job] -= 1
            self._news.append(Answered(request.job, request.index, request.completion()))
            self._end_if_complete(request.job)

    def _end_if_complete(self, job: int) -> None:
        if not self._unanswered[job]:
            del self._unanswered[job]
            self._news.append(Ended(job))

    def _fail(self, job: int, error: GenerationFailed) -> None:
        if job in self._unanswered:
            self.drop(job)
            self._news.append(Ended(job, error))

    def _start_over_smaller(self) -> None:
        """Rows under way wait again, with what they have said so far."""
        running = len(self._active)
        self._waiting.extendleft(reversed(self._active))
        self._clear()
        give_back(self._device)
        try:
            self._capacity.halve(running)
        except GenerationFailed as error:
            self._fail(self._waiting[0].job, error)
