"""A decode step recorded once as a CUDA graph: hundreds of small kernels, started by one call."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

log = logging.getLogger(__name__)

RunStep = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Takes tokens [rows] and lengths [rows], returns logits [rows, V]."""

Record = Callable[[RunStep, torch.Tensor, torch.Tensor], RunStep]
"""Makes a step for inputs of the shape of these."""


class StepGraph:
    """Replays `step` for other tokens and lengths of the same shape. Everything else it touches must stay in place.

    Where recording fails, the step runs as it is, and that is said once.
    """

    def __init__(self, step: RunStep, tokens: torch.Tensor, lengths: torch.Tensor) -> None:
        self._step = step
        self._tokens = tokens.clone()
        self._lengths = lengths.clone()
        self._graph: torch.cuda.CUDAGraph | None = torch.cuda.CUDAGraph()
        try:
            self._record()
        except RuntimeError as error:
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

    def _record(self) -> None:
        assert self._graph is not None
        apart = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        apart.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(apart):  # libraries allocate their workspaces at their first use, outside the graph
            self._step(self._tokens, self._lengths)
        torch.cuda.current_stream().wait_stream(apart)
        with torch.cuda.graph(self._graph):
            self._logits = self._step(self._tokens, self._lengths)


def recorder(device: torch.device) -> Record | None:
    """What makes steps faster on this device."""
    return StepGraph if device.type == "cuda" else None
