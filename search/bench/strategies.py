"""Strategies on landscapes with known truth: what quality they reach for how many judged generations.

    python -m search.bench.strategies --landscapes mixed no_signal --pools 50 200 --most 3 8 --shares 0.1 0.05

Prints tables in Markdown and writes every outcome to a JSON file; `--read` prints the tables of such files again.
"Difference" is the true held-out score of what was found minus that of what exhaustive greedy found, over seeds, with a
95 % interval; "exported" the same of what either exports, the base prompt where that is not surely worse
(`scoring.min_win_probability`); "regret" what noise-free greedy steps and swaps would have gained on what was found.
"""

import argparse
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from itertools import pairwise, product
from math import exp, log
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import track

from search.bench.landscapes import LANDSCAPES
from search.bench.second_judge import SECOND_JUDGES
from search.bench.simulation import WINDOW
from search.bench.strategy_outcome import (
    REFERENCE,
    STRATEGIES,
    UNBUDGETED,
    WITH_JUDGES,
    Case,
    StrategyOutcome,
    outcomes,
    with_judge,
)
from search.statistics.estimates import Estimate, estimate

_CONFIDENCE = 0.95
_RIVAL = "racing_greedy"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
Group = tuple[str, int, int, str, float]


def run_benchmark(
    cases: Sequence[Case],
    strategies: Sequence[str],
    shares: Sequence[float],
    window: int,
    jobs: int,
    path: Path,
    judges: Sequence[str] = (),
) -> list[StrategyOutcome]:
    """Every strategy with every budget on every case, `jobs` processes of one thread each at work; the outcomes so far
    stand in the file at `path` after each case. The rest is as `outcomes` takes it."""
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    results: list[StrategyOutcome] = []
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        under_way = [pool.submit(outcomes, case, strategies, shares, window, judges) for case in cases]
        for done in track(as_completed(under_way), "landscapes", total=len(cases), console=Console(stderr=True)):
            results = sorted([*results, *done.result()], key=lambda outcome: (_group(outcome), outcome.case.seed))
            path.write_text(json.dumps([asdict(outcome) for outcome in results], indent=1))
    return results


def table(results: Iterable[StrategyOutcome]) -> str:
    """The outcomes in Markdown, one line for each landscape, size, strategy and budget."""
    lines = [
        "| landscape | N | k | strategy | judged | times fewer | difference (95 %) | exported | regret | base kept | "
        "score covered | gain covered | ms a trial | under way |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_line(group, members) for group, members in _grouped(results).items()]
    return "\n".join(lines)


def _line(group: Group, members: Sequence[StrategyOutcome]) -> str:
    landscape, pool, most, strategy, _ = group
    judged = fmean(member.evaluations for member in members)
    fewer = fmean(member.greedy_evaluations for member in members) / judged
    difference = estimate([member.difference for member in members], _CONFIDENCE)
    assert difference is not None
    gains = [member.gain_covered for member in members if member.gain_covered is not None]
    cells = [
        landscape,
        pool,
        most,
        strategy,
        f"{judged:,.0f}",
        f"{fewer:.1f}",
        _interval(difference),
        f"{fmean(member.exported for member in members):+.3f}",
        f"{fmean(member.regret for member in members):.3f}",
        _percent([member.base_kept for member in members]),
        _percent([member.score_covered for member in members]),
        _percent(gains),
        f"{1000 * fmean(member.seconds for member in members):.1f}",
        f"{fmean(member.under_way for member in members):.0f}",
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _interval(value: Estimate) -> str:
    return f"{value.mean:+.3f} [{value.low:+.3f}, {value.high:+.3f}]"


def _percent(values: Sequence[bool]) -> str:
    return f"{100 * fmean(values):.1f} % of {len(values)}" if values else "-"


def against_racing(results: Iterable[StrategyOutcome]) -> str:
    """What every strategy found, and what it exports, minus the same of racing greedy on the same landscapes, paired;
    empty without it."""
    groups = _grouped(results)
    racing = {outcome.case: outcome for group, own in groups.items() if group[3] == _RIVAL for outcome in own}
    rows = [
        ((landscape, pool, most, strategy), own, racing)
        for (landscape, pool, most, strategy, _), own in groups.items()
        if strategy != _RIVAL
    ]
    return _paired("strategy", "racing_greedy's", rows)


def against_no_judge(results: Iterable[StrategyOutcome]) -> str:
    """What `screening` found, and what it exports, with a screening judge minus the same without, on the same
    landscapes, with as many answers of the judge; empty without either."""
    groups = _grouped(results)
    rows = []
    for judge, ((landscape, pool, most, strategy, share), own) in product(SECOND_JUDGES, groups.items()):
        if strategy == with_judge(judge):
            without = groups.get((landscape, pool, most, WITH_JUDGES, share), [])
            rows.append(((landscape, pool, most, judge), own, {outcome.case: outcome for outcome in without}))
    return _paired("screening judge", "that without", rows)


_Compared = tuple[tuple[str, int, int, str], list[StrategyOutcome], dict[Case, StrategyOutcome]]


def _paired(measure: str, rival: str, rows: Iterable[_Compared]) -> str:
    """A table of outcomes minus those of a rival on the same cases; empty where none has met the same."""
    lines = [
        f"| landscape | N | k | {measure} | judged | found minus {rival} (95 %) | exported minus {rival} (95 %) |",
        "|---" * 7 + "|",
    ]
    for group, own, rivals in rows:
        pairs = [(outcome, rivals[outcome.case]) for outcome in own if outcome.case in rivals]
        gaps = estimate([outcome.difference - other.difference for outcome, other in pairs], _CONFIDENCE)
        exported = estimate([outcome.exported - other.exported for outcome, other in pairs], _CONFIDENCE)
        if gaps is not None and exported is not None:
            judged = f"{fmean(outcome.evaluations for outcome in own):,.0f}"
            cells = (*group, judged, _interval(gaps), _interval(exported))
            lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines) if len(lines) > 2 else ""


def coverage(results: Iterable[StrategyOutcome]) -> str:
    """How often the intervals held the truth, over all outcomes of each strategy."""
    lines = ["| strategy | seeds | score covered | gain covered |", "|---|---|---|---|"]
    by_name: dict[str, list[StrategyOutcome]] = {}
    for outcome in results:
        by_name.setdefault(outcome.strategy, []).append(outcome)
    for name, own in by_name.items():
        gains = [outcome.gain_covered for outcome in own if outcome.gain_covered is not None]
        scores = _percent([outcome.score_covered for outcome in own])
        lines.append(f"| {name} | {len({outcome.case for outcome in own})} | {scores} | {_percent(gains)} |")
    return "\n".join(lines)


def savings(results: Iterable[StrategyOutcome]) -> str:
    """Savings of strategies with several budgets: how many times fewer judged generations give exhaustive greedy's
    quality, interpolated between budgets (log scale); a sign where that lies beyond the budgets tried."""
    curves: dict[tuple[str, int, int, str], list[tuple[float, float]]] = {}
    for group, members in _grouped(results).items():
        fewer = fmean(member.greedy_evaluations for member in members) / fmean(member.evaluations for member in members)
        curves.setdefault(group[:4], []).append((fewer, fmean(member.difference for member in members)))
    lines = ["| landscape | N | k | strategy | times fewer at equal quality |", "|---|---|---|---|---|"]
    for (landscape, pool, most, strategy), points in curves.items():
        if len(points) > 1:
            lines.append(f"| {landscape} | {pool} | {most} | {strategy} | {_equal_quality(sorted(points))} |")
    return "\n".join(lines)


def _equal_quality(points: Sequence[tuple[float, float]]) -> str:
    """The saving at which differences, over rising savings, first fall below zero."""
    if points[0][1] < 0:
        return f"< {points[0][0]:.0f}"
    for (fewer, before), (more, after) in pairwise(points):
        if after < 0:
            return f"{exp(log(fewer) + before / (before - after) * log(more / fewer)):.0f}"
    return f"> {points[-1][0]:.0f}"


def _grouped(results: Iterable[StrategyOutcome]) -> Mapping[Group, list[StrategyOutcome]]:
    groups: dict[Group, list[StrategyOutcome]] = {}
    for outcome in results:
        groups.setdefault(_group(outcome), []).append(outcome)
    return groups


def _group(outcome: StrategyOutcome) -> Group:
    share = 0.0 if outcome.strategy in UNBUDGETED else outcome.share
    return (
        outcome.case.landscape,
        outcome.case.pool,
        outcome.case.most,
        outcome.strategy,
        share,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m search.bench.strategies", description=__doc__)
    parser.add_argument("--landscapes", nargs="+", choices=list(LANDSCAPES), default=list(LANDSCAPES))
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument("--pools", nargs="+", type=int, default=[50], help="demonstrations, N")
    parser.add_argument("--most", nargs="+", type=int, default=[3], help="demonstrations of a set at most, k")
    parser.add_argument("--shares", nargs="+", type=float, default=[0.2, 0.1, 0.05], help=f"of {REFERENCE}'s budget")
    parser.add_argument(
        "--screening-judges",
        nargs="*",
        choices=list(SECOND_JUDGES),
        default=[],
        help="with which screening searches too",
    )
    parser.add_argument("--window", type=int, default=WINDOW, help="trials under way at the most")
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--json", type=Path, default=Path("strategies.json"), help="file for every outcome")
    parser.add_argument("--read", nargs="+", type=Path, metavar="FILE", help="run nothing; print what these files hold")
    return parser.parse_args()


def read(path: Path) -> list[StrategyOutcome]:
    """The outcomes in a file that this command wrote."""
    return TypeAdapter(list[StrategyOutcome]).validate_json(path.read_bytes())


def main() -> None:
    """The command."""
    arguments = _arguments()
    results = [outcome for path in arguments.read for outcome in read(path)] if arguments.read else _run(arguments)
    tables = (table(results), savings(results), against_racing(results), against_no_judge(results), coverage(results))
    print(*filter(None, tables), sep="\n\n")


def _run(arguments: argparse.Namespace) -> list[StrategyOutcome]:
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    cases = [Case(*case) for case in product(arguments.landscapes, arguments.pools, arguments.most, seeds)]
    given = arguments.strategies, arguments.shares, arguments.window
    return run_benchmark(cases, *given, arguments.jobs, arguments.json, arguments.screening_judges)


if __name__ == "__main__":
    main()
