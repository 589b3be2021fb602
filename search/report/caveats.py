"""What a sceptical colleague would ask, where the run gives reason to."""

from collections.abc import Iterator
from dataclasses import replace

from configs.plural import show_many
from search.report.categories import CategoryScores
from search.report.findings import Findings
from search.report.numbers import count, share
from search.results.journal_results import SIDES
from search.statistics.estimates import Estimate

_LONGER = 1.25  # times the base prompt's answers
_FEW = 20  # held-out questions
_CUT = 0.05


def caveats(findings: Findings) -> list[str]:
    """A sentence or two each; none where there is no reason."""
    return [
        *_of_contamination(findings),
        *_of_state(findings),
        *_of_length(findings),
        *_of_categories(findings),
        *_of_cut_answers(findings),
        *_of_questions(findings),
        *_of_runner_up(findings),
        *_of_decoding(findings),
        *_of_further_verdicts(findings),
        *_of_drift(findings),
        *_of_judge(findings),
        *_of_readings(findings),
    ]


def _of_contamination(findings: Findings) -> Iterator[str]:
    """Whatever the data said when the search began."""
    material = findings.results.material
    if material is not None:
        yield from (f"{notice}." for notice in material.contamination.notices())


def _of_state(findings: Findings) -> Iterator[str]:
    status = findings.status
    if status.state in ("stopped", "crashed"):
        reason = f" ({status.reason})" if status.reason else ""
        yield f"The search has {status.state}{reason}{'; `demosearch resume` goes on' * status.may_go_on}."
    if status.extended:
        yield status.extended
    if status.lost:
        yield status.lost
    if status.succeeds:
        yield (
            f"This search goes on from {status.succeeds} under another judge: its scores are the new judge's alone, "
            "and not comparable with those of the earlier one."
        )
    if status.amended:
        yield (
            f"{show_many(status.amended, 'score was', 'scores were')} added by `retry-failed` after the search, which "
            f"chose without {'it' if status.amended == 1 else 'them'}."
        )


def _gain(findings: Findings) -> Estimate | None:
    """The one to doubt: on held-out questions where there is one."""
    best = findings.best
    return (best.held_out_gain or best.search_gain) if best else None


def _of_length(findings: Findings) -> Iterator[str]:
    guard, gain, numbers = findings.lengths, _gain(findings), findings.numbers
    if guard is None or gain is None or gain.low <= 0 or guard.ratio < _LONGER:
        return
    text = (
        f"The gain goes with longer answers: {guard.ratio:.1f} times the base prompt's length on "
        f"{show_many(guard.first.n, f'{SIDES[findings.side]} question')}, and a judge may like length for its own sake."
    )
    equal = guard.equal_length_gain
    if equal is not None:
        text += (
            f" A straight line through the questions puts the gain at equal length at {numbers.gain(equal.mean)} "
            f"({numbers.interval(equal, signed=True)})."
        )
    yield text


def _of_categories(findings: Findings) -> Iterator[str]:
    gain, best = _gain(findings), findings.best
    if gain is None or best is None or gain.low <= 0:
        return
    side = "held_out" if best.held_out_gain else "search"
    for row in findings.categories:
        if row.side == side and row.without is not None and row.without.mean < gain.mean / 2:
            yield _rests_on(findings, row, row.without, gain)


def _rests_on(findings: Findings, row: CategoryScores, left: Estimate, gain: Estimate) -> str:
    numbers = findings.numbers
    return (
        f"The {SIDES[row.side]} gain rests on the category “{row.category or 'none'}”: without it, "
        f"{numbers.gain(left.mean)} ({numbers.interval(left, signed=True)}, n = {left.n}) is left of "
        f"{numbers.gain(gain.mean)}."
    )


def _of_cut_answers(findings: Findings) -> Iterator[str]:
    cut = findings.answers.cut if findings.answers else None
    if cut and max(cut) >= _CUT:
        yield (
            f"Answers were cut off at the largest number of new tokens: {share(cut[0])} of the base prompt's and "
            f"{share(cut[1])} of the winner's."
        )


def _of_questions(findings: Findings) -> Iterator[str]:
    gain, best = _gain(findings), findings.best
    if gain is not None and gain.failed:
        questions = show_many(gain.failed, "question is", "questions are")
        yield (
            f"{questions} missing from the comparison because of failed answers for the winner or the "
            "base prompt; a failure is in no mean."
        )
    if gain is not None and gain.has_no_width:
        yield (
            f"The gain is the same on all {gain.n} questions, so its interval has no width and says nothing about "
            "further questions; set scoring.bounds to the ends of the judge's scale to get one that does."
        )
    if best and best.held_out_gain and best.held_out_gain.n < _FEW:
        yield (
            f"Only {show_many(best.held_out_gain.n, 'held-out question stands', 'held-out questions stand')} behind "
            "the result."
        )


def _of_runner_up(findings: Findings) -> Iterator[str]:
    best = findings.best
    for other in findings.finalists:
        if other.role != "runner-up" or best is None or best.held_out is None or other.held_out is None:
            continue
        if other.held_out.mean > best.held_out.mean:
            yield (
                "The runner-up has the higher held-out score. To choose it for that would make the held-out questions "
                "part of the search."
            )


def _of_decoding(findings: Findings) -> Iterator[str]:
    """What the demonstrations did and what the decoding, where the winner's is not the base prompt's."""
    best, base, numbers = findings.best, findings.base, findings.numbers
    if best is None or base is None or best.candidate.decoding == base.candidate.decoding:
        return
    name = best.candidate.decoding
    control = replace(base.candidate, decoding=name)
    if best.candidate == control:
        yield f"The {best.role} is the base prompt itself, decoded as “{name}”: no demonstration was chosen."
        return
    scored = findings.results.side(findings.side)
    gain = scored[best.candidate].gain(scored[control], findings.results.confidence) if control in scored else None
    text = f"The gain is that of demonstrations and decoding (“{name}”) together."
    if gain is not None and gain.n > 1:
        text += (
            f" Over the base prompt in the same decoding, the {best.role} gains {numbers.gain(gain.mean)} "
            f"({numbers.interval(gain, signed=True)}) on {gain.n} {SIDES[findings.side]} questions."
        )
    yield text


def _of_further_verdicts(findings: Findings) -> Iterator[str]:
    if findings.results.journal.further:
        yield (
            f"The search drew further verdicts on answers (trials that did: {count(findings.results.journal.further)}) "
            "and knew them when it ranked. Search scores here rest on the first verdicts, so their order may differ "
            "from the search's."
        )


def _of_drift(findings: Findings) -> Iterator[str]:
    end = findings.results.journal.end
    if end is not None and end.drift:
        yield (
            f"The judge's level moved by about {findings.numbers.score(end.drift)} points while the search ran. "
            "The model of all scores takes that into account as far as they speak for it; the means of candidates that "
            "were scored at different times do not. "
            "The held-out scores were given at the same time for all."
        )


def _of_judge(findings: Findings) -> Iterator[str]:
    for noise in findings.noise:
        text = (
            f"Asked again about one and the same answer, the judge's verdicts spread by "
            f"{findings.numbers.score(noise.spread)} points (standard deviation, over "
            f"{show_many(noise.answers, 'answer')})."
        )
        if noise.share is not None:
            text += (
                f" That makes {share(noise.share)} of the variance of the differences to the base prompt: no number of "
                "repeats takes more than this from it, further questions do."
            )
        yield text


def _of_readings(findings: Findings) -> Iterator[str]:
    for reading in findings.readings:
        if reading.differ == 0:
            continue
        other = "a reading of decisions (`rating: decision`)" if reading.is_first else "published parsers"
        used = "the first rating in its words counts" if reading.is_first else "the rating that it decides on counts"
        yield (
            f"Of {show_many(reading.verdicts, 'verdict')} that the judge gave in words, {other} would read "
            f"{count(reading.differ)} otherwise or not at all; here {used}."
        )
