"""What a device has free, and what it says when that was not enough."""

from __future__ import annotations

import os
from pathlib import Path

import torch

MEMINFO = Path("/proc/meminfo")
GROUP = Path("/sys/fs/cgroup")  # of a container


def free_bytes(device: torch.device, group: Path = GROUP) -> int:
    """Bytes that a new tensor could use, >= 0: on a GPU what torch holds without using it counts too.

    Args:
        group: where Linux tells of the container's memory.
    """
    if device.type != "cuda":
        return max(0, _available(group))
    held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0]) + held


def _available(group: Path) -> int:
    """What Linux would give without swapping, within the container's limit; elsewhere half of all memory."""
    if not MEMINFO.exists():
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    line = next(line for line in MEMINFO.read_text().splitlines() if line.startswith("MemAvailable:"))
    available = int(line.split()[1]) * 1024
    limit = group / "memory.max"
    if limit.exists() and (most := limit.read_text().strip()) != "max":
        used = int((group / "memory.current").read_text()) - _given_back_at_need(group / "memory.stat")
        available = min(available, int(most) - used)
    return available


def _given_back_at_need(stat: Path) -> int:
    """Bytes of files read and no longer used, such as a model's: they count as used, and may be most of the limit."""
    counts = dict(line.split() for line in stat.read_text().splitlines())
    return int(counts["inactive_file"])


def give_back(device: torch.device) -> None:
    """Memory that torch holds without using it."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def is_out_of_memory(error: RuntimeError) -> bool:
    """CUDA has a type for it; the CPU's allocator has only words."""
    words = str(error)
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in words or "not enough memory" in words
