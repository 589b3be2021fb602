"""A report as Markdown, for issues and papers: the same findings as tables."""

from collections.abc import Iterator

from search.report import numbers
from search.report.comparison import Finalist
from search.report.evaluation.findings import EvaluationFindings
from search.report.evaluation.markdown import evaluation_parts
from search.report.findings import Findings
from search.report.markup import fenced, plain, spoken, table, with_interval
from search.report.opening import opening
from search.report.run_findings import RunFindings
from search.report.sentences import averaged, decoded
from search.report.side_by_side import Contrast
from search.results.journal_results import SIDES
from search.results.wording import show_many

_CANDIDATES = 20


def markdown(findings: Findings | EvaluationFindings) -> str:
    """The whole file. Whatever a model, a judge or a data set said is escaped, or stands in a fence of its own."""
    status = findings.status
    first = opening(findings)
    body = _search_parts(findings) if isinstance(findings, Findings) else evaluation_parts(findings)
    parts = [f"# {plain(status.run)}", f"demosearch report, {status.state}", *map(plain, first.summary)]
    if first.caveats:
        parts += ["## What a sceptic should know", "\n".join(f"- {plain(caveat)}" for caveat in first.caveats)]
    parts += [*body, *_costs(findings), *_failures(findings), *_manifest(findings)]
    return "\n\n".join(parts) + "\n"


def _search_parts(findings: Findings) -> Iterator[str]:
    if findings.finalists:
        first = (_result, _choice, _turns, _search, _prompt, _contributions)
        for part in (*first, _candidates, _categories, _lengths, _answers):
            yield from part(findings)


def _result(findings: Findings) -> Iterator[str]:
    yield "## Result"
    heads = ("prompt", "held-out score", "held-out gain", "search score", "search gain", "overstated by")
    yield table(heads, (_finalist(findings, finalist) for finalist in findings.finalists))
    level = numbers.share(findings.results.confidence)
    yield (
        f"Means with {level} intervals over questions. A gain is the mean of paired differences to the "
        "base prompt. The search score of a winner is too high, since it was chosen for it. “Overstated by” is "
        "search gain minus held-out gain."
    )


def _choice(findings: Findings) -> Iterator[str]:
    choice = findings.status.choice
    if choice is not None:
        yield f"## {choice.title}"
        yield "\n".join(f"- {plain(sentence)}" for sentence in choice.sentences())


def _finalist(findings: Findings, one: Finalist) -> list[str]:
    name = f"**{one.role}**: {plain(findings.labels.candidate(one.candidate))}"
    return [
        name,
        with_interval(findings.numbers, one.held_out),
        with_interval(findings.numbers, one.held_out_gain, signed=True),
        with_interval(findings.numbers, one.search),
        with_interval(findings.numbers, one.search_gain, signed=True),
        with_interval(findings.numbers, one.overstatement, signed=True, with_n=False),
    ]


def _turns(findings: Findings) -> Iterator[str]:
    if findings.turns:
        yield table(
            ("questions", "turn", "base prompt", "winner", "gain"),
            (
                [
                    SIDES[row.side],
                    str(row.turn),
                    with_interval(findings.numbers, row.base),
                    with_interval(findings.numbers, row.winner),
                    with_interval(findings.numbers, row.gain, signed=True),
                ]
                for row in findings.turns
            ),
        )


def _search(findings: Findings) -> Iterator[str]:
    history = findings.history
    yield "## The search"
    greedy = history.greedy and f"; the paper's exhaustive greedy search of the same space takes {history.greedy:,}"
    yield (
        f"{show_many(findings.status.trials, 'trial')} of {show_many(len(findings.candidates), 'candidate')} took "
        f"{show_many(history.judged, 'judged generation')} on search questions{greedy or ''}."
    )


def _prompt(findings: Findings) -> Iterator[str]:
    material = findings.results.material
    chosen = findings.best or findings.base
    assert material is not None
    assert chosen is not None
    yield "## The chosen demonstrations"
    if said := decoded(findings):
        yield plain(said)
    for number, name in enumerate(chosen.candidate.demonstrations, 1):
        one = material.demonstrations[name]
        yield f"{number}. {plain(findings.labels.demonstration(name))}"
        yield from map(fenced, one.texts)


def _contributions(findings: Findings) -> Iterator[str]:
    found = findings.contributions
    if found is None:
        return
    yield "## What each demonstration adds"
    yield (
        f"By the hierarchical model of `search/statistics/effects.py`, from {found.scores:,} search scores of "
        f"{found.candidates:,} candidates together; n counts the candidates in which a demonstration stood."
        f" {averaged(findings)}".rstrip()
    )
    place = found.last_over_first
    if place is not None:
        yield (
            f"A demonstration counts {place.mean:.2f} times as much in the last place as in the first "
            f"({place.low:.2f} to {place.high:.2f}, from {place.n} candidates with two or more)."
        )
    chosen = [demonstration for demonstration in found.demonstrations if demonstration.place is not None]
    others = [demonstration for demonstration in found.demonstrations if demonstration.place is None][:_CANDIDATES]
    yield table(
        ("demonstration", "place", "in the winner", "by its place there", "alone", "n"),
        (
            [
                plain(findings.labels.demonstration(one.demonstration)),
                str(one.place or numbers.NOTHING),
                with_interval(findings.numbers, one.in_winner, signed=True, with_n=False),
                with_interval(findings.numbers, one.by_place, signed=True, with_n=False),
                with_interval(findings.numbers, one.alone, signed=True, with_n=False),
                str(one.alone.n),
            ]
            for one in [*chosen, *others]
        ),
    )


def _candidates(findings: Findings) -> Iterator[str]:
    yield "## Candidates"
    shown = findings.candidates[:_CANDIDATES]
    if len(shown) < len(findings.candidates):
        of = f"The first {len(shown)} of {len(findings.candidates):,}"
        yield f"{of}, by the lower end of the interval of the paired gain on search questions."
    if len({candidate.score.n for candidate in findings.candidates if candidate.score}) > 1:
        yield "Not all have met the same questions: their scores cannot be compared, their gains can."
    yield table(
        ("rank", "demonstrations", "gain", "search score", "failed", "length"),
        (
            [
                str(demonstration.rank or numbers.NOTHING),
                plain(findings.labels.candidate(demonstration.candidate)),
                with_interval(findings.numbers, demonstration.gain, signed=True, with_n=False),
                with_interval(findings.numbers, demonstration.score),
                str(demonstration.failed),
                numbers.NOTHING if demonstration.length is None else f"{demonstration.length:.0f}",
            ]
            for demonstration in shown
        ),
    )


def _categories(findings: Findings) -> Iterator[str]:
    if not findings.categories:
        return
    yield "## Categories"
    yield table(
        ("category", "questions", "base prompt", "winner", "gain", "gain without"),
        (
            [
                plain(row.category or "none"),
                SIDES[row.side],
                with_interval(findings.numbers, row.base),
                with_interval(findings.numbers, row.winner),
                with_interval(findings.numbers, row.gain, signed=True),
                with_interval(findings.numbers, row.without, signed=True),
            ]
            for row in findings.categories
        ),
    )


def _lengths(findings: Findings) -> Iterator[str]:
    guard = findings.lengths
    if guard is None:
        return
    yield "## Length of the answers"
    text = (
        f"On {guard.first.n} {SIDES[findings.side]} questions, {guard.first.mean:.0f} characters with the base prompt "
        f"({guard.first.low:.0f} to {guard.first.high:.0f}) and {guard.second.mean:.0f} with the winner "
        f"({guard.second.low:.0f} to {guard.second.high:.0f}), {guard.ratio:.2f} times as many."
    )
    equal = guard.equal_length_gain
    if equal is not None:
        text += f" Gain at equal length, by a straight line: {with_interval(findings.numbers, equal, signed=True)}."
    yield text


def _answers(findings: Findings) -> Iterator[str]:
    found = findings.answers
    if found is None:
        return
    yield "## Answers side by side"
    if found.missing:
        yield f"There is nothing to show: {plain(found.missing)}."
    for title, pairs in (("Better", found.better), ("Worse", found.worse)):
        for pair in pairs:
            yield from _contrast(findings, title, pair)


def _contrast(findings: Findings, title: str, one: Contrast) -> Iterator[str]:
    yield f"### {title}: {plain(one.question.id)} ({findings.numbers.gain(one.gain)})"
    yield fenced("\n\n".join(one.question.turns[: len(one.winner.answers)]))
    for name, said, score in (("base prompt", one.base, one.base_score), ("winner", one.winner, one.winner_score)):
        yield f"{name}: {findings.numbers.score(score)}{' (cut off)' if said.cut else ''}"
        yield from spoken(said)


def _costs(findings: RunFindings) -> Iterator[str]:
    costs, spend = findings.costs, findings.costs.spend
    yield "## Cost"
    rows = [
        ["generations", f"{spend.generated:,} ({spend.prompt_tokens:,} tokens read, {spend.new_tokens:,} written)"],
        ["verdicts", f"{spend.judged:,}, and {costs.verdicts_known:,} more from the ledger"],
        ["judge calls", f"{spend.judge.calls:,}"],
        ["judge tokens", f"{spend.judge.prompt_tokens:,} read, {spend.judge.new_tokens:,} written"],
        ["price", numbers.dollars(spend.dollars, spend.estimated)],
        ["time", numbers.duration(spend.seconds)],
        ["GPU hours", f"{spend.gpu_seconds / 3600:.2f}"],
    ]
    if costs.tokens_per_second is not None:
        rows.append(["speed", f"{costs.tokens_per_second:,.0f} tokens/s"])
    idle = (
        ("GPU idle", costs.gpu_idle),
        ("workers idle", costs.workers_idle),
        ("judge idle", costs.judge_idle),
        ("judge idle while answers waited", costs.judge_stalled),
    )
    rows += [[name, numbers.share(value)] for name, value in idle if value is not None]
    yield table(("what", "how much"), rows)


def _failures(findings: RunFindings) -> Iterator[str]:
    yield "## Failures"
    if not findings.failures:
        yield "None."
        return
    yield table(
        ("cause", "stage", "items", "for example"),
        (
            [plain(failure.cause), failure.stage, f"{failure.count:,}", plain(failure.samples[-1].message)]
            for failure in findings.failures
        ),
    )


def _manifest(findings: RunFindings) -> Iterator[str]:
    versions = findings.results.manifest.get("versions", {})
    if versions:
        yield "## Versions"
        yield ", ".join(f"{name} {version}" for name, version in versions.items())
