"""The decode loop: rows enter a batch, gain a token a step, and leave it when they end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from itertools import takewhile

import torch

from workers.failures import GenerationFailed
from workers.messages import Answered, Ended
from workers.prompt import Decoding, PromptBlock
from workers.shared_prefix.ahead import UNSURE, Ahead, accepted
from workers.shared_prefix.capacity import Capacity
from workers.shared_prefix.launched import Launched
from workers.shared_prefix.memory import give_back, is_out_of_memory
from workers.shared_prefix.request import Request
from workers.shared_prefix.rows import Rows, RowsAhead
from workers.shared_prefix.sampling import UNKNOWN, TokenChooser
from workers.shared_prefix.transfer import to_device


class DecodeLoop:
    """A `text_model.Batch`: rows of all its jobs run together.

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
        """See `Batch.has_room`; a few rows at a time, since reading one alone takes as long as a step of all.

        Not behind requests that wait: only a step tells how many rows the memory holds, and whether there is a place
        for their prefix.
        """
        return not self._waiting and self._has_room_beside(len(self._active))

    def add(self, job: int, block: PromptBlock) -> None:
        """See `Batch.add`."""
        requests = self._prepare(job, block)
        # longest first: neighbours in a batch need little padding, and too large a batch shows at once
        self._waiting.extend(sorted(requests, key=lambda request: -len(request.prompt)))
        self._unanswered[job] = len(requests)
        self._end_if_complete(job)

    def drop(self, job: int) -> None:
        """See `Batch.drop`."""
        self._unanswered.pop(job, None)
        self._waiting = deque(request for request in self._waiting if request.job != job)

    def step(self) -> list[Answered | Ended]:
        """See `Batch.step`."""
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
        self._launched: Launched | None = None
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
        for request in new:
            request.begin()
        self._active += new  # before the model runs, so that none is lost when memory ends
        tokens = [request.prompt + request.transcript.tokens for request in new]
        rows.enter([row[:-1] for row in tokens])
        self._last = torch.cat([self._last, to_device([row[-1] for row in tokens], self._device)])
        self._chooser.enter([request.text for request in new], tokens, [request.new_tokens for request in new])

    @torch.inference_mode()
    def _advance(self) -> None:
        if not self._active:
            return
        assert self._rows is not None
        if self._rows.is_recorded:
            self._launch_and_read(self._rows)
        else:
            self._step_and_read(self._rows)
        self._shed()

    def _launch_and_read(self, rows: Rows) -> None:
        """The next step is launched, then the tokens of the one before are read: a GPU does not wait for the host.

        A row whose answer has ended takes a step too many, whose token is dropped."""
        before, self._launched = self._launched, None
        if any(request.new_tokens + request.due < self._decoding.max_new_tokens for request in self._active):
            self._last = self._chooser.choose(rows.step(self._last.clamp_min(0)))  # what is no token is read later
            self._chooser.take_one(self._last)
            self._launched = Launched(self._active, self._last)
        for request, token in before.read() if before is not None else []:
            if self._goes_on(request):
                request.starts_over = token == UNSURE  # what was launched behind it is wrong
                self._push(request, [self._surely(request, []) if token == UNSURE else token])

    def _step_and_read(self, rows: Rows) -> None:
        """One step, or one pass over drafts, and what every row says by it."""
        drafts = self._drafts()
        if drafts is None:
            self._last = self._chooser.choose(rows.step(self._last))
            new_tokens = [[token] for token in self._last.tolist()]
            for row, token in enumerate(new_tokens):
                if token[0] == UNSURE:
                    token[0] = self._last[row] = self._surely(self._active[row], [])
            self._chooser.take_one(self._last)
        else:
            assert isinstance(rows, RowsAhead)
            new_tokens = self._accepted_drafts(rows, drafts)
        for request, tokens in zip(self._active, new_tokens, strict=True):
            request.passes += 1
            self._push(request, tokens)

    def _drafts(self) -> list[list[int]] | None:
        """How each row may go on, none for some; None where no row has a draft."""
        if not isinstance(self._rows, RowsAhead) or not self._rows.takes_drafts:
            return None
        most = self._decoding.max_new_tokens
        drafts = [request.draft(most) for request in self._active]
        return drafts if any(drafts) else None

    def _accepted_drafts(self, rows: RowsAhead, drafts: list[list[int]]) -> list[list[int]]:
        """What each row says by one pass over its last token and its draft."""
        given = [[last, *draft] for last, draft in zip(self._last.tolist(), drafts, strict=True)]
        ahead = Ahead.of(given, self._device)
        chosen = self._chooser.choose_ahead(rows.step_ahead(ahead), ahead).tolist()
        new_tokens = accepted(given, chosen, lambda row, drafted: self._surely(self._active[row], drafted))
        rows.gain([len(tokens) for tokens in new_tokens])
        self._chooser.take(new_tokens)
        self._last = torch.tensor([tokens[-1] for tokens in new_tokens], device=self._device)
        for request, draft, tokens in zip(self._active, drafts, new_tokens, strict=True):
            request.drafted += len(draft)
            if draft and request.drafter is not None:
                request.drafter.note(len(draft), len(tokens) - 1)
        return new_tokens

    def _surely(self, request: Request, drafted: list[int]) -> int:
        """A row's next token behind a draft, by its own text alone: neighbours, drafts and what is in memory have no
        part in it."""
        assert self._rows is not None
        tokens, chooser = request.prompt + request.transcript.tokens + drafted, self._new_chooser()
        chooser.enter([request.text], [tokens], [request.new_tokens + len(drafted)])
        return chooser.choose_alone(self._rows.alone(tokens))

    def _push(self, request: Request, tokens: list[int]) -> None:
        """Tokens of one pass, as far as they do not end the answer."""
        for token in tokens:
            if token == UNKNOWN:
                self._fail(request.job, GenerationFailed("the model computes NaN: try model.dtype=bfloat16 or float32"))
                return
            request.push(token, self._decoding, self._ends)
            if request.finish is not None:
                return

    @torch.inference_mode()
    def _shed(self) -> None:
        """Rows leave that are finished, or that nobody waits for any more."""
        staying = [row for row, request in enumerate(self._active) if self._goes_on(request)]
        if len(staying) == len(self._active):
            return
        finished = [request for request in self._active if request.finish is not None]
        again = [request for request in self._active if request.starts_over and request.job in self._unanswered]
        self._waiting.extendleft(request for request in reversed(again) if request.finish is None)
        self._active = [self._active[row] for row in staying]
        for request in finished:
            self._answer(request)
        if not staying:
            self._clear()
            return
        assert self._rows is not None
        self._rows.keep(staying)
        rows = to_device(staying, self._device)
        self._chooser.keep(rows)
        self._last = self._last[rows]

    def _goes_on(self, request: Request) -> bool:
        return request.finish is None and request.job in self._unanswered and not request.starts_over

    def _answer(self, request: Request) -> None:
        if request.job in self._unanswered:
            self._unanswered[request.job] -= 1
            counted = request.passes, request.drafted
            self._news.append(Answered(request.job, request.index, request.completion(), *counted))
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
