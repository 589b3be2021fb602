"""What a report says of an evaluation, section by section."""

from collections.abc import Iterator

from configs.plural import show_many
from search.report.document import (
    Block,
    Column,
    Exchanges,
    Figure,
    Folded,
    Paragraph,
    ReportTable,
    Section,
    SideBySide,
    TableCell,
    Verbatim,
    estimate_cell,
    number_cell,
    words_column,
)
from search.report.evaluation.findings import EvaluationFindings, VariantScore
from search.report.numbers import Numbers, share
from search.report.run_sections import run_sections


def evaluation_sections(findings: EvaluationFindings) -> list[Section]:
    """All of them; of an evaluation without a variant those that every report has, and the prompts."""
    sections = [*(_of_scores(findings) if findings.variants else ())]
    sections.append(Section("prompts", "Prompts", "Prompts", tuple(_prompts(findings))))
    continuation = "the same command may add variants, and must agree in the rest"
    return [*(section for section in sections if section.blocks), *run_sections(findings, continuation)]


def _of_scores(findings: EvaluationFindings) -> Iterator[Section]:
    yield Section("variants", "Variants", "Variants", tuple(_variants(findings)))
    yield Section("winrates", "Win rates", "Win rates", tuple(_win_rates(findings)))
    yield Section("categories", "Categories", "Categories", tuple(_categories(findings)))
    yield Section("lengths", "Length of the answers", "Length", tuple(_lengths(findings)))
    yield Section("answers", "Answers side by side", "Answers", tuple(_answers(findings)))


def _variants(findings: EvaluationFindings) -> Iterator[Block]:
    turns = max(len(variant.result.turns) for variant in findings.variants)
    heads = ("score", "difference to the first", *(f"turn {turn + 1}" for turn in range(turns)), "characters", "failed")
    rows = tuple(_variant(findings, variant, turns) for variant in findings.variants)
    yield ReportTable("Variants", (words_column("variant"), *map(Column, heads)), rows)
    yield Figure("differences")
    yield Paragraph(
        f"Intervals are at {share(findings.results.confidence)} over questions: Student's t, and one that knows the "
        "ends of the scale where scores stand there or are mostly equal. A difference is the mean of paired "
        "differences to the first variant, question by question; it has its own interval, and two overlapping "
        "intervals of scores say nothing against it. Questions that failed are in no mean; with too many of them there "
        'is no score. The column "characters" has the mean length of the answers.',
        is_note=True,
    )


def _variant(findings: EvaluationFindings, variant: VariantScore, turns: int) -> tuple[TableCell, ...]:
    numbers, result = findings.numbers, variant.result
    by_turn = [*result.turns, *[None] * (turns - len(result.turns))]
    return (
        TableCell(variant.name, tag="first" if variant is findings.first else ""),
        estimate_cell(numbers, result.score),
        estimate_cell(numbers, result.difference, signed=True),
        *(estimate_cell(numbers, value, with_n=False) for value in by_turn),
        number_cell(variant.length.mean if variant.length else None),
        number_cell(result.failed),
    )


def _win_rates(findings: EvaluationFindings) -> Iterator[Block]:
    rated = [(variant.name, variant.win_rates) for variant in findings.variants if variant.win_rates is not None]
    if rated:
        yield Paragraph(
            "Mean preference over AlpacaEval's baseline, in percent, as its leaderboard has it; intervals are "
            f"Student's t at {share(findings.results.confidence)} from its standard errors."
        )
        percent = Numbers()
        rows = tuple(
            (TableCell(name), estimate_cell(percent, rates.plain), estimate_cell(percent, rates.length_controlled))
            for name, rates in rated
        )
        heads = (words_column("variant"), Column("win rate"), Column("length-controlled"))
        yield ReportTable("Win rates", heads, rows)


def _categories(findings: EvaluationFindings) -> Iterator[Block]:
    if not findings.categories:
        return
    numbers = findings.numbers
    yield Paragraph(
        "“Without” is the difference on all other categories together: one that falls apart without a category is a "
        "difference in that category."
    )
    yield Figure("categories")
    heads = map(Column, ("score", "difference", "difference without"))
    rows = tuple(
        (
            TableCell(row.category or "none"),
            TableCell(row.variant),
            estimate_cell(numbers, row.score),
            estimate_cell(numbers, row.difference, signed=True),
            estimate_cell(numbers, row.without, signed=True),
        )
        for row in findings.categories
    )
    yield ReportTable("Categories", (words_column("category"), words_column("variant"), *heads), rows, is_long=True)


def _lengths(findings: EvaluationFindings) -> Iterator[Block]:
    yield Figure("lengths")
    guarded = [(variant.name, variant.guard) for variant in findings.variants if variant.guard is not None]
    if guarded:
        heads = ("times the first's length", "correlation", "difference at equal length")
        rows = tuple(
            (
                TableCell(name),
                number_cell(guard.ratio, ".2f"),
                number_cell(guard.correlation, "+.2f"),
                estimate_cell(findings.numbers, guard.equal_length_gain, signed=True, with_n=False),
            )
            for name, guard in guarded
        )
        yield ReportTable("Lengths", (words_column("variant"), *map(Column, heads)), rows)
        yield Paragraph(
            "Correlation is that of the change in length with the change in score, over questions. The difference at "
            "equal length is read off a straight line through the questions: a rough guide, since what makes an answer "
            "good may also make it long.",
            is_note=True,
        )


def _answers(findings: EvaluationFindings) -> Iterator[Block]:
    if findings.contrasts:
        yield Paragraph("Questions on which variants differ most, in both directions.")
    for contrast in findings.contrasts:
        answers = tuple(
            (name, findings.numbers.score(score), words) for name, (score, words) in contrast.answers.items()
        )
        yield SideBySide(contrast.question, "", answers)


def _prompts(findings: EvaluationFindings) -> Iterator[Block]:
    material = findings.results.material
    for name, prompt in material.prompts.items() if material else ():
        has_rules = bool(prompt.rules.strip())
        demonstrations = show_many(len(prompt.demonstrations), "demonstration")
        yield Folded(
            f"{name}: {'rules and ' if has_rules else 'no rules, '}{demonstrations}",
            (
                *([Verbatim(prompt.rules)] if has_rules else []),
                *(Exchanges("", tuple(demonstration.turns)) for demonstration in prompt.demonstrations),
            ),
        )
