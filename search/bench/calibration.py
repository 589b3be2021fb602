"""Whether the guard's probabilities mean what they say: of winners said to be better with 95 %, are 95 % better?

    python -m search.bench.calibration --landscapes mixed no_signal question_luck --seeds 40
    python -m search.bench.calibration --landscapes drift drift_no_signal --strategies screening --drift-checks 0 8 auto
    python -m search.bench.calibration --landscapes mixed decisive no_signal --stop-when-decided 0 0.05

"Truly better" is told on 2,000 further questions without noise. "Gain covered" is how often the 95 % interval of an
exported winner's held-out gain holds its true gain. Where there is nothing to be found, better or not is a toss of a
coin between gains of about 0.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean

from search.bench.landscape import Landscape
from search.bench.landscapes import LANDSCAPES
from search.bench.simulation import MIN_WIN_PROBABILITY, simulate
from search.bench.strategy_outcome import REFERENCE, STRATEGIES, config_of
from search.statistics.estimates import paired_difference
from search.strategies.make import strategy_of, with_finalists
from search.strategies.parts.embedding import Embedding

_FURTHER = 2000
_CONFIDENCE = 0.95
_AUTO, _ONLY_AUTO = "auto", "screening"
_CLASSES = ((0.0, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 0.99), (0.99, 1.01))


@dataclass(frozen=True, slots=True)
class GuardedSearch:
    """What the guard said of one search, and what is true.

    Attributes:
        probability: that what was found beats the base prompt; 0 where nothing but the base prompt was found.
        gain: what it truly adds to the base prompt on further questions.
        covered: whether the interval of its held-out gain holds that; None where there is nothing to cover.
        drift: as `SimulatedSearch` has it.
        evaluations: answers judged on search questions.
    """

    landscape: str
    strategy: str
    probability: float
    gain: float
    covered: bool | None
    drift: float = 0.0
    evaluations: int = 0


def guarded_search(
    landscape_name: str,
    strategy: str,
    seed: int,
    *,
    pool: int,
    most: int,
    share: float,
    knobs: Mapping[str, float | str] | None = None,
) -> GuardedSearch:
    """Search once.

    Args:
        knobs: of the strategy's config, for a strategy that has them; 0 leaves one as it is.
    """
    landscape = Landscape(LANDSCAPES[landscape_name], seed, pool=pool, further=_FURTHER)
    space = landscape.space(most)
    embedding = Embedding(landscape.embedding, landscape.question_embedding[: len(space.questions)])
    greedy = len(space.questions) * (1 + sum(pool - step for step in range(most)))
    config = config_of(strategy, space, round(share * greedy))
    given = {knob: value for knob, value in (knobs or {}).items() if value and knob in type(config).model_fields}
    config = config.model_copy(update=given)
    name = ", ".join([strategy, *(f"{knob} {value}" for knob, value in given.items())])
    searcher = with_finalists(config, strategy_of(config, space, seed, embedding), space, seed)
    search = simulate(searcher, landscape, space, min_win_probability=0.0)
    base = space.compose(())
    if search.best == base:
        return GuardedSearch(landscape_name, name, 0.0, 0.0, None, search.drift, search.evaluations)
    gain = landscape.truth(search.best, landscape.further) - landscape.truth(base, landscape.further)
    interval = paired_difference(search.held_out[search.best], search.held_out[base], _CONFIDENCE, landscape.bounds)
    covered = interval is not None and interval.low <= gain <= interval.high
    return GuardedSearch(landscape_name, name, search.win_probability, gain, covered, search.drift, search.evaluations)


def by_class(searches: Sequence[GuardedSearch]) -> str:
    """Probabilities said of what was found, and true, in Markdown, a line a class of probability."""
    with_gain = [search for search in searches if search.covered is not None]
    lines = ["| probability | searches | said, mean | truly better | gain covered |", "|---|---|---|---|---|"]
    for low, high in _CLASSES:
        own = [search for search in with_gain if low <= search.probability < high]
        if own:
            better, covered = (
                100 * fmean(flags) for flags in ([v.gain > 0 for v in own], [bool(v.covered) for v in own])
            )
            claimed = 100 * fmean(export.probability for export in own)
            name = f"{low:.2f} to {min(high, 1):.2f}"
            lines.append(f"| {name} | {len(own)} | {claimed:.1f} % | {better:.1f} % | {covered:.1f} % |")
    return "\n".join(lines)


def by_landscape(searches: Sequence[GuardedSearch]) -> str:
    """What is exported, in Markdown, a line a landscape and strategy; of all searches, those that found nothing too."""
    columns = ["landscape", "strategy", "answers", "exported", "of these truly better", "found gain", "exported gain"]
    columns += ["gain covered", "drift found"]
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for key in dict.fromkeys((search.landscape, search.strategy) for search in searches):
        own = [search for search in searches if (search.landscape, search.strategy) == key]
        exported = [export for export in own if export.probability >= MIN_WIN_PROBABILITY]
        better = f"{100 * fmean(export.gain > 0 for export in exported):.0f} %" if exported else "-"
        gains = fmean(export.gain for export in own), sum(export.gain for export in exported) / len(own)
        cells = [*key, f"{fmean(search.evaluations for search in own):,.0f}"]
        cells += [f"{100 * len(exported) / len(own):.0f} % of {len(own)}", better, *(f"{x:+.3f}" for x in gains)]
        flags = [v.covered for v in own if v.covered is not None], [search.drift > 0 for search in own]
        cells += [f"{100 * fmean(flag):.0f} %" if flag else "-" for flag in flags]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def searches_of(arguments: argparse.Namespace) -> Iterable[GuardedSearch]:
    """Every search that the arguments ask for."""
    for name in arguments.landscapes:
        for strategy in arguments.strategies:
            for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
                given = {"pool": arguments.pool, "most": arguments.most, "share": arguments.share}
                for checks, error in product(arguments.drift_checks, arguments.stop_when_decided):
                    knobs = {"drift_checks": checks, "stop_when_decided": error}
                    yield guarded_search(name, strategy, seed, **given, knobs=knobs)


def _checks(text: str) -> int | str:
    """Read a number of checks, or `auto`."""
    if text == _AUTO:
        return text
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is no number of checks: give 0 or more, or {_AUTO}")
    return number


def main(given: Sequence[str] | None = None) -> None:
    """The command; the arguments `given` are the process's when absent."""
    parser = argparse.ArgumentParser(prog="python -m search.bench.calibration", description=__doc__)
    parser.add_argument("--landscapes", nargs="+", choices=list(LANDSCAPES), default=["mixed", "no_signal"])
    parser.add_argument("--strategies", nargs="+", choices=[*STRATEGIES, REFERENCE], default=["screening", REFERENCE])
    parser.add_argument("--pool", type=int, default=50, help="demonstrations, N")
    parser.add_argument("--most", type=int, default=3, help="demonstrations of a set at most, k")
    parser.add_argument("--share", type=float, default=0.0833, help=f"of {REFERENCE}'s budget")
    parser.add_argument(
        "--drift-checks",
        nargs="+",
        type=_checks,
        default=[0],
        help="as strategy.drift_checks; 0, 8 and auto, say (auto of screening alone)",
    )
    parser.add_argument(
        "--stop-when-decided", nargs="+", type=float, default=[0.0], help="as strategy.stop_when_decided"
    )
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=0)
    arguments = parser.parse_args(given)
    if _AUTO in arguments.drift_checks and arguments.strategies != [_ONLY_AUTO]:
        parser.error(f"--drift-checks {_AUTO} is of {_ONLY_AUTO} alone: add --strategies {_ONLY_AUTO}")
    searches = list(searches_of(arguments))
    print(by_landscape(searches), by_class(searches), sep="\n\n")


if __name__ == "__main__":
    main()
