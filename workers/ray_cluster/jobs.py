"""Long pieces of work, such as trainings, that take a worker of their own each: as Ray tasks.

A job whose process or node is lost is begun again, on whichever worker is free, until it has been lost
`workers.max_attempts` times; so it must find by itself what it has left on disk.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError

from configs.errors import DemosearchError, InputError
from configs.plural import show_many
from configs.schema.workers import WorkersConfig
from workers.ray_cluster.actor import environment_of, meaning_of
from workers.ray_cluster.cluster import RayCluster
from workers.ray_cluster.placement import Placement, place

T = TypeVar("T")

logger = logging.getLogger(__name__)


class JobLost(DemosearchError):
    """A job has lost its worker as often as `workers.max_attempts` allows, or breaks down wherever it is begun."""


async def run_jobs(
    jobs: Sequence[Callable[[], T]], config: WorkersConfig, tell: Callable[[int], None] = lambda _: None
) -> list[T | DemosearchError]:
    """Run them beside each other, as many as the workers that the config makes of the cluster.

    Args:
        jobs: to be pickled; what a job leaves on disk, the nodes must share.
        tell: called with a job's place when it has ended.

    Returns:
        What each returned, or the error of ours that it raised, or a JobLost.

    Raises:
        InputError: there is no cluster, no room on it, or its nodes lack what a job needs.
    """
    cluster = RayCluster(config.ray)
    begun: list[Any] = []
    try:
        await cluster.connect()
        placement = place(config, await cluster.nodes())
        logger.info("%d jobs on %s each", len(jobs), placement)
        gate = asyncio.Semaphore(placement.count)

        async def conduct(number: int) -> T | DemosearchError:
            async with gate:
                outcome = await _outcome(jobs[number], number, placement, config, begun)
            tell(number)
            return outcome

        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(conduct(number)) for number in range(len(jobs))]
        return [task.result() for task in running]
    except* InputError as group:
        raise _first(group) from None
    finally:
        await cluster.leave(lambda: _cancel(begun))


def _first(group: BaseExceptionGroup[InputError]) -> BaseException:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


async def _outcome(
    job: Callable[[], T], number: int, placement: Placement, config: WorkersConfig, begun: list[Any]
) -> T | DemosearchError:
    """Outcome of one job, however many attempts it takes."""
    task: Any = ray.remote(_perform).options(
        num_cpus=placement.cpus,
        num_gpus=placement.gpus,
        max_retries=0,  # else Ray repeats without limit what runs out of memory
        runtime_env=environment_of(placement, config.ray),
    )
    for attempt in range(1, config.max_attempts + 1):
        begun.append(task.remote(job))
        try:
            outcome: T | DemosearchError = await asyncio.shield(
                asyncio.wrap_future(begun[-1].future())
            )  # Ray Client trips over cancelled ones
        except RayError as error:
            meaning = meaning_of(error)
            if isinstance(meaning, InputError):
                raise meaning from error
            if isinstance(error, RayTaskError):
                return JobLost(f"it fails on its worker: {meaning}")
            logger.warning("job %d has lost its worker in attempt %d (%s)", number + 1, attempt, meaning)
            lost = JobLost(
                f"it has lost its worker {show_many(attempt, 'time')} (workers.max_attempts), most recently: {meaning}"
            )
        else:
            if isinstance(outcome, InputError):
                raise outcome
            return outcome
    return lost


def _perform(job: Callable[[], T]) -> T | DemosearchError:
    """Do a job on the worker. Errors of ours are answers: Ray would wrap them."""
    try:
        return job()
    except DemosearchError as error:
        return error


def _cancel(begun: Sequence[Any]) -> None:
    for reference in begun:
        with suppress(Exception):  # it may have ended, or Ray be gone
            ray.cancel(reference, force=True)
