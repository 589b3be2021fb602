"""What the numbers of an evaluation say, in words that a sceptical colleague accepts."""

from collections.abc import Iterator

from configs.plural import show_many
from search.report.evaluation.findings import EvaluationFindings, VariantScore
from search.report.numbers import count
from search.statistics.estimates import Estimate

_NAMED = 4  # variants that get a sentence each
_LONGER = 1.25  # times the first variant's answers
_FEW = 20  # questions
_SEVERAL = 3  # comparisons


def evaluation_summary(findings: EvaluationFindings) -> list[str]:
    """The few sentences to take home."""
    first, others = findings.first, findings.others
    if first is None:
        return ["No variant is through yet."]
    if first.result.score is None:
        return [f"Too many answers of “{first.name}”, the first variant, failed: there is nothing to compare with."]
    if not others:
        score = first.result.score
        return [f"On {show_many(score.n, 'question')}, “{first.name}” scores {_with_interval(findings, score)}."]
    if len(others) <= _NAMED:
        return [_compared(findings, first, variant) for variant in others]
    best = max(others, key=_mean)
    return [_compared(findings, first, best), _counted(findings, first)]


def _compared(findings: EvaluationFindings, first: VariantScore, variant: VariantScore) -> str:
    gain, numbers = variant.result.difference, findings.numbers
    assert gain is not None
    does = {1: "does better than", 0: "is not clearly different from", -1: "does worse than"}[_sign(gain)]
    means = [numbers.score(it.result.score.mean) for it in (variant, first) if it.result.score]
    within = numbers.interval_at(gain, findings.results.confidence, signed=True)
    holds = "includes zero" if _sign(gain) == 0 else "excludes zero"
    return (
        f"On {show_many(gain.n, 'question')}, “{variant.name}” {does} “{first.name}”: {numbers.gain(gain.mean)} points "
        f"({within}), {' against '.join(means)}. The interval {holds}."
    )


def _counted(findings: EvaluationFindings, first: VariantScore) -> str:
    signs = [_sign(variant.result.difference) for variant in findings.others if variant.result.difference]
    better, worse, unclear = (signs.count(sign) for sign in (1, -1, 0))
    return (
        f"It has the largest difference of {len(signs)} variants, of which {better} do better than “{first.name}”, "
        f"{worse} do worse, and {unclear} are not clearly different; the largest of several is partly luck."
    )


def _sign(gain: Estimate) -> int:
    """The sign of an interval without zero, else 0."""
    return (gain.low > 0) - (gain.high < 0)


def _mean(variant: VariantScore) -> float:
    assert variant.result.difference is not None
    return variant.result.difference.mean


def _with_interval(findings: EvaluationFindings, value: Estimate) -> str:
    numbers = findings.numbers
    return f"{numbers.score(value.mean)} ({numbers.interval_at(value, findings.results.confidence)})"


def evaluation_caveats(findings: EvaluationFindings) -> list[str]:
    """A sentence or two each; none where there is no reason."""
    return [
        *_of_state(findings),
        *_of_failures(findings),
        *_of_number(findings),
        *(caveat for variant in findings.others for caveat in _of_gain(findings, variant)),
        *_of_win_rates(findings),
    ]


def _of_state(findings: EvaluationFindings) -> Iterator[str]:
    status = findings.status
    if status.state in ("stopped", "crashed"):
        reason = f" ({status.reason})" if status.reason else ""
        yield f"The evaluation has {status.state}{reason}; the same command with the same `--run-dir` goes on."
    if findings.results.lost:
        yield findings.results.lost
    if findings.missing:
        names = ", ".join(f"“{name}”" for name in findings.missing)
        yield f"Not through yet, and in no table: {names}."


def _of_failures(findings: EvaluationFindings) -> Iterator[str]:
    for variant in findings.variants:
        if variant.result.score is None:
            failed = count(variant.result.failed)
            yield f"“{variant.name}” has no score: {failed} of its answers failed, too many for a mean."
        elif variant.result.failed:
            questions = show_many(variant.result.failed, "question")
            yield f"{questions} failed for “{variant.name}”; a failure is in no mean and in no pair."


def _of_number(findings: EvaluationFindings) -> Iterator[str]:
    first, others = findings.first, findings.others
    if first is not None and first.result.score is not None and first.result.score.n < _FEW:
        yield f"Only {show_many(first.result.score.n, 'question stands', 'questions stand')} behind the comparison."
    if len(others) >= _SEVERAL:
        yield (
            f"{len(others)} variants are compared with the first, each with an interval of its own: the more there "
            "are, the likelier one of them excludes zero by chance."
        )


def _of_gain(findings: EvaluationFindings, variant: VariantScore) -> Iterator[str]:
    gain, guard, numbers = variant.result.difference, variant.guard, findings.numbers
    if gain is None or gain.low <= 0:
        return
    if guard is not None and guard.ratio >= _LONGER:
        equal = guard.equal_length_gain
        line = (
            f" A straight line through the questions puts the difference at equal length at "
            f"{numbers.gain(equal.mean)} ({numbers.interval(equal, signed=True)})."
            if equal
            else ""
        )
        yield (
            f"“{variant.name}” answers at {guard.ratio:.1f} times the length, and a judge may like length for its own "
            f"sake.{line}"
        )
    for row in findings.categories:
        if row.variant == variant.name and row.without is not None and row.without.mean < gain.mean / 2:
            yield (
                f"The difference of “{variant.name}” rests on the category “{row.category or 'none'}”: without it, "
                f"{numbers.gain(row.without.mean)} ({numbers.interval(row.without, signed=True)}, n = {row.without.n}) "
                f"is left of {numbers.gain(gain.mean)}."
            )


def _of_win_rates(findings: EvaluationFindings) -> Iterator[str]:
    reasons = dict.fromkeys(
        variant.win_rates.absent for variant in findings.variants if variant.win_rates and variant.win_rates.absent
    )
    for reason in reasons:
        yield f"The length-controlled win rate is absent: {reason}."
