"""Demonstrations that a search has found, and the search that an experiment needs for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from configs.schema.decoding import DecodingConfig
from configs.schema.run import RunConfig
from evaluators.ledger.spend import Spend
from search.prompts.demonstration import Demonstration, numbered
from search.prompts.urial import BasePrompt
from search.report.comparison import Finalist
from search.statistics.estimates import Estimate


@dataclass(frozen=True, slots=True)
class SearchTask:
    """A search whose result is put to the benchmarks; `name` is that of its folder too."""

    name: str
    config: RunConfig


@dataclass(frozen=True, slots=True)
class Round:
    """Mean scores of the candidates with as many chosen demonstrations, all asked every search question.

    Attributes:
        count: of candidates with a mean, which leaves questions out that failed.
        spread: standard deviation of their means; 0 for a single one.
        kept: mean of the candidate that the next round goes on from; None where there is none, as for the base prompt.
        failed: number of candidates without a mean, since too many of their questions failed.
        questions: the fewest that a candidate with a mean has a score on.
    """

    count: int
    mean: float
    spread: float
    best: float
    kept: float | None = None
    failed: int = 0
    questions: int = 0


@dataclass(frozen=True, slots=True)
class FoundSet:
    """What a search has found.

    Attributes:
        rules: of its base prompt.
        by_size: all demonstrations of the best prompt with so many chosen ones, the base prompt's own included.
        alone: demonstrations that were added to the base prompt by themselves, on all search questions, the best first.
        scores: of these prompts while searching, by size; what the choice was made by flatters it.
        decodings: that these prompts were found with, by size, where the search varied the decoding.
        rounds: of the paper's search, which tries every demonstration in each, by size; 0 is the base prompt.
        search_questions: ids of the questions that have chosen them.
        leader: what the search ranked first, with its gains on both sides of its split; None where that is the base
            prompt.
        proven: whether the leader is the winner; False where the base prompt was kept, since too little was proven.
        chosen: demonstrations that the leader has beside the base prompt's.
        judged: answers that the search looked at, whoever has paid for them.
        spend: of the search.
        refused: why the search cannot run; "" where it can.
    """

    rules: str = ""
    by_size: Mapping[int, tuple[Demonstration, ...]] = field(default_factory=dict)
    alone: tuple[Demonstration, ...] = ()
    scores: Mapping[int, Estimate] = field(default_factory=dict)
    decodings: Mapping[int, DecodingConfig] = field(default_factory=dict)
    rounds: Mapping[int, Round] = field(default_factory=dict)
    search_questions: frozenset[str] = frozenset()
    leader: Finalist | None = None
    proven: bool = True
    chosen: int = 0
    judged: int = 0
    spend: Spend = field(default_factory=Spend)
    refused: str = ""

    def reason_against(self, size: int) -> str | None:
        """Why there is no prompt with so many chosen demonstrations; None where there is."""
        if self.refused:
            return f"the search cannot run: {self.refused}"
        return None if size in self.by_size else f"the search has scored no set of {size} on all its questions"

    def prompt(self, size: int) -> BasePrompt:
        """The best prompt with so many chosen demonstrations, whose ids differ."""
        return BasePrompt(self.rules, numbered(self.by_size[size]))
