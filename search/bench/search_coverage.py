"""How often the intervals that a search reports hold the truth, on every landscape, with few questions and with many.

    python -m search.bench.search_coverage --counts 10 80

What each search finds and the base prompt meet many samples of held-out questions, each with the intervals of score and
gain that a report would give. The truth is told on 10,000 further questions, without noise, in the eyes that the judge
has at the end: where it drifts, no interval knows that it judged otherwise before. All samples of a landscape are
of the same few searches (`--seeds`), whatever their questions: so the cells of a line err together, and by more than as
many independent samples would.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from search.bench.landscape import Landscape
from search.bench.landscapes import LANDSCAPES
from search.bench.simulation import simulate
from search.bench.strategy_outcome import REFERENCE, STRATEGIES, config_of
from search.problem.candidate import Candidate
from search.statistics.estimates import estimate, paired_difference
from search.strategies.make import strategy_of, with_finalists
from search.strategies.parts.embedding import Embedding

_FURTHER = 10_000
_CONFIDENCE = 0.95
_POOL, _MOST, _SHARE = 50, 3, 0.0833
_END = 1.0  # of the search, when held-out questions are judged


@dataclass(frozen=True, slots=True)
class SampleCoverage:
    """What samples of held-out questions say of one search's find.

    Attributes:
        score, gain: shares of the samples whose intervals hold the truth, by questions a sample, in [0, 1].
    """

    landscape: str
    score: Mapping[int, float]
    gain: Mapping[int, float]


def sample_coverage(
    landscape_name: str, strategy: str, seed: int, counts: Sequence[int], samples: int
) -> SampleCoverage | None:
    """Search once, then have so many samples of each of these numbers of held-out questions judged; None where nothing
    but the base prompt was found.

    Args:
        counts: questions of a sample, n >= 2 each.
        samples: of each.
    """
    held_out = samples * max(counts)
    landscape = Landscape(LANDSCAPES[landscape_name], seed, pool=_POOL, held_out=held_out, further=_FURTHER)
    space = landscape.space(_MOST)
    embedding = Embedding(landscape.embedding, landscape.question_embedding[: len(space.questions)])
    greedy = len(space.questions) * (1 + sum(_POOL - step for step in range(_MOST)))
    config = config_of(strategy, space, round(_SHARE * greedy))
    searcher = with_finalists(config, strategy_of(config, space, seed, embedding), space, seed)
    search = simulate(searcher, landscape, space, min_win_probability=0.0)
    base = space.compose(())
    if search.best == base:
        return None
    truth, of_base = (landscape.truth(candidate, landscape.further, _END) for candidate in (search.best, base))
    scores: dict[int, float] = {}
    gains: dict[int, float] = {}
    for count in counts:
        held: list[tuple[bool, bool]] = []
        for start in range(0, samples * count, count):
            names = landscape.held_out[start : start + count]
            best, plain = (_of(search.held_out, candidate, names) for candidate in (search.best, base))
            score = estimate([*best.values()], _CONFIDENCE, bounds=landscape.bounds)
            gain = paired_difference(best, plain, _CONFIDENCE, landscape.bounds)
            assert score is not None
            assert gain is not None
            held.append((score.low <= truth <= score.high, gain.low <= truth - of_base <= gain.high))
        scores[count], gains[count] = (fmean(inside[place] for inside in held) for place in (0, 1))
    return SampleCoverage(landscape_name, scores, gains)


def _of(
    held_out: Mapping[Candidate, Mapping[str, float]], candidate: Candidate, names: Sequence[str]
) -> Mapping[str, float]:
    return {name: held_out[candidate][name] for name in names}


def table(coverages: Iterable[SampleCoverage], counts: Sequence[int]) -> str:
    """Coverage in percent, in Markdown, a line a landscape."""
    head = [f"n {count}: {measured}" for count in counts for measured in ("score", "gain")]
    lines = ["| landscape | " + " | ".join(head) + " |", "|---" * (1 + len(head)) + "|"]
    by_landscape: dict[str, list[SampleCoverage]] = {}
    for coverage in coverages:
        by_landscape.setdefault(coverage.landscape, []).append(coverage)
    for landscape, own in by_landscape.items():
        shares = [fmean(each[count] for each in kind) for count in counts for kind in _kinds(own)]
        lines.append(f"| {landscape} | " + " | ".join(f"{100 * share:.1f}" for share in shares) + " |")
    return "\n".join(lines)


def _kinds(coverages: Sequence[SampleCoverage]) -> tuple[list[Mapping[int, float]], list[Mapping[int, float]]]:
    return [coverage.score for coverage in coverages], [coverage.gain for coverage in coverages]


def _at_least(least: int) -> Callable[[str], int]:
    """Return what reads a whole number that is not below `least`."""

    def whole_number(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is too few: give at least {least}")
        return number

    return whole_number


def main(arguments: Sequence[str] | None = None) -> None:
    """The command; `arguments` are the process's when absent."""
    parser = argparse.ArgumentParser(prog="python -m search.bench.search_coverage", description=__doc__)
    parser.add_argument("--landscapes", nargs="+", choices=list(LANDSCAPES), default=list(LANDSCAPES))
    parser.add_argument("--strategy", choices=[*STRATEGIES, REFERENCE], default="screening")
    parser.add_argument(
        "--counts", nargs="+", type=_at_least(2), default=[10, 80], help="held-out questions of a sample, n"
    )
    parser.add_argument("--samples", type=_at_least(1), default=100, help="samples of each search")
    parser.add_argument("--seeds", type=_at_least(1), default=10, help="searches on each landscape")
    given = parser.parse_args(arguments)
    coverages = [
        sample_coverage(name, given.strategy, seed, given.counts, given.samples)
        for name in given.landscapes
        for seed in range(given.seeds)
    ]
    print(table([coverage for coverage in coverages if coverage is not None], given.counts))


if __name__ == "__main__":
    main()
