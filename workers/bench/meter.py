"""Clock and memory of a device, for what is measured."""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from workers.bench import roofline

STATUS = Path("/proc/self/status")


@dataclass(slots=True)
class Meter:
    """Clock and memory of a device."""

    device: torch.device
    prefill: float = 0.0
    _start: float = 0.0
    _before: int = 0

    def now(self) -> float:
        return roofline.now(self.device)

    def __enter__(self) -> Meter:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        self._before = self._memory(now=True)
        self._start = self.now()
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def total(self) -> float:
        return self.now() - self._start

    def peak(self) -> int:
        return max(0, self._memory(now=False) - self._before)

    def _memory(self, now: bool) -> int:
        if self.device.type == "cuda":
            return torch.cuda.memory_allocated() if now else torch.cuda.max_memory_allocated()
        if not STATUS.exists():  # not Linux: the highest so far, of which loading may have been the highest
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return most if sys.platform == "darwin" else most * 1024
        if now:
            Path("/proc/self/clear_refs").write_text("5")  # the highest so far becomes what is there now
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
