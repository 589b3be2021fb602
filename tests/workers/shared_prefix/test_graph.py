"""How a step is recorded, told by what it asks of CUDA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from workers.shared_prefix.graph import StepGraph


class FakeCuda:
    """Knows which stream is current, records what runs during a capture, and replays it. It may fail as CUDA does: when
    the capture ends, with its stream still current."""

    def __init__(self, error: RuntimeError | None = None) -> None:
        self.stream_now: Any = "usual"
        self.error = error
        self.modes: list[tuple[Any, str]] = []
        self.replayed = 0
        cuda = self

        class CUDAGraph:
            def replay(self) -> None:
                cuda.replayed += 1

        class Stream:
            def wait_stream(self, other: Any) -> None:
                pass

        self.CUDAGraph, self.Stream, self._usual = CUDAGraph, Stream, Stream()
        self.stream_now = self._usual

    def current_stream(self) -> Any:
        return self.stream_now

    def set_stream(self, stream: Any) -> None:
        self.stream_now = stream

    @contextmanager
    def stream(self, stream: Any) -> Iterator[None]:
        before, self.stream_now = self.stream_now, stream
        yield
        self.stream_now = before

    @contextmanager
    def graph(self, graph: Any, pool: Any, capture_error_mode: str) -> Iterator[None]:
        self.modes.append((pool, capture_error_mode))
        before, self.stream_now = self.stream_now, self.Stream()
        yield
        if self.error is not None:
            raise self.error
        self.stream_now = before


def doubled(tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    return 2 * tokens + lengths


def recorded(cuda: FakeCuda) -> StepGraph:
    return StepGraph(doubled, torch.tensor([1, 2]), torch.tensor([0, 0]), pool="pool", cuda=cuda)


def test_a_capture_minds_only_its_own_thread_and_shares_the_memory_of_others() -> None:
    cuda = FakeCuda()
    recorded(cuda)
    assert cuda.modes == [("pool", "thread_local")]
    assert cuda.stream_now is cuda._usual


def test_a_recorded_step_gets_its_inputs_where_it_was_recorded() -> None:
    cuda = FakeCuda()
    step = recorded(cuda)
    step(torch.tensor([5, 6]), torch.tensor([1, 1]))
    assert cuda.replayed == 1
    assert step._tokens.tolist() == [5, 6]
    assert step._lengths.tolist() == [1, 1]


def test_a_capture_that_fails_leaves_the_usual_stream_and_a_step_that_runs(caplog: pytest.LogCaptureFixture) -> None:
    cuda = FakeCuda(RuntimeError("operation not permitted when stream is capturing"))
    step = recorded(cuda)
    assert cuda.stream_now is cuda._usual
    assert "cannot be recorded as a CUDA graph" in caplog.text
    assert step(torch.tensor([5, 6]), torch.tensor([1, 1])).tolist() == [11, 13]
    assert cuda.replayed == 0


def test_a_capture_that_the_memory_has_no_place_for_is_told_and_leaves_the_usual_stream() -> None:
    cuda = FakeCuda(torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(torch.OutOfMemoryError):
        recorded(cuda)
    assert cuda.stream_now is cuda._usual
