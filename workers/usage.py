"""What asking costs."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Usage:
    """What one thing asked for took: all calls that it took, those without a usable answer included.

    Attributes:
        calls: made to a model or a service; 0 for a metric.
        prompt_tokens: read, as the service counts them, the cached ones included.
        cached_tokens: of these, read from the service's own cache at a lower price.
        new_tokens: written.
        dollars: at the prices in the config; None where they are not known.
        estimated: calls whose tokens the service did not count, and which were estimated from the words.
    """

    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    new_tokens: int = 0
    dollars: float | None = 0.0
    estimated: int = 0

    def __add__(self, other: Self) -> "Usage":
        dollars = None if self.dollars is None or other.dollars is None else self.dollars + other.dollars
        return Usage(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.new_tokens + other.new_tokens,
            dollars,
            self.estimated + other.estimated,
        )


NOTHING = Usage()
