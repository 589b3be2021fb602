"""An engine in a process of its own, as Ray's actors run it: an `EngineThread` behind methods that answer soon."""

import asyncio
import logging
import os
import socket
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from configs.errors import DemosearchError, InputError
from workers.engine_thread import EngineThread
from workers.messages import Ended, Message
from workers.prompt import Answer, PromptBlock, Task
from workers.text_model import LoadEngine, ModelCard

HEARTBEAT = 10.0  # seconds after which `collect` answers although there is nothing to tell
LINGER = 0.05  # seconds `collect` waits for company of a first message, so that a fast engine costs few replies

OURS = "workers"  # the logger above those of all engines


class _Warnings(logging.Handler):
    """Keeps what is warned of: a worker's own log is a file that hardly anybody opens."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.sentences: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.sentences.append(record.getMessage())


class EngineBroken(Exception):
    """An engine raised what no engine should (a CUDA error, a bug): its process cannot be trusted any more."""


class EngineActor:
    """Constructed at once; `begin` loads. Errors the driver must understand are returned, not raised through Ray."""

    def __init__(self) -> None:
        self._thread: EngineThread | None = None
        self._warnings = _Warnings()
        self._jobs: set[int] = set()
        self._messages: list[Message] = []
        self._something = asyncio.Event()
        self._urgent = asyncio.Event()

    async def ping(self) -> bool:
        """The process is there. False when it has not loaded the model: a new process, in the place of a lost one."""
        return self._thread is not None

    async def begin(self, load: LoadEngine) -> ModelCard | InputError:
        """Load the engine, the first time; drop all jobs and messages, every time."""
        if self._thread is None:
            loop = asyncio.get_running_loop()
            logging.getLogger(OURS).addHandler(self._warnings)
            self._thread = EngineThread(load, lambda message: _tell(loop, self._hear, message))
        for job in self._jobs:
            self._thread.cancel(job)
        self._messages.clear()
        try:
            card = await asyncio.wrap_future(self._thread.card)
            return replace(card, place=_place(), notices=tuple(dict.fromkeys(self._warnings.sentences)))
        except InputError as error:
            return error
        except Exception as error:
            traceback.print_exception(error)
            return InputError(f"the model could not be loaded ({type(error).__name__}: {error})")
        finally:
            logging.getLogger(OURS).removeHandler(self._warnings)

    async def submit(self, job: int, block: PromptBlock, task: Task[Answer]) -> None:
        self._jobs.add(job)
        self._engine().submit(job, block, task)

    async def collect(self) -> list[Message]:
        """What happened since the last call; waits until something has, but not longer than a heartbeat."""
        self._engine()
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT):
                await self._something.wait()
            async with asyncio.timeout(LINGER):
                await self._urgent.wait()
        self._something.clear()
        self._urgent.clear()
        messages, self._messages = self._messages, []
        return messages

    async def withdraw(self, job: int) -> bool:
        withdrawn = self._engine().withdraw(job)
        if withdrawn:
            self._jobs.discard(job)
        return withdrawn

    async def cancel(self, job: int) -> None:
        self._engine().cancel(job)

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        return await asyncio.wrap_future(self._engine().count_tokens(block))

    def _engine(self) -> EngineThread:
        if self._thread is None:
            raise EngineBroken("this process is new and has loaded no model")
        return self._thread

    def _hear(self, message: Message) -> None:
        if isinstance(message, Ended):
            self._jobs.discard(message.job)
            self._urgent.set()
            message = Ended(message.job, _portable(message.error))
        self._messages.append(message)
        self._something.set()


def _place() -> str:
    """The node, and the GPUs that Ray has given to this process."""
    name, gpus = socket.gethostname(), os.environ.get("CUDA_VISIBLE_DEVICES")
    node = name if name[:1].isdigit() else name.partition(".")[0]
    return node + (f" GPU {gpus}" if gpus else "")


def _tell(loop: asyncio.AbstractEventLoop, hear: Callable[[Message], None], message: Message) -> None:
    """Tell a message, in the engine's thread."""
    with suppress(RuntimeError):  # the loop is closed: the process is on its way out
        loop.call_soon_threadsafe(hear, message)


def _portable(error: BaseException | None) -> BaseException | None:
    if error is None or isinstance(error, DemosearchError):
        return error
    traceback.print_exception(error)
    return EngineBroken(f"{type(error).__name__}: {error}")
