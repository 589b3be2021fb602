"""A TextModel or RewardModel made of Ray actors, on this machine or on a cluster."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from configs.schema.workers import WorkersConfig
from workers.activity import WorkersActivity
from workers.failures import ModelClosed, WorkersUnavailable
from workers.prompt import A_co, Completion, Continuations, Decoding, Likelihood, PromptBlock, Rating, Reward, Task
from workers.ray_cluster.actor import RayActor
from workers.ray_cluster.cluster import LOST, RayCluster
from workers.ray_cluster.placement import Node, Placement, describe, grown, place, room
from workers.text_model import LoadEngine, ModelCard
from workers.worker_group.group import WorkerGroup

WATCH = 10.0  # seconds between two looks at the cluster's nodes
KNOCK = 5.0  # seconds between two knocks at the cluster's head
PATIENCE = 3  # knocks in a row without an answer, after which the head is lost

logger = logging.getLogger(__name__)


class RayWorkers:
    """Many engines as one model.

    When Ray is already initialised in this process it is used as it is and left running; otherwise `config.ray` says
    which cluster to join, or a local one is started, and `close` leaves it. With `count: auto`, nodes that join the
    cluster later get workers of the same size; workers on nodes that leave wait for new ones.

    Args:
        watch: seconds between two looks at the cluster's nodes.
    """

    def __init__(self, load_engine: LoadEngine, config: WorkersConfig, watch: float = WATCH) -> None:
        self._config = config
        self._watch = watch
        self._group = WorkerGroup(load_engine, config)
        self._cluster = RayCluster(config.ray)
        self._actors: list[RayActor] = []
        self._starting: asyncio.Task[ModelCard] | None = None
        self._growing: asyncio.Task[None] | None = None
        self._knocking: asyncio.Task[None] | None = None
        self._head_is_lost = False
        self._closed = False

    async def start(self) -> ModelCard:
        if self._closed:
            raise ModelClosed()
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        await asyncio.wait([self._starting])  # which others wait for too
        if self._starting.cancelled():
            raise ModelClosed()
        return self._starting.result()

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        await self.start()
        return await self._group.count_tokens(block)

    def generate(self, block: PromptBlock, decoding: Decoding) -> AsyncIterator[tuple[int, Completion]]:
        return self._perform(block, decoding)

    def score(self, block: PromptBlock, continuations: Continuations) -> AsyncIterator[tuple[int, Likelihood]]:
        return self._perform(block, continuations)

    def rate(self, block: PromptBlock) -> AsyncIterator[tuple[int, Reward]]:
        return self._perform(block, Rating())

    async def close(self) -> None:
        self._closed = True
        for task in (self._starting, self._growing, self._knocking):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        await self._group.close()
        await self._release()

    def activity(self) -> WorkersActivity:
        return self._group.activity()

    async def _perform(self, block: PromptBlock, task: Task[A_co]) -> AsyncIterator[tuple[int, A_co]]:
        await self.start()
        async with aclosing(self._group.perform(block, task)) as answers:
            async for answer in answers:
                yield answer

    async def _start(self) -> ModelCard:
        try:
            await self._cluster.connect()
            nodes = await self._cluster.nodes()
            placement = place(self._config, nodes)
            self._say_what_is_awaited(placement, nodes)
            self._actors = [RayActor(placement, self._config.ray) for _ in range(placement.count)]
            card = await self._group.load(self._actors)
        except BaseException:
            await self._release()
            raise
        self._knocking = asyncio.create_task(self._knock())
        if self._config.count == "auto" and self._cluster.can_grow:
            self._growing = asyncio.create_task(self._grow(placement))
        return card

    def _say_what_is_awaited(self, placement: Placement, nodes: Sequence[Node]) -> None:
        logger.info("loading the model on %s each", placement)
        if (missing := placement.count - room(placement, nodes)) > 0:
            logger.warning(
                "the present nodes have no room for %d of %s each; there are %s: waiting for the autoscaler, at most "
                "%g s for the first (workers.start_timeout)",
                missing,
                placement,
                describe(nodes),
                self._config.start_timeout,
            )

    async def _knock(self) -> None:
        """End the work in time where the cluster's head is lost, since a minute later Ray would end this whole process,
        or all of its nodes, since the workers would wait for others that never come."""
        unanswered = 0
        while unanswered < PATIENCE:
            await asyncio.sleep(KNOCK)
            reason = await self._cluster.why_lost()
            unanswered = unanswered + 1 if reason else 0
        self._head_is_lost = True
        self._group.give_up(WorkersUnavailable(f"{reason}: start the cluster again, then go on"))

    async def _grow(self, placement: Placement) -> None:
        """Start workers when nodes with room for them join."""
        while True:
            await asyncio.sleep(self._watch)
            try:
                self._hire_for(await self._cluster.nodes(), placement)
            except Exception as error:  # a cluster that is out of reach for a while may come back
                logger.warning(
                    "the state of the cluster cannot be read (%s: %s); trying again", type(error).__name__, error
                )

    def _hire_for(self, nodes: Sequence[Node], placement: Placement) -> None:
        new = grown(self._config, placement, nodes) - len(self._actors)
        if new > 0:
            logger.info("the cluster has grown to %s: starting %d more", describe(nodes), new)
        for _ in range(new):
            self._actors.append(RayActor(placement, self._config.ray))
            self._group.start_worker(self._actors[-1])

    async def _release(self) -> None:
        """Leave no actor behind, and Ray if it was entered here. Idempotent; never raises, never hangs."""
        actors, self._actors = self._actors, []
        if self._head_is_lost:
            await self._cluster.leave(seconds=LOST)
        else:
            await self._cluster.leave((lambda: _end_all(actors)) if actors else None)


def _end_all(actors: Sequence[RayActor]) -> None:
    for actor in actors:
        actor.end()
