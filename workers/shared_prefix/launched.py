"""A step that the device has been told to take, and whose tokens the host has not looked at."""

from __future__ import annotations

from typing import Any

import torch

from workers.shared_prefix.request import Request


class Launched:
    """The tokens of a step, on their way to the host.

    Args:
        requests: of its rows.
        tokens: [rows].
        cuda: PyTorch's own, or what stands in for it.
    """

    def __init__(self, requests: list[Request], tokens: torch.Tensor, cuda: Any = torch.cuda) -> None:
        self._entries = [(request, request.entries) for request in requests]
        self._tokens = tokens.to("cpu", non_blocking=True)  # to pinned memory, which nobody has to wait for
        self._arrived: Any = None
        if tokens.device.type == "cuda":
            self._arrived = cuda.Event()
            self._arrived.record()
        for request in requests:
            request.passes += 1
            request.due += 1

    def read(self) -> list[tuple[Request, int]]:
        """The token of each row, once it is there; none of rows that have entered anew since."""
        if self._arrived is not None:
            self._arrived.synchronize()
        rows = []
        for (request, entry), token in zip(self._entries, self._tokens.tolist(), strict=True):
            if request.entries == entry:
                request.due -= 1
                rows.append((request, token))
        return rows
