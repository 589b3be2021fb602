"""What the numbers say, in words that a sceptical colleague accepts."""

from collections.abc import Iterator

from configs.schema.search_space import VaryingKnobs
from search.problem.candidate import OWN
from search.report.comparison import Finalist
from search.report.findings import Findings
from search.report.numbers import count, share
from search.results.wording import show_decoding, show_unseen
from search.statistics.estimates import Estimate


def summary(findings: Findings) -> list[str]:
    """The few sentences to take home."""
    base, best = findings.base, findings.best
    if base is None or base.search is None:
        return ["Nothing has been scored yet."]
    better = findings.status.better
    if best is None and better is not None:
        return [_not_sure_enough(findings, better)]
    if best is None:
        tried = len(findings.candidates) - 1
        ended = "" if findings.status.state == "finished" else " so far"
        return [f"None of {count(tried)} candidates beat the base prompt on the search questions{ended}."]
    if best.held_out_gain is None:
        return _unfinished(findings, best.search_gain)
    sure = [_sure(better)] if better is not None else []
    return [_gained(findings, best, base, best.held_out_gain), *sure, *_overstated(findings, best)]


def decoded(findings: Findings) -> str:
    """How the best candidate's answers were decoded, where the search varied that; else ""."""
    results, best = findings.results, findings.best or findings.base
    if best is None or "decodings" not in results.manifest:
        return ""
    name = best.candidate.decoding
    said = "by the run's own decoding" if name == OWN else f"as “{name}”"
    return f"Answers to this prompt are decoded {said}: {show_decoding(results.decoding(best.candidate))}."


def averaged(findings: Findings) -> str:
    """What the contributions of demonstrations leave out, where candidates differ in more than these; else ""."""
    strategy = findings.results.config.strategy
    said = []
    if isinstance(strategy, VaryingKnobs) and strategy.decodings:
        said.append("What a decoding does is in none of these numbers.")
    if isinstance(strategy, VaryingKnobs) and strategy.vary_position:
        said.append("They are averages over the places that the chosen ones had among the base prompt's.")
    return " ".join(said)


def _sure(better: float) -> str:
    return (
        f"All scores of the search together, held-out ones included, make it {_probability(better)} probable that it "
        "is better."
    )


def _not_sure_enough(findings: Findings, better: float) -> str:
    enough = share(findings.results.config.scoring.min_win_probability)
    return (
        f"The base prompt is kept: all scores together make it {_probability(better)} probable that what the search "
        f"found, the runner-up, is better, and {enough} would be enough (`scoring.min_win_probability`)."
    )


def _probability(value: float) -> str:
    """Three decimals are known; certainty never is."""
    return "more than 99.9 %" if value > 0.999 else f"{100 * value:.1f} %"


def _unfinished(findings: Findings, gain: Estimate | None) -> list[str]:
    first = "There is no result yet, since held-out questions are scored at the end."
    if gain is None:
        return [first]
    tried = count(len(findings.candidates) - 1)
    return [
        f"{first} On {count(gain.n)} search questions, the best of {tried} candidates so far gains "
        f"{_points(findings, gain)} over the base prompt. It was chosen for that, so the number is too high by an "
        "amount that only held-out questions tell."
    ]


def _gained(findings: Findings, best: Finalist, base: Finalist, gain: Estimate) -> str:
    if gain.low > 0:
        does, holds = "beats the base prompt", "excludes zero"
    elif gain.high < 0:
        does, holds = "is worse than the base prompt", "excludes zero"
    else:
        does, holds = "does not clearly beat the base prompt", "includes zero"
    asked = f"{count(gain.n)} {show_unseen(findings.status.seen)}"
    means = [findings.numbers.score(one.held_out.mean) for one in (best, base) if one.held_out]
    return (
        f"On {asked}, the {best.role} {does}: {_points(findings, gain)}, "
        f"{' against '.join(means)}. The interval {holds}."
    )


def _overstated(findings: Findings, best: Finalist) -> Iterator[str]:
    over, gain, numbers = best.overstatement, best.search_gain, findings.numbers
    if over is None or gain is None:
        return
    said = f"On the {count(gain.n)} search questions, for which it was chosen, its gain was {numbers.gain(gain.mean)}"
    interval = numbers.interval(over, signed=True)
    if over.mean > 0:
        certain = "" if over.low > 0 else ", not distinguishable from no overstatement"
        yield f"{said}: the search overstated it by {numbers.score(over.mean)} ({interval}{certain})."
    else:
        yield f"{said}: the search did not overstate it ({numbers.gain(over.mean)}, {interval})."


def _points(findings: Findings, gain: Estimate) -> str:
    """`+3.73 points (95 % interval +3.20 to +4.27)`."""
    numbers, interval = findings.numbers, findings.numbers.interval(gain, signed=True)
    within = f"{share(findings.results.confidence)} interval {interval}" if interval else "no interval, n = 1"
    return f"{numbers.gain(gain.mean)} points ({within})"
