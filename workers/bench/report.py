"""What a benchmark found, for people, for programs, and for LOG.md."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from workers.bench.workload import GenerationWorkload

GIB = 2**30
NOT_TOLD = "–"


@dataclass(slots=True)
class Finding:
    """One contender at one workload.

    Attributes:
        total, prefill, decode: seconds; the parts are None where the library does not tell them apart.
        peak: bytes beyond what was in memory before.
        batch: prompts at a time.
        of_prefill, of_decode: share of the roofline reached, the one of a prefix read once.
        whole: of the prompts also answered alone, the share whose completions are the same; None where not asked.
        until: tokens that agree at the beginning of a completion, on average.
    """

    method: str
    work: GenerationWorkload
    total: float
    prefill: float | None
    peak: int
    batch: int
    of_prefill: float | None = None
    of_decode: float | None = None
    whole: float | None = None
    until: float | None = None

    @property
    def decode(self) -> float | None:
        return None if self.prefill is None else self.total - self.prefill

    @property
    def tokens_per_second(self) -> float:
        return self.work.questions * self.work.new / self.total

    def line(self, ours: Finding | None) -> str:
        """A line for people, with how much faster ours was."""
        text = f"  {self.method:15s} {self.total:8.2f} s {self.tokens_per_second:9,.0f} tokens/s"
        if self.decode is not None:
            text += f"  prefill {self.prefill:7.2f} s  decode {self.decode:7.2f} s"
        text += f"  peak {self.peak / GIB:6.2f} GiB  {self.batch:3d} at a time"
        if self.of_prefill is not None:
            text += f"  roofline: prefill {self.of_prefill:.0%}, decode {self.of_decode:.0%}"
        return text if ours is None or ours is self else f"{text}  ours is {self.total / ours.total:.1f}x as fast"


@dataclass(slots=True)
class Report:
    """The findings of a benchmark, and the surroundings in which they were made.

    Attributes:
        surroundings: versions, device, rates: whatever tells one run of the benchmark from another.
        findings: in the order measured.
        skipped: what was left out, and why.
        failed: what was tried, and how it failed.
    """

    surroundings: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)
    skipped: list[tuple[str, GenerationWorkload, str]] = field(default_factory=list)
    failed: list[tuple[str, GenerationWorkload, str]] = field(default_factory=list)

    def find(self, method: str, work: GenerationWorkload) -> Finding | None:
        return next((finding for finding in self.findings if (finding.method, finding.work) == (method, work)), None)

    def write(self, file: Path) -> None:
        """Write the report as JSON; the file is whole at every moment."""
        runs = [
            asdict(finding) | {"decode": finding.decode, "tokens_per_second": finding.tokens_per_second}
            for finding in self.findings
        ]
        unmeasured = {
            name: [{"method": method, "work": asdict(work), "reason": reason} for method, work, reason in runs_of_name]
            for name, runs_of_name in (("skipped", self.skipped), ("failed", self.failed))
        }
        partial = file.with_name(f"{file.name}.part")
        partial.write_text(json.dumps({**self.surroundings, "runs": runs, **unmeasured}, indent=1) + "\n")
        partial.replace(file)

    def markdown(self) -> str:
        """One table, a line for each contender at each workload."""
        head = (
            "prefix x questions x new",
            "contender",
            "s",
            "prefill",
            "decode",
            "tokens/s",
            "peak GiB",
            "roofline prefill, decode",
            "as batch size 1",
            "ours is faster",
        )
        lines = [_joined(head), _joined(["---"] * len(head))]
        works = dict.fromkeys(finding.work for finding in self.findings)
        for work in works:
            ours = self.find("ours", work)
            lines += [_joined(_cells(finding, ours)) for finding in self.findings if finding.work == work]
        return "\n".join(lines)


def _cells(finding: Finding, ours: Finding | None) -> list[str]:
    work = finding.work
    reached = NOT_TOLD if finding.of_prefill is None else f"{finding.of_prefill:.0%}, {finding.of_decode:.0%}"
    return [
        f"{work.prefix:,} x {work.questions} x {work.new}",
        finding.method,
        f"{finding.total:.2f}",
        NOT_TOLD if finding.prefill is None else f"{finding.prefill:.2f}",
        NOT_TOLD if finding.decode is None else f"{finding.decode:.2f}",
        f"{finding.tokens_per_second:,.0f}",
        f"{finding.peak / GIB:.2f}",
        reached,
        NOT_TOLD if finding.whole is None else f"{finding.whole:.0%}, to token {finding.until:.0f}",
        NOT_TOLD if ours is None or ours is finding else f"{finding.total / ours.total:.1f} x",
    ]


def _joined(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
