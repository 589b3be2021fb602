"""A decode step recorded once as a CUDA graph: hundreds of small kernels, started by one call."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

log = logging.getLogger(__name__)

RunStep = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Takes tokens [rows] and lengths [rows], returns logits [rows, V]."""

Record = Callable[[RunStep, torch.Tensor, torch.Tensor], RunStep]
"""Makes a step for inputs of the shape of these."""


class StepGraph:
    """Replays `step` for other tokens and lengths of the same shape. Everything else it touches must stay in place.

    Where recording fails, the step runs as it is, and that is said once.

    Args:
        pool: memory of graphs that never run at the same time; None for one of its own.
        cuda: PyTorch's own, or what stands in for it.
    """

    def __init__(
        self, step: RunStep, tokens: torch.Tensor, lengths: torch.Tensor, pool: Any = None, cuda: Any = torch.cuda
    ) -> None:
        self._step = step
        self._tokens = tokens.clone()
        self._lengths = lengths.clone()
        self._cuda = cuda
        self._graph: Any = cuda.CUDAGraph()
        usual = cuda.current_stream()
        try:
            self._record(pool)
        except RuntimeError as error:
            cuda.set_stream(usual)  # a capture that fails at its end leaves its own stream behind
            if isinstance(error, torch.OutOfMemoryError):
                raise
            log.warning("the decode step cannot be recorded as a CUDA graph, so it runs slower: %s", error)
            self._graph = None

    def __call__(self, tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        if self._graph is None:
            return self._step(tokens, lengths)
        self._tokens.copy_(tokens)
        self._lengths.copy_(lengths)
        self._graph.replay()
        return self._logits

    def _record(self, pool: Any) -> None:
        cuda = self._cuda
        stream = cuda.Stream()
        stream.wait_stream(cuda.current_stream())
        with cuda.stream(stream):  # libraries allocate their workspaces at their first use, outside the graph
            self._step(self._tokens, self._lengths)
        cuda.current_stream().wait_stream(stream)
        # other threads of this process, a judge's for example, may call what would disturb a capture of them all
        with cuda.graph(self._graph, pool=pool, capture_error_mode="thread_local"):
            self._logits = self._step(self._tokens, self._lengths)


def recorder(device: torch.device) -> Record | None:
    """What makes steps faster on this device."""
    return partial(StepGraph, pool=torch.cuda.graph_pool_handle()) if device.type == "cuda" else None
