"""What the numbers say, in words that a sceptical colleague accepts."""

from collections.abc import Iterator
from statistics import NormalDist, stdev

from configs.plural import show_many
from configs.schema.search_space import VaryingKnobs
from search.problem.candidate import OWN
from search.report.comparison import Finalist
from search.report.findings import Findings
from search.report.numbers import count, share
from search.results.wording import show_decoding, show_unseen
from search.statistics.estimates import Estimate
from search.statistics.further_questions import GainBelief


def summary(findings: Findings) -> list[str]:
    """The few sentences to take home."""
    base, best = findings.base, findings.best
    if base is None or base.search is None:
        return ["Nothing has been scored yet."]
    win_probability = findings.status.win_probability
    if best is None and win_probability is not None:
        return [
            *_best_found(findings, base),
            _base_exported(findings, win_probability),
            *_what_would_decide(findings, win_probability),
        ]
    if best is None:
        tried = len(findings.candidates) - 1
        if not tried:
            return ["No candidate but the base prompt has been scored yet."]
        ended = "" if findings.status.state == "finished" else " so far"
        who = "The one other candidate did not" if tried == 1 else f"None of {count(tried)} other candidates"
        return [f"{who} beat the base prompt on the search questions{ended}."]
    if best.held_out_gain is None:
        return _unfinished(findings, best.search_gain)
    certainty = [_winner_exported(win_probability)] if win_probability is not None else []
    return [_gained(findings, best, base, best.held_out_gain), *certainty, *_overstated(findings, best)]


def decoded(findings: Findings) -> str:
    """How the best candidate's answers were decoded, where the search varied that; else ""."""
    results, best = findings.results, findings.best or findings.base
    if best is None or "decodings" not in results.manifest:
        return ""
    name = best.candidate.decoding
    decoding = "by the run's own decoding" if name == OWN else f"as “{name}”"
    return f"Answers to this prompt are decoded {decoding}: {show_decoding(results.decoding(best.candidate))}."


def averaged(findings: Findings) -> str:
    """What the contributions of demonstrations leave out, where candidates differ in more than these; else ""."""
    strategy = findings.results.config.strategy
    sentences = []
    if isinstance(strategy, VaryingKnobs) and strategy.decodings:
        sentences.append("What a decoding does is in none of these numbers.")
    if isinstance(strategy, VaryingKnobs) and strategy.vary_position:
        sentences.append("They are averages over the places that the chosen ones had among the base prompt's.")
    return " ".join(sentences)


def _best_found(findings: Findings, base: Finalist) -> Iterator[str]:
    """What was found, where the base prompt is exported in its place."""
    best = findings.finalists[0]
    if best is not base and best.held_out_gain is not None:
        yield f"Found: {_decapitalised(_gained(findings, best, base, best.held_out_gain))}"


def _decapitalised(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _winner_exported(win_probability: float) -> str:
    return (
        f"Exported: the winner. All scores of the search together, held-out ones included, make it "
        f"{_probability(win_probability)} probable that it is better."
    )


def _base_exported(findings: Findings, win_probability: float) -> str:
    enough = share(findings.results.config.scoring.min_win_probability)
    return (
        f"Exported: the base prompt. All scores together make it {_probability(win_probability)} probable that what "
        f"the search found, the runner-up, is better, and {enough} would be enough (`scoring.min_win_probability`); "
        "`demosearch export --anyway` takes it all the same."
    )


def _what_would_decide(findings: Findings, win_probability: float) -> Iterator[str]:
    """How many more answers would, where that can be told."""
    if win_probability <= 0.5:
        yield "More answers are not expected to change that: they are likelier to confirm the base prompt."
        return
    belief = _belief(findings, win_probability)
    needed = belief.questions_to_decide(findings.results.config.scoring.min_win_probability) if belief else None
    if belief is not None and needed is not None:
        yield (
            f"If its gain is what all scores make likely ({findings.numbers.gain(belief.mean)} points), about "
            f"{count(needed)} further questions, put to both prompts with `demosearch evaluate`, would be enough to "
            "show it."
        )


def _belief(findings: Findings, win_probability: float) -> GainBelief | None:
    """What is held of the gain of what was found; None where held-out differences or the search's scores say nothing
    of it."""
    results, end = findings.results, findings.results.journal.end
    expected = end.expected[1] if end else None
    sides = [
        results.held_out.get(candidate)
        for candidate in (findings.finalists[0].candidate, results.base)
        if candidate is not None
    ]
    gains = [*sides[0].gains(sides[-1]).values()] if sides[0] and sides[-1] else []
    if expected is None or len(gains) < 2 or not stdev(gains):
        return None
    before = (expected.high - expected.low) / 2 / NormalDist().inv_cdf((1 + results.confidence) / 2)
    return GainBelief(win_probability, before, len(gains), stdev(gains)) if before > 0 else None


def _probability(value: float) -> str:
    """Three decimals are known; certainty never is."""
    return "more than 99.9 %" if value > 0.999 else f"{100 * value:.1f} %"


def _unfinished(findings: Findings, gain: Estimate | None) -> list[str]:
    first = "There is no result yet, since held-out questions are scored at the end."
    if gain is None:
        return [first]
    tried = show_many(len(findings.candidates) - 1, "other candidate")
    return [
        f"{first} On {show_many(gain.n, 'search question')}, the best of {tried} so far gains "
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
    means = [findings.numbers.score(finalist.held_out.mean) for finalist in (best, base) if finalist.held_out]
    return (
        f"On {asked}, the {best.role} {does}: {_points(findings, gain)}, "
        f"{' against '.join(means)}. The interval {holds}."
    )


def _overstated(findings: Findings, best: Finalist) -> Iterator[str]:
    over, gain, numbers = best.overstatement, best.search_gain, findings.numbers
    if over is None or gain is None:
        return
    sentence = (
        f"On the {count(gain.n)} search questions, for which it was chosen, its gain was {numbers.gain(gain.mean)}"
    )
    interval = numbers.interval(over, signed=True)
    if over.mean > 0:
        certain = "" if over.low > 0 else ", not distinguishable from no overstatement"
        yield f"{sentence}: the search overstated it by {numbers.score(over.mean)} ({interval}{certain})."
    else:
        yield f"{sentence}: the search did not overstate it ({numbers.gain(over.mean)}, {interval})."


def _points(findings: Findings, gain: Estimate) -> str:
    """`+3.73 points (95 % interval +3.20 to +4.27)`."""
    numbers = findings.numbers
    return f"{numbers.gain(gain.mean)} points ({numbers.interval_at(gain, findings.results.confidence, signed=True)})"
