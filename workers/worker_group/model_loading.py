"""How a worker gets its model, and what is said aloud meanwhile."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from configs.errors import InputError
from configs.plural import show_many
from workers.text_model import LoadEngine, ModelCard
from workers.worker_group.worker_handle import WorkerHandle
from workers.worker_group.worker_process import WorkerDead, WorkerLost

PAUSE = 0.5  # seconds between two trials to reach a worker that is being restarted
REMINDER = 30.0  # seconds between two lines about a worker that is still loading, or waiting for a place

logger = logging.getLogger(__name__)


async def load_model(
    handle: WorkerHandle, load_engine: LoadEngine, max_attempts: int, pause: float = PAUSE, reminder: float = REMINDER
) -> ModelCard:
    """Wait for the worker's process, as long as it takes, and have it load the model.

    Args:
        pause: seconds between two trials to reach it.
        reminder: seconds between two lines about it.

    Raises:
        InputError: the model cannot be loaded there, or the process does not live that long.
    """
    began = time.monotonic()
    for _ in range(max_attempts):
        async with _reminders(f"{handle} has been waiting for a place with {handle.process.needs}", reminder, growth=2):
            await _reach(handle, max_attempts, pause)
        logger.info("%s is loading the model", handle)
        try:
            async with _reminders(f"{handle} has been loading", reminder, growth=1):
                card = await handle.process.begin(load_engine)
        except WorkerLost as loss:
            reason = str(loss)
            handle.placed = False
        else:
            logger.info("%s is ready on %s after %.0f s", handle, card.device, time.monotonic() - began)
            return card
    raise InputError(
        f"a worker died {show_many(max_attempts, 'time')} while it loaded the model ({reason}): "
        "give it a machine with more memory, or choose a smaller model or dtype"
    )


async def _reach(handle: WorkerHandle, max_attempts: int, pause: float) -> None:
    """Wait for an answer, however long a place for the process is being looked for; some do not live that long."""
    deaths = 0
    while deaths < max_attempts:
        try:
            await handle.process.ping()
        except WorkerLost as loss:
            reason = str(loss)
            deaths += isinstance(loss, WorkerDead)
            await asyncio.sleep(pause)
        else:
            handle.placed = True
            return
    raise InputError(f"a worker's process ended {show_many(deaths, 'time')} before it answered: {reason}")


@asynccontextmanager
async def _reminders(line: str, pause: float, growth: int) -> AsyncIterator[None]:
    """Say how long it has been so while the body runs; `growth` of 2 waits twice as long each time, since others may
    keep a place for hours."""
    reminding = asyncio.create_task(_remind(line, pause, growth))
    try:
        yield
    finally:
        reminding.cancel()


async def _remind(line: str, pause: float, growth: int) -> None:
    began = time.monotonic()
    while True:
        await asyncio.sleep(pause)
        logger.info("%s for %.0f s", line, time.monotonic() - began)
        pause *= growth
