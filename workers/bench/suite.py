"""What a benchmark measures on which device, the most important first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workers.bench.workload import GenerationWorkload, Size

Axis = Literal["prefix", "questions"]
PREFIXES = (1000, 2000, 4000, 8000, 16000, 32000)
QUESTIONS = (8, 40, 128, 512)
AGREEMENT = "agreement"  # in the place of a contender: some prompts are answered alone, for the rate of agreement


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """One contender, or `AGREEMENT`, at one workload."""

    method: str
    work: GenerationWorkload


@dataclass(frozen=True, slots=True)
class Defaults:
    """The workloads of a benchmark on one kind of device.

    Attributes:
        size: of the model.
        main: the workloads that all contenders are compared at.
        memory: the workload whose peak memory is asked for; None where it is among the others.
        swept: what stays the same while the other axis is swept.
        too_long: seconds from which on a single run is left out.
        minutes: for everything; None for as long as it takes.
        references: prompts also answered one at a time.
    """

    size: Size
    main: tuple[GenerationWorkload, ...]
    memory: GenerationWorkload | None
    swept: GenerationWorkload
    too_long: float
    minutes: float | None
    references: int


DEFAULTS = {
    "cpu": Defaults(
        size="small",
        main=(GenerationWorkload(2000, 40, 64), GenerationWorkload(8000, 40, 64)),
        memory=None,
        swept=GenerationWorkload(2000, 40, 64),
        too_long=1200,
        minutes=None,
        references=4,
    ),
    "cuda": Defaults(
        size="8b",
        main=(GenerationWorkload(8000, 80, 256),),
        memory=GenerationWorkload(32000, 80, 64),
        swept=GenerationWorkload(8000, 80, 64),
        too_long=240,
        minutes=9,
        references=6,
    ),
}


def points(axis: Axis, fixed: GenerationWorkload) -> list[GenerationWorkload]:
    """Workloads along an axis, smaller ones first, so that a forecast learns before it is needed most."""
    if axis == "prefix":
        return [GenerationWorkload(prefix, fixed.questions, fixed.new) for prefix in PREFIXES]
    return [GenerationWorkload(fixed.prefix, questions, fixed.new) for questions in QUESTIONS]


def compared(works: tuple[GenerationWorkload, ...], methods: list[str]) -> list[SuiteRun]:
    """Each workload in turn: the two that every comparison is about, how much they agree with a prompt alone, and the
    others."""
    first = [method for method in ("ours", "plain") if method in methods]
    rest = [method for method in methods if method not in first]
    return [SuiteRun(method, work) for work in works for method in (*first, AGREEMENT, *rest)]


def swept(axes: list[Axis], fixed: GenerationWorkload, methods: list[str]) -> list[SuiteRun]:
    """Ours along all axes first, then the others."""
    works = list(dict.fromkeys(work for axis in axes for work in points(axis, fixed)))
    ours = [SuiteRun("ours", work) for work in works if "ours" in methods]
    return ours + [SuiteRun(method, work) for work in works for method in methods if method != "ours"]


def everything(defaults: Defaults, methods: list[str]) -> list[SuiteRun]:
    """The standing measurements on this kind of device: ours and plain, then ours elsewhere, then the rest."""
    runs = compared(defaults.main, methods)
    if defaults.memory is None:
        return runs
    along = swept(["prefix", "questions"], defaults.swept, methods)
    runs.insert(2, SuiteRun("ours", defaults.memory))
    runs += along
    rank = [run.method not in ("ours", "plain", AGREEMENT) or (run in along and run.method != "ours") for run in runs]
    ordered = [run for late in (False, True) for run, is_late in zip(runs, rank, strict=True) if is_late == late]
    return [run for run in dict.fromkeys(ordered) if run.method in (*methods, AGREEMENT)]
