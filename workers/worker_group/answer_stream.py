"""What one call hears of its pieces."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from workers.failures import GenerationFailed, gravest
from workers.worker_group.piece import News


class AnswerStream:
    """The pieces of one block `tell` it their answers and how they ended; one reader hears it all."""

    def __init__(self) -> None:
        self._news = asyncio.Queue[News]()

    def tell(self, news: News) -> None:
        self._news.put_nowait(news)

    async def read(self, owed: int) -> AsyncGenerator[tuple[int, Any], None]:
        """Yield answers until `owed` pieces have ended. A piece that fails does not keep the others from being heard:
        its failure is raised after their answers, of several the gravest."""
        failures: list[GenerationFailed] = []
        while owed:
            news = await self._news.get()
            if isinstance(news, tuple):
                yield news
                continue
            owed -= 1
            if isinstance(news, GenerationFailed):
                failures.append(news)
            elif news is not None:
                raise news
        if failures:
            raise gravest(failures)
