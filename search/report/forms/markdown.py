"""A report as Markdown, for issues and papers: the page's sections, without its figures and what is folded there."""

from collections.abc import Iterator

from search.report.document import (
    Block,
    Bullets,
    Column,
    Exchanges,
    Facts,
    Heading,
    Paragraph,
    ReportTable,
    Section,
    SideBySide,
    TableCell,
    Verbatim,
)
from search.report.evaluation.findings import EvaluationFindings
from search.report.findings import Findings
from search.report.forms.opening import opening, sections
from search.report.markup import coded, fenced, plain, spoken, table

_MOST_ROWS = 20


def markdown(findings: Findings | EvaluationFindings) -> str:
    """The whole file. Whatever a model, a judge or a data set said is escaped, or stands in a fence of its own."""
    status, first = findings.status, opening(findings)
    parts = [f"# {plain(status.run)}", f"demosearch report, {status.state}", *map(coded, first.summary)]
    if first.caveats:
        parts += ["## What a sceptic should know", "\n".join(f"- {coded(caveat)}" for caveat in first.caveats)]
    for section in sections(findings):
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> list[str]:
    """Nothing where all of it is figures; no heading stands over figures alone."""
    parts: list[str] = []
    is_empty = True  # what stands under the nearest heading
    for block in reversed(section.blocks):
        if isinstance(block, Heading) and is_empty:
            continue
        words = list(_block(block))
        parts[:0] = words
        is_empty = isinstance(block, Heading) or (is_empty and not words)
    return [f"## {section.title}", *parts] if parts else []


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph():
            yield coded(block.words)
        case Heading():
            yield f"### {plain(block.words)}"
        case Bullets():
            yield "\n".join(f"- {f'{plain(about)}: ' if about else ''}{plain(words)}" for about, words in block.points)
        case Facts():
            yield table(("what", "how much"), ((plain(name), coded(words)) for name, words in block.facts))
        case Verbatim():
            yield fenced(block.words)
        case Exchanges():
            yield plain(block.title)
            yield from (fenced(text) for turn in block.turns for text in turn)
        case SideBySide():
            yield from _contrast(block)
        case ReportTable():
            yield from _table(block)


def _contrast(contrast: SideBySide) -> Iterator[str]:
    yield f"#### {plain(contrast.question.id)}{f' ({contrast.gain})' if contrast.gain else ''}"
    yield fenced("\n\n".join(contrast.asked))
    for name, score, answer in contrast.answers:
        yield f"{plain(name)}: {score}{' (cut off)' if answer.cut else ''}"
        yield from spoken(answer)


def _table(block: ReportTable) -> Iterator[str]:
    shown = block.rows[:_MOST_ROWS] if block.is_long else block.rows
    heads = [plain(column.title) for column in block.columns]
    yield table(heads, (list(map(_cell, block.columns, row)) for row in shown))
    if len(shown) < len(block.rows):
        yield f"The first {len(shown)} of {len(block.rows):,}."


def _cell(column: Column, cell: TableCell) -> str:
    words, remarks = plain(cell.words), ", ".join(map(plain, cell.remarks))
    if column.has_numbers:
        return f"{words} ({remarks})" if remarks else words
    marked = f"**{words}**" if cell.is_strong else words
    return f"{marked}: {remarks}" if remarks else marked
