"""A report as Markdown, for issues and papers: the same findings as tables."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from search.report import numbers
from search.report.answers import Contrast, Said
from search.report.comparison import Finalist
from search.report.doubts import doubts
from search.report.evidence import SIDES
from search.report.findings import Findings
from search.report.sentences import summary
from search.statistics import Estimate

_CANDIDATES = 20
_SPECIAL = re.compile(r"([\\`*_|\[\]~#])")


def markdown(findings: Findings) -> str:
    """The whole file. Whatever a model, a judge or a data set said is escaped, or stands in a fence of its own."""
    status = findings.evidence.status
    parts = [f"# {_text(status.run)}", f"demosearch report, {status.state}", *map(_text, summary(findings))]
    found = doubts(findings)
    parts += ["## What a sceptic should know", "\n".join(f"- {_text(one)}" for one in found)] if found else []
    for part in (_result, _turns, _search, _prompt, _contributions, _candidates, _categories, _lengths, _answers):
        parts += part(findings) if findings.finalists else []
    parts += [*_costs(findings), *_failures(findings), *_manifest(findings)]
    return "\n\n".join(parts) + "\n"


def _result(findings: Findings) -> Iterator[str]:
    yield "## Result"
    heads = ("prompt", "held-out score", "held-out gain", "search score", "search gain", "overstated by")
    yield _table(heads, (_finalist(findings, one) for one in findings.finalists))
    level = numbers.share(findings.evidence.confidence)
    yield (
        f"Means with {level} Student's t intervals over questions. A gain is the mean of paired differences to the "
        "base prompt. The search score of a winner is too high, since it was chosen for it. “Overstated by” is "
        "search gain minus held-out gain."
    )


def _finalist(findings: Findings, one: Finalist) -> list[str]:
    name = f"**{one.role}**: {_text(findings.labels.candidate(one.demonstrations))}"
    return [
        name,
        _score(findings, one.held_out),
        _score(findings, one.held_out_gain, signed=True),
        _score(findings, one.search),
        _score(findings, one.search_gain, signed=True),
        _score(findings, one.overstatement, signed=True, with_n=False),
    ]


def _turns(findings: Findings) -> Iterator[str]:
    if findings.turns:
        yield _table(
            ("questions", "turn", "base prompt", "winner", "gain"),
            (
                [
                    SIDES[row.side],
                    str(row.turn),
                    _score(findings, row.base),
                    _score(findings, row.winner),
                    _score(findings, row.gain, signed=True),
                ]
                for row in findings.turns
            ),
        )


def _search(findings: Findings) -> Iterator[str]:
    history = findings.history
    yield "## The search"
    greedy = history.greedy and f"; the paper's exhaustive greedy search of the same space takes {history.greedy:,}"
    yield (
        f"{findings.evidence.status.trials:,} trials of {len(findings.candidates):,} candidates took "
        f"{history.judged:,} judged generations on guiding questions{greedy or ''}."
    )


def _prompt(findings: Findings) -> Iterator[str]:
    material = findings.evidence.material
    chosen = findings.best or findings.base
    assert material is not None
    assert chosen is not None
    yield "## The chosen demonstrations"
    for number, name in enumerate(chosen.demonstrations, 1):
        one = material.demonstrations[name]
        yield f"{number}. {_text(findings.labels.demonstration(name))}"
        yield _fenced(one.query)
        yield _fenced(one.answer)


def _contributions(findings: Findings) -> Iterator[str]:
    found = findings.contributions
    if found is None:
        return
    yield "## What each demonstration adds"
    yield (
        f"By the hierarchical model of `search/effects.py`, from {found.scores:,} guiding scores of "
        f"{found.candidates:,} candidates together; n counts the candidates in which a demonstration stood."
    )
    place = found.last_over_first
    if place is not None:
        yield (
            f"A demonstration counts {place.mean:.2f} times as much in the last place as in the first "
            f"({place.low:.2f} to {place.high:.2f}, from {place.n} candidates with two or more)."
        )
    chosen = [one for one in found.demonstrations if one.place is not None]
    others = [one for one in found.demonstrations if one.place is None][:_CANDIDATES]
    yield _table(
        ("demonstration", "place", "in the winner", "by its place there", "alone", "n"),
        (
            [
                _text(findings.labels.demonstration(one.demonstration)),
                str(one.place or numbers.NOTHING),
                _score(findings, one.in_winner, signed=True, with_n=False),
                _score(findings, one.by_place, signed=True, with_n=False),
                _score(findings, one.alone, signed=True, with_n=False),
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
        yield f"{of}, by the lower end of the interval of the paired gain on guiding questions."
    yield _table(
        ("rank", "demonstrations", "gain", "search score", "failed", "length"),
        (
            [
                str(one.rank or numbers.NOTHING),
                _text(findings.labels.candidate(one.demonstrations)),
                _score(findings, one.gain, signed=True, with_n=False),
                _score(findings, one.score),
                str(one.failed),
                numbers.NOTHING if one.length is None else f"{one.length:.0f}",
            ]
            for one in shown
        ),
    )


def _categories(findings: Findings) -> Iterator[str]:
    if not findings.categories:
        return
    yield "## Categories"
    yield _table(
        ("category", "questions", "base prompt", "winner", "gain", "gain without"),
        (
            [
                _text(row.category or "none"),
                SIDES[row.side],
                _score(findings, row.base),
                _score(findings, row.winner),
                _score(findings, row.gain, signed=True),
                _score(findings, row.without, signed=True),
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
        f"On {guard.base.n} {SIDES[guard.side]} questions, {guard.base.mean:.0f} characters with the base prompt "
        f"({guard.base.low:.0f} to {guard.base.high:.0f}) and {guard.winner.mean:.0f} with the winner "
        f"({guard.winner.low:.0f} to {guard.winner.high:.0f}), {guard.ratio:.2f} times as many."
    )
    equal = guard.equal_length_gain
    if equal is not None:
        text += f" Gain at equal length, by a straight line: {_score(findings, equal, signed=True)}."
    yield text


def _answers(findings: Findings) -> Iterator[str]:
    found = findings.answers
    if found is None:
        return
    yield "## Answers side by side"
    if found.missing:
        yield f"There is nothing to show: {_text(found.missing)}."
    for title, pairs in (("Better", found.better), ("Worse", found.worse)):
        for one in pairs:
            yield from _contrast(findings, title, one)


def _contrast(findings: Findings, title: str, one: Contrast) -> Iterator[str]:
    yield f"### {title}: {_text(one.question.id)} ({findings.numbers.gain(one.gain)})"
    yield _fenced("\n\n".join(one.question.turns[: len(one.winner.answers)]))
    for name, said, score in (("base prompt", one.base, one.base_score), ("winner", one.winner, one.winner_score)):
        yield f"{name}: {findings.numbers.score(score)}{' (cut off)' if said.cut else ''}"
        yield from _said(said)


def _said(said: Said) -> Iterator[str]:
    yield from map(_fenced, said.answers)
    for words in said.words:
        yield "judge:"
        yield _fenced(words)


def _costs(findings: Findings) -> Iterator[str]:
    costs, spend = findings.costs, findings.costs.spend
    yield "## Cost"
    rows = [
        ["generations", f"{spend.generated:,} ({spend.prompt_tokens:,} tokens read, {spend.new_tokens:,} written)"],
        ["verdicts", f"{spend.judged:,}, and {costs.verdicts_known:,} more from the ledger"],
        ["judge calls", f"{spend.judge.calls:,}"],
        ["judge tokens", f"{spend.judge.prompt_tokens:,} read, {spend.judge.new_tokens:,} written"],
        ["price", numbers.dollars(spend.dollars)],
        ["time", numbers.duration(spend.seconds)],
        ["GPU hours", f"{spend.gpu_seconds / 3600:.2f}"],
    ]
    if costs.tokens_per_second is not None:
        rows.append(["speed", f"{costs.tokens_per_second:,.0f} tokens/s"])
    if costs.judge_idle is not None:
        rows.append(["judge idle", numbers.share(costs.judge_idle)])
    yield _table(("what", "how much"), rows)


def _failures(findings: Findings) -> Iterator[str]:
    yield "## Failures"
    if not findings.failures:
        yield "None."
        return
    yield _table(
        ("cause", "stage", "items", "for example"),
        ([_text(one.cause), one.stage, f"{one.count:,}", _text(one.samples[-1].message)] for one in findings.failures),
    )


def _manifest(findings: Findings) -> Iterator[str]:
    versions = findings.evidence.manifest.get("versions", {})
    if versions:
        yield "## Versions"
        yield ", ".join(f"{name} {version}" for name, version in versions.items())


def _score(findings: Findings, value: Estimate | None, signed: bool = False, with_n: bool = True) -> str:
    if value is None:
        return numbers.NOTHING
    write = findings.numbers.gain if signed else findings.numbers.score
    inside = [findings.numbers.interval(value, signed) or "no interval"]
    inside += [f"n = {value.n}"] if with_n else []
    inside += [f"{value.failed} failed"] if with_n and value.failed else []
    return f"{write(value.mean)} ({', '.join(inside)})"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(words: str) -> str:
    """One line that means nothing but itself."""
    return _SPECIAL.sub(r"\\\1", html.escape(" ".join(words.split()), quote=False))


def _fenced(text: str) -> str:
    """As it is, behind a fence longer than any in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
