"""What each search of an experiment has found, at what price, and by how much its own score flatters it."""

from collections.abc import Mapping
from dataclasses import asdict

from search.experiments.experiment import FoundSets
from search.experiments.found_sets import FoundSet, Round
from search.experiments.paper_tables import ROUNDS, PrintedRound
from search.experiments.table import Table
from search.results.wording import show_gain
from search.statistics.estimates import Estimate

PAPER = "paper"
"""Name of the search that is the paper's, in a config; that of the experiment `sufficient` has "greedy-" before it."""

_HEAD = (
    *("search", "chosen", "search gain", "held-out gain", "overstated by"),
    *("answers judged", "generations paid", "verdicts paid", "dollars"),
)


def searches_table(found_sets: FoundSets) -> list[Table]:
    """One, where there are searches: gains are over the base prompt, by the judge and the questions of the search."""
    rows = tuple((name, *_cells(sets)) for name, sets in found_sets.items())
    return [Table("Searches: what they found, at what price, and the winner's curse", _HEAD, rows)] if rows else []


def rounds_table(found_sets: FoundSets, model: str | None) -> list[Table]:
    """One, where a search tried every demonstration in each of its rounds, as the paper's did.

    Args:
        model: whose printed figures stand beside those of the paper's search; None for nobody's.
    """
    rows = []
    for name, sets in found_sets.items():
        printed = ROUNDS[model] if model and name.removeprefix("greedy-") == PAPER else {}
        rows += [(name, *_round(size, one_round, printed.get(size))) for size, one_round in sets.rounds.items()]
    head = (
        *("search", "chosen", "candidates", "failed candidates", "questions", "mean", "standard deviation", "best"),
        *("kept", "the paper's"),
    )
    has_paper = any(row[-1] for row in rows)
    shown = tuple(row if has_paper else row[:-1] for row in rows)
    return [Table("Rounds: search scores", head if has_paper else head[:-1], shown)] if rows else []


def _round(size: int, scores: Round, printed: PrintedRound | None) -> tuple[str, ...]:
    numbers = (f"{scores.mean:.2f}", f"{scores.spread:.2f}", f"{scores.best:.2f}")
    kept = "" if scores.kept is None else f"{scores.kept:.2f}"
    counts = f"{scores.count:,}", f"{scores.failed:,}", f"{scores.questions:,}"
    return f"{size}", *counts, *numbers, kept, "" if printed is None else _in_words(*printed)


def _in_words(count: int, mean: float, spread: float, kept: float | None) -> str:
    if count == 1:
        return f"{mean:.2f}"
    return f"{count} candidates, {mean:.2f}, {spread:.2f}" + ("" if kept is None else f"; kept {kept:.2f}")


def _cells(sets: FoundSet) -> tuple[str, ...]:
    if sets.refused:
        return "missing", *[""] * (len(_HEAD) - 2)
    spend, chosen = sets.spend, f"{sets.chosen}" if sets.proven else f"{sets.chosen} (not proven; base prompt kept)"
    best_cells = ("base prompt kept", "", "", "") if sets.leader is None else (chosen, *map(_gain, _gains(sets)))
    dollars = "unknown" if spend.dollars is None else f"{spend.dollars:,.2f}"
    return *best_cells, f"{sets.judged:,}", f"{spend.generated:,}", f"{spend.judged:,}", dollars


def _gains(sets: FoundSet) -> tuple[Estimate | None, ...]:
    best = sets.leader
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
            "proven": sets.proven if sets.leader else None,
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
