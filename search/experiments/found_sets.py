"""Demonstrations that a search has found, and the search that an experiment needs for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from configs.schema.run import RunConfig
from evaluators.ledger.spend import Spend
from search.prompts.demonstration import Demonstration
from search.statistics.estimates import Estimate


@dataclass(frozen=True, slots=True)
class SearchTask:
    """A search whose result is put to the benchmarks; `name` is that of its folder too."""

    name: str
    config: RunConfig


@dataclass(frozen=True, slots=True)
class FoundSet:
    """What a search has found.

    Attributes:
        by_size: all demonstrations of the best prompt with so many chosen ones, the base prompt's own included.
        scores: of these prompts while searching, by size; what the choice was made by flatters it.
        spend: of the search.
    """

    by_size: Mapping[int, tuple[Demonstration, ...]]
    scores: Mapping[int, Estimate]
    spend: Spend
