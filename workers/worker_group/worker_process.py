"""A worker's process as the worker group sees it, and the three ways of losing it.

    WorkerLost          it does not answer; it may be on its way back
    ├── WorkerStuck     it is there but of no use
    └── WorkerDead      it has ended for good

They never leave this room: the worker group turns them into restarts, and in the end into the failures of
`workers.failures`.
"""

from typing import Protocol

from workers.messages import Message
from workers.prompt import Answer, PromptBlock, Task
from workers.text_model import LoadEngine, ModelCard


class WorkerLost(Exception):
    """The worker's process does not answer; it may be on its way back."""


class WorkerStuck(WorkerLost):
    """The process is there but of no use; it must be killed before a new one can come."""


class WorkerDead(WorkerLost):
    """The process has ended for good; the next ping is for a new one."""


class WorkerProcess(Protocol):
    """A far `EngineActor`. Every awaited method answers within a bounded time (`begin` excepted) or raises WorkerLost.

    `submit` and `cancel` are sent and not waited for; a loss shows in the next `collect`.

    Attributes:
        needs: what it takes of a node, in words: "1 GPU and 1 CPU core".
    """

    @property
    def needs(self) -> str: ...

    async def ping(self) -> bool:
        """Whether the process that answers has loaded the model. Raises InputError when none can ever come up."""
        ...

    async def begin(self, load: LoadEngine) -> ModelCard:
        """Raises InputError when the model cannot be loaded."""
        ...

    def submit(self, job: int, block: PromptBlock, task: Task[Answer]) -> None: ...

    def cancel(self, job: int) -> None: ...

    async def collect(self) -> list[Message]: ...

    async def withdraw(self, job: int) -> bool: ...

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]: ...

    async def kill(self) -> None:
        """End the process; a new one is started."""
