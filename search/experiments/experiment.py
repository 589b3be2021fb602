"""What an experiment declares: its cells, and how its table and figure read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from configs.schema.experiment import ExperimentConfig
from search.experiments.cell import Cell, Condition, Hole
from search.experiments.found_sets import FoundSet, SearchTask
from search.experiments.setting import Setting

FoundSets = Mapping[str, FoundSet]
"""What searches have found, by the name of their task."""


def _no_searches(_: Setting) -> list[SearchTask]:
    return []


@dataclass(frozen=True, slots=True)
class Reference:
    """What conditions are compared with that share no label with it.

    Attributes:
        condition: that this one is compared with; None where `within` decides.
        in_words: what is compared with what, for the page.
    """

    condition: Callable[[ExperimentConfig, Condition], Condition | None]
    in_words: str


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment of the paper.

    Attributes:
        name: as the command and the config's section have it.
        question: what it asks, for the title.
        source: where the paper has it.
        cells: in the table's order; differences are to the first condition.
        within: labels that a condition shares with the first that it is compared with; empty: all are compared with the
            first of the table.
        reference: of conditions to which `within` does not apply; it stands above them in the table. None: there are
            none such.
        figure: `lines` over `x`, `forest` of intervals, `heatmap` over `x` and `y`, or `shares` of a gap.
        x, y: labels on the axes.
        has_log_x: `x` is a number whose axis is logarithmic; 0 stands left of its smallest.
        x_name: for people.
        is_matrix: the table is shown as a matrix of `y` by `x` too.
        searches: that must have ended before there are cells.
    """

    name: str
    question: str
    source: str
    cells: Callable[[Setting, FoundSets], Iterator[Cell | Hole]]
    within: tuple[str, ...] = ()
    reference: Reference | None = None
    figure: Literal["lines", "forest", "heatmap", "shares"] = "forest"
    x: str = ""
    y: str = ""
    x_name: str = ""
    has_log_x: bool = False
    is_matrix: bool = False
    searches: Callable[[Setting], list[SearchTask]] = _no_searches
