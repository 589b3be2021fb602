"""What each search of an experiment has found, at what price, and by how much its own score flatters it."""

from collections.abc import Mapping

from search.experiments.experiment import FoundSets
from search.experiments.found_sets import FoundSet
from search.experiments.table import Table
from search.results.wording import show_gain
from search.statistics.estimates import Estimate

_HEAD = (
    *("search", "chosen", "search gain", "held-out gain", "overstated by"),
    *("answers judged", "generations paid", "verdicts paid", "dollars"),
)


def searches_table(found_sets: FoundSets) -> list[Table]:
    """One, where there are searches: gains are over the base prompt, by the judge and the questions of the search."""
    rows = tuple((name, *_cells(sets)) for name, sets in found_sets.items())
    return [Table("Searches: what they found, at what price, and the winner's curse", _HEAD, rows)] if rows else []


def _cells(sets: FoundSet) -> tuple[str, ...]:
    if sets.refused:
        return "hole", *[""] * (len(_HEAD) - 2)
    best, spend = sets.winner, sets.spend
    best_cells = ("base prompt kept", "", "", "") if best is None else (f"{sets.chosen}", *map(_gain, _gains(sets)))
    dollars = "unknown" if spend.dollars is None else f"{spend.dollars:,.2f}"
    return *best_cells, f"{sets.judged:,}", f"{spend.generated:,}", f"{spend.judged:,}", dollars


def _gains(sets: FoundSet) -> tuple[Estimate | None, ...]:
    best = sets.winner
    return () if best is None else (best.search_gain, best.held_out_gain, best.overstatement)


def _gain(gain: Estimate | None) -> str:
    return "" if gain is None else f"{show_gain(gain)}, n={gain.n}"


def to_json(found_sets: FoundSets) -> list[Mapping[str, object]]:
    """Every search, for scripts."""
    return [
        {
            "search": name,
            "refused": sets.refused or None,
            "chosen": sets.chosen,
            **dict(zip(("search_gain", "held_out_gain", "overstatement"), _as_json(sets), strict=True)),
            "answers_judged": sets.judged,
            "generations": sets.spend.generated,
            "verdicts": sets.spend.judged,
            "dollars": sets.spend.dollars,
        }
        for name, sets in found_sets.items()
    ]


def _as_json(sets: FoundSet) -> list[object]:
    return [gain and gain.to_json() for gain in _gains(sets)] or [None] * 3
