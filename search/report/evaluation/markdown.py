"""An evaluation's findings as tables of Markdown."""

from collections.abc import Iterator

from search.report.evaluation.findings import EvaluationFindings, VariantScore, WinRates
from search.report.evaluation.side_by_side import VariantContrast
from search.report.markup import fenced, plain, spoken, table, with_interval
from search.report.numbers import NOTHING, Numbers, share
from search.statistics.estimates import Estimate


def evaluation_parts(findings: EvaluationFindings) -> Iterator[str]:
    """From the table of variants to their answers."""
    if findings.variants:
        for part in (_variants, _win_rates, _categories, _lengths, _answers):
            yield from part(findings)


def _variants(findings: EvaluationFindings) -> Iterator[str]:
    assert findings.first is not None
    turns = max(len(variant.result.turns) for variant in findings.variants)
    yield "## Variants"
    heads = ("variant", "score", f"over {plain(findings.first.name)}", *(f"turn {at + 1}" for at in range(turns)))
    yield table((*heads, "length", "failed"), (_variant(findings, variant, turns) for variant in findings.variants))
    yield (
        f"Means with {share(findings.results.confidence)} intervals over questions; differences are "
        "paired, question by question."
    )


def _variant(findings: EvaluationFindings, variant: VariantScore, turns: int) -> list[str]:
    numbers, result = findings.numbers, variant.result
    by_turn = [*result.turns, *[None] * (turns - len(result.turns))]
    return [
        plain(variant.name),
        with_interval(numbers, result.score),
        with_interval(numbers, result.difference, signed=True),
        *(with_interval(numbers, value, with_n=False) for value in by_turn),
        NOTHING if variant.length is None else f"{variant.length.mean:.0f}",
        str(result.failed),
    ]


def _win_rates(findings: EvaluationFindings) -> Iterator[str]:
    rated = [(variant.name, variant.win_rates) for variant in findings.variants if variant.win_rates is not None]
    if rated:
        yield "## Win rates against AlpacaEval's baseline, percent"
        yield table(("variant", "win rate", "length-controlled"), (_rates(name, rates) for name, rates in rated))


def _rates(name: str, rates: WinRates) -> list[str]:
    return [plain(name), _percent(rates.plain), _percent(rates.length_controlled)]


def _percent(value: Estimate | None) -> str:
    return with_interval(Numbers(), value)


def _categories(findings: EvaluationFindings) -> Iterator[str]:
    if not findings.categories:
        return
    numbers = findings.numbers
    yield "## Categories"
    yield table(
        ("category", "variant", "score", "difference", "difference without"),
        (
            [
                plain(row.category or "none"),
                plain(row.variant),
                with_interval(numbers, row.score),
                with_interval(numbers, row.difference, signed=True),
                with_interval(numbers, row.without, signed=True),
            ]
            for row in findings.categories
        ),
    )


def _lengths(findings: EvaluationFindings) -> Iterator[str]:
    guarded = [(variant.name, variant.guard) for variant in findings.variants if variant.guard is not None]
    if guarded:
        yield "## Length of the answers"
        yield table(
            ("variant", "times the first's length", "difference at equal length"),
            (
                [
                    plain(name),
                    f"{guard.ratio:.2f}",
                    with_interval(findings.numbers, guard.equal_length_gain, signed=True),
                ]
                for name, guard in guarded
            ),
        )


def _answers(findings: EvaluationFindings) -> Iterator[str]:
    if findings.contrasts:
        yield "## Answers side by side"
    for contrast in findings.contrasts:
        yield from _contrast(findings, contrast)


def _contrast(findings: EvaluationFindings, contrast: VariantContrast) -> Iterator[str]:
    turns = max(len(said.answers) for _, said in contrast.said.values())
    yield f"### {plain(contrast.question.id)}"
    yield fenced("\n\n".join(contrast.question.turns[:turns]))
    for name, (score, said) in contrast.said.items():
        yield f"{plain(name)}: {findings.numbers.score(score)}{' (cut off)' if said.cut else ''}"
        yield from spoken(said)
