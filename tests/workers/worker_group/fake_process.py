"""A worker's process that is none: a real EngineActor in this loop, which a test can lose at will."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from configs.errors import InputError
from workers.messages import Message
from workers.prompt import Answer, PromptBlock, Task
from workers.text_model import LoadEngine, ModelCard
from workers.worker_group.engine_actor import EngineActor, EngineBroken
from workers.worker_group.worker_process import WorkerLost

T = TypeVar("T")


class FakeProcess:
    """A WorkerProcess in this process.

    Attributes:
        needs: see `WorkerProcess`.
        returns: after a loss a new process answers the next ping; else none ever does.
        prompts: every prompt submitted, through all its lives.
        lives: processes so far.
    """

    def __init__(self) -> None:
        self.needs = "1 CPU core"
        self.returns = True
        self.prompts: list[str] = []
        self.lives = 0
        self._actor: EngineActor | None = None
        self._death: asyncio.Event = asyncio.Event()

    def die(self) -> None:
        self._actor = None
        self._death.set()

    async def ping(self) -> bool:
        if self._actor is None and self.returns:
            self._actor, self._death = EngineActor(), asyncio.Event()
            self.lives += 1
        return await self._alive(lambda actor: actor.ping())

    async def begin(self, load: LoadEngine) -> ModelCard:
        card = await self._alive(lambda actor: actor.begin(load))
        if isinstance(card, InputError):
            raise card
        return card

    def submit(self, job: int, block: PromptBlock, task: Task[Answer]) -> None:
        self.prompts += [block.prompt(index) for index in range(len(block.suffixes))]
        self._send(lambda actor: actor.submit(job, block, task))

    def cancel(self, job: int) -> None:
        self._send(lambda actor: actor.cancel(job))

    async def collect(self) -> list[Message]:
        return await self._alive(lambda actor: actor.collect())

    async def withdraw(self, job: int) -> bool:
        return await self._alive(lambda actor: actor.withdraw(job))

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        return await self._alive(lambda actor: actor.count_tokens(block))

    async def kill(self) -> None:
        self.die()

    def _send(self, call: Callable[[EngineActor], Awaitable[None]]) -> None:
        sending = asyncio.ensure_future(self._alive(call))
        sending.add_done_callback(lambda sent: sent.cancelled() or sent.exception())  # nobody waits for it

    async def _alive(self, call: Callable[[EngineActor], Awaitable[T]]) -> T:
        if self._actor is None:
            raise WorkerLost("no process")
        death = asyncio.ensure_future(self._death.wait())
        doing = asyncio.ensure_future(call(self._actor))
        try:
            await asyncio.wait([death, doing], return_when=asyncio.FIRST_COMPLETED)
            if death.done():
                raise WorkerLost("the process died")
            return await doing
        except (EngineBroken, ValueError) as error:
            raise WorkerLost(str(error)) from error
        finally:
            death.cancel()
            doing.cancel()
