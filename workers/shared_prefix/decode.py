"""The decode loop: rows enter a batch, gain a token a step, and leave it when they end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import torch

from workers.failures import GenerationFailed
from workers.prompt import Completion, Decoding
from workers.shared_prefix.capacity import Capacity
from workers.shared_prefix.memory import give_back, is_out_of_memory
from workers.shared_prefix.sampling import UNKNOWN, TokenChooser
from workers.shared_prefix.transcript import Transcript


class Rows(Protocol):
    """The running rows as the model sees them: their keys and values.

    Attributes:
        joins: rows may enter while others run.
    """

    joins: bool

    def enter(self, tokens: list[list[int]]) -> None:
        """Rows with these tokens (of some, none) join at the end of the batch."""
        ...

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Every row of the batch gains its token, [B]. Returns the logits behind it, [B, V]."""
        ...

    def keep(self, rows: torch.Tensor) -> None:
        """Only these rows stay, in this order; `rows` [B'] are indices."""
        ...


@dataclass(slots=True)
class Request:
    """One prompt under way."""

    index: int
    text: str
    prompt: list[int]
    transcript: Transcript
    finish: Literal["stop", "length"] | None = None
    new_tokens: int = 0

    def push(self, token: int, decoding: Decoding, ends: frozenset[int]) -> None:
        self.new_tokens += 1
        if token in ends or self.transcript.push(token):
            self.finish = "stop"
        elif self.new_tokens == decoding.max_new_tokens:
            self.finish = "stop" if self.transcript.has_stop() else "length"

    def completion(self) -> Completion:
        assert self.finish is not None
        return Completion(self.transcript.text(), len(self.prompt), self.new_tokens, self.finish)


class DecodeLoop:
    """Answers requests behind one `Rows`.

    Args:
        new_rows: makes an empty batch, and settles how many rows it holds; called for the first rows, and whenever
            none is left.
        decoding: of all requests.
        ends: token ids that end a text; they are no part of it.
        capacity: shared with other loops of the same engine.
        vocabulary: width of the logits.
        device: of the logits.
        is_given_up: asked before every step; when it is true, `run` ends early.
    """

    def __init__(
        self,
        new_rows: Callable[[], Rows],
        decoding: Decoding,
        ends: frozenset[int],
        capacity: Capacity,
        vocabulary: int,
        device: torch.device,
        is_given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._new_rows = new_rows
        self._decoding = decoding
        self._ends = ends
        self._capacity = capacity
        self._vocabulary = vocabulary
        self._device = device
        self._is_given_up = is_given_up
        self._waiting: deque[Request] = deque()
        self._done: list[Request] = []
        self._clear()

    def run(self, requests: Iterable[Request]) -> Iterator[tuple[int, Completion]]:
        """Yields `(index, completion)` as each request ends.

        Raises:
            GenerationFailed: not even one row fits the memory, or the model computes NaN.
        """
        # longest first: neighbours in a batch need little padding, and too large a batch shows at once
        self._waiting.extend(sorted(requests, key=lambda request: -len(request.prompt)))
        while (self._waiting or self._active) and not self._is_given_up():
            out_of_memory = False
            try:
                self._admit()
                self._advance()
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                out_of_memory = True
            if out_of_memory:  # outside the handler, where the failed call's tensors are gone
                self._start_over_smaller()
            yield from ((request.index, request.completion()) for request in self._done)
            self._done.clear()

    def _clear(self) -> None:
        self._active: list[Request] = []
        self._rows: Rows | None = None
        self._chooser = TokenChooser(self._decoding, self._vocabulary, self._device)
        self._last = torch.empty(0, dtype=torch.long, device=self._device)  # [B], the tokens not yet given to the rows

    @torch.inference_mode()
    def _admit(self) -> None:
        if self._rows is None:
            self._rows = self._new_rows()
        free = self._capacity.rows - len(self._active)
        if not self._waiting or (self._active and not (self._rows.joins and free >= self._capacity.rows / 4)):
            return  # a few rows at a time: reading one alone takes as long as a step of all
        new = [self._waiting.popleft() for _ in range(min(free, len(self._waiting)))]
        self._active += new  # before the model runs, so that none is lost when memory ends
        tokens = [request.prompt + request.transcript.tokens for request in new]
        self._rows.enter([row[:-1] for row in tokens])
        self._last = torch.cat([self._last, torch.tensor([row[-1] for row in tokens], device=self._device)])
        self._chooser.enter([request.text for request in new], tokens, [request.new_tokens for request in new])

    @torch.inference_mode()
    def _advance(self) -> None:
        assert self._rows is not None
        tokens = self._chooser.choose(self._rows.step(self._last))
        for request, token in zip(self._active, tokens.tolist(), strict=True):
            if token == UNKNOWN:
                raise GenerationFailed("the model computes NaN: try model.dtype=bfloat16 or float32")
            request.push(token, self._decoding, self._ends)
        self._last = self._drop_finished(tokens)

    def _drop_finished(self, tokens: torch.Tensor) -> torch.Tensor:
        """The tokens of the rows that stay."""
        staying = [row for row, request in enumerate(self._active) if request.finish is None]
        if len(staying) == len(self._active):
            return tokens
        self._done = [request for request in self._active if request.finish is not None]
        self._active = [self._active[row] for row in staying]
        if not staying:
            self._clear()
            return tokens[:0]
        assert self._rows is not None
        rows = torch.tensor(staying, device=self._device)
        self._rows.keep(rows)
        self._chooser.keep(rows)
        return tokens[rows]

    def _start_over_smaller(self) -> None:
        """Rows under way wait again, with what they have said so far."""
        running = len(self._active)
        self._waiting.extendleft(reversed(self._active))
        self._clear()
        give_back(self._device)
        self._capacity.halve(running)
