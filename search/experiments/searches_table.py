"""What each search of an experiment has found, at what price, and by how much its own score flatters it."""

from collections.abc import Mapping
from dataclasses import asdict

from search.experiments.experiment import FoundSets
from search.experiments.found_sets import FoundSet, Round
from search.experiments.paper_tables import ROUNDS, PrintedRound
from search.experiments.results import ExperimentResults
from search.experiments.table import Table
from search.results.wording import show_gain
from search.statistics.estimates import Estimate

PAPER = "paper"
"""Name of the search that is the paper's, in a config."""

_HEAD = (
    *("search", "chosen", "search gain", "held-out gain", "overstated by"),
    *("answers judged", "generations paid", "verdicts paid", "dollars"),
)


def searches_table(found_sets: FoundSets) -> list[Table]:
    """One, where there are searches: gains are over the base prompt, by the judge and the questions of the search."""
    rows = tuple((name, *_cells(sets)) for name, sets in found_sets.items())
    return [Table("Searches: what they found, at what price, and the winner's curse", _HEAD, rows)] if rows else []


def rounds_table(results: ExperimentResults) -> list[Table]:
    """One, where a search tried every demonstration in each of its rounds, as the paper's did."""
    model, rows = results.config.paper_model, []
    for name, sets in results.found_sets.items():
        printed = ROUNDS[model] if model and name == PAPER else {}
        rows += [(name, *_round(size, one_round, printed.get(size))) for size, one_round in sets.rounds.items()]
    head = ("search", "chosen", "candidates", "mean", "standard deviation", "best", "the paper's")
    has_paper = any(row[-1] for row in rows)
    shown = tuple(row if has_paper else row[:-1] for row in rows)
    return [Table("Rounds: search scores", head if has_paper else head[:-1], shown)] if rows else []


def _round(size: int, scores: Round, printed: PrintedRound | None) -> tuple[str, ...]:
    numbers = (f"{scores.mean:.2f}", f"{scores.spread:.2f}", f"{scores.best:.2f}")
    return f"{size}", f"{scores.count:,}", *numbers, "" if printed is None else _in_words(*printed)


def _in_words(count: int, mean: float, spread: float, kept: float | None) -> str:
    if count == 1:
        return f"{mean:.2f}"
    return f"{count} candidates, {mean:.2f}, {spread:.2f}" + ("" if kept is None else f"; kept {kept:.2f}")


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
            "rounds": [{"chosen": size, **asdict(scores)} for size, scores in sets.rounds.items()],
            "generations": sets.spend.generated,
            "verdicts": sets.spend.judged,
            "dollars": sets.spend.dollars,
        }
        for name, sets in found_sets.items()
    ]


def _as_json(sets: FoundSet) -> list[object]:
    return [gain and gain.to_json() for gain in _gains(sets)] or [None] * 3
