"""How long a run has been worked on, and by whom, noted while it works and held against its limits, also while it only
waits."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from configs.schema.workers import WorkersConfig
from evaluators.drafting import Drafting
from evaluators.ledger.ledger import Ledger
from evaluators.pipeline.budget import Budget
from evaluators.task_group import task_group
from evaluators.utilization import Utilization
from workers.activity import WorkersActivity
from workers.text_model import ModelCard

_EVERY = 2.0  # seconds between two notes: what a kill may lose


@asynccontextmanager
async def time_kept(
    *,
    ledger: Ledger,
    budget: Budget,
    utilization: Callable[[], Utilization],
    drafting: Callable[[], Drafting] = Drafting,
    clock: Callable[[], float],
    every: float = _EVERY,
) -> AsyncIterator[None]:
    """Note the time of this process on one run while this is open; it ends with BudgetSpent as soon as a limit on time
    is reached.

    Args:
        utilization, drafting: so far.
        clock: seconds since this process began to work on the run.
        every: seconds between two notes.
    """

    async def note() -> None:
        await ledger.keep_time(clock(), utilization(), drafting())

    async def keep() -> None:
        while True:
            await note()
            budget.check_clock()
            await asyncio.sleep(every)

    async with task_group() as tasks:
        keeping = tasks.create_task(keep())
        try:
            yield
        finally:
            keeping.cancel()
            await note()


def clock_from_now() -> Callable[[], float]:
    """Seconds since this call."""
    began = time.monotonic()
    return lambda: time.monotonic() - began


def gpus_each(card: ModelCard, config: WorkersConfig) -> float:
    """GPUs that each worker of a model holds.

    Args:
        card: of the loaded model; tells whether there are any.
        config: `auto` is one GPU (see `workers.ray_cluster.placement`).
    """
    devices = card.device.count("cuda")
    if not devices or config.kind == "local":
        return float(devices)
    return 1.0 if config.gpus_per_worker == "auto" else config.gpus_per_worker


def utilization_of(activity: WorkersActivity, gpus: float) -> Utilization:
    """The utilization of the model that answers, whose workers hold so many GPUs each."""
    workers = Utilization(workers=activity.seconds_alive, workers_busy=activity.seconds_busy)
    return workers + gpu_utilization(activity, gpus)


def drafting_of(activity: WorkersActivity) -> Drafting:
    """What drafts have brought the model that answers."""
    counted = [worker for worker in activity.workers if worker.passes]
    return sum((Drafting(worker.tokens, worker.passes, worker.drafted) for worker in counted), Drafting())


def gpu_utilization(activity: WorkersActivity, gpus: float) -> Utilization:
    """The utilization of any model's GPUs, whose workers hold so many each."""
    return Utilization(gpus=activity.seconds_alive * gpus, gpus_busy=activity.seconds_busy * gpus)
