"""What one attempt of a request is: bounded in time, honest about whether another is worth it, stoppable.

httpx bounds each read and write alone, so that a server that drips a byte now and then holds a request for ever; here
the bound is drawn around the whole attempt, below openai's retries, which see it as the timeout it is.
"""

import asyncio
from typing import Any

import httpx2

from configs.schema import ServiceConfig
from evaluators.failures import JudgeFailed
from evaluators.service_access import is_loopback

OUT_OF_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
"""Error codes that no waiting cures, though they come with 429."""


class Attempts(httpx2.AsyncClient):
    """The HTTP client below openai's; one `send` is one attempt.

    Attributes:
        sending: tasks whose attempt is under way, as opposed to those in the pause before the next.
        stopping: refuse further attempts, while those under way go on to their end.
    """

    def __init__(self, config: ServiceConfig, base_url: str) -> None:
        super().__init__(
            timeout=config.timeout,
            limits=httpx2.Limits(max_keepalive_connections=config.max_in_flight),
            follow_redirects=True,
            trust_env=not is_loopback(base_url),  # else HTTP_PROXY catches calls to this very machine
        )
        self._seconds = config.timeout
        self.sending: set[asyncio.Task[Any] | None] = set()
        self.stopping = False

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        if self.stopping:
            raise stopped()
        task = asyncio.current_task()
        self.sending.add(task)
        try:
            async with asyncio.timeout(self._seconds):
                response: httpx2.Response = await super().send(request, **options)
        except (TimeoutError, httpx2.RequestError) as error:
            if self.stopping:
                raise stopped() from None
            if isinstance(error, TimeoutError):
                raise httpx2.ReadTimeout("no complete answer in time", request=request) from None
            raise
        finally:
            self.sending.discard(task)
        if self.stopping or (response.status_code == 429 and _error_code(response) in OUT_OF_QUOTA):
            response.headers["x-should-retry"] = "false"  # openai obeys it
        return response


def stopped() -> JudgeFailed:
    """For everyone who is not under way when the service is closed."""
    return JudgeFailed("the service was closed before it was asked")


def _error_code(response: httpx2.Response) -> str | None:
    try:
        code = response.json()["error"]["code"]
    except (ValueError, LookupError, TypeError):
        return None
    return code if isinstance(code, str) else None
