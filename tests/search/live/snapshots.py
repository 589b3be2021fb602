"""Looks at work under way, made up."""

import time
from dataclasses import replace

from search.live.eta import Eta
from search.live.snapshot import Snapshot, Work
from search.statistics.estimates import Estimate
from workers.activity import WorkerActivity, WorkersActivity
from workers.service.activity import ServiceActivity


def worker(number: int) -> WorkerActivity:
    """Every 13th has nothing to do, every 29th is not ready."""
    alive = number % 29 != 28
    return WorkerActivity(
        number=number,
        place=f"node-{number // 8} GPU {number % 8}",
        alive=alive,
        block=16 + number if alive and number % 13 != 5 else None,
        more_blocks=number % 2,
        asked=40,
        answered=23,
        seconds=11.0 + number,
        tokens=1000 * number,
        seconds_alive=100.0,
        seconds_busy=90.0,
    )


def group(size: int) -> WorkersActivity:
    """So many workers."""
    workers = tuple(worker(number) for number in range(1, size + 1))
    return WorkersActivity(
        alive=sum(one.alive for one in workers),
        busy=sum(one.block is not None for one in workers),
        queued=3,
        restarts=1,
        seconds_alive=100.0 * size,
        seconds_busy=97.0 * size,
        waiting=120,
        answering=98,
        workers=workers,
    )


def snapshot(size: int = 4) -> Snapshot:
    """A search with so many workers, a third through."""
    return Snapshot(
        moment=time.time(),
        process=17,
        seconds=843.0,
        phase="search",
        trials=41,
        candidates=33,
        stage="sets are tried",
        done=3120,
        planned=9600,
        eta=Eta(720.0, 540.0, 1020.0),
        best=Estimate(7.42, 7.10, 7.74, 80),
        base=Estimate(6.9, 6.5, 7.3, 80),
        gain=Estimate(0.52, 0.2, 0.84, 80),
        work=Work(3020, 2950, 312, 40, {"PromptTooLong": 2, "VerdictUnreadable": 1}, 812.3),
        activity=group(size),
        services=(ServiceActivity(12, 16, 28, 200, 3, 2, 7.0),),
        limits={"dollars": 20.0, "generations": 10_000, "gpu_hours": 4.0},
        spent={"generations": 3020, "verdicts": 2950, "judge_calls": 0, "dollars": 1.2, "gpu_hours": 3.9, "hours": 0.2},
    )


def of_no_search() -> Snapshot:
    """An evaluation that has just begun."""
    return replace(snapshot(), phase="evaluate", eta=None, best=None, base=None, gain=None, limits={}, spent={})
