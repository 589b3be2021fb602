"""Numbers from the host to the device, without waiting for what the device is doing."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def to_device(
    numbers: Sequence[int] | Sequence[Sequence[int]], device: torch.device, dtype: torch.dtype = torch.long
) -> torch.Tensor:
    """The numbers on the device, in their turn among what it has been told before.

    `torch.tensor(..., device=...)` waits until all of that is done. CUDA has taken a copy of memory that is not pinned
    when the call returns, so nothing here has to stay alive.
    """
    return torch.tensor(numbers, dtype=dtype).to(device, non_blocking=True)
