"""The sections that every report has: costs, failures, manifest."""

import json
from collections.abc import Iterator

from configs.plural import show_many
from search.report.costs import Costs
from search.report.document import (
    Block,
    Bullets,
    Column,
    Facts,
    Figure,
    Folded,
    Heading,
    Paragraph,
    ReportTable,
    Section,
    TableCell,
    Verbatim,
    number_cell,
    words_column,
)
from search.report.numbers import count, dollars, duration, share
from search.report.run_findings import RunFindings
from search.results.wording import show_drafting


def run_sections(findings: RunFindings, continuation: str) -> list[Section]:
    """What a run cost, what failed, and what decides its outcome.

    Args:
        continuation: what may change, and what not, when it goes on.
    """
    people = tuple(Paragraph(sentence) for sentence in findings.reviews.sentences()) if findings.reviews else ()
    costs: tuple[Block, ...] = (Facts(tuple(_costs(findings))), *_judges(findings.costs), Figure("throughput"))
    return [
        *([Section("reviews", "People and the judge", "People", people)] if people else []),
        Section("costs", "Cost", "Cost", costs),
        Section("failures", "Failures", "Failures", tuple(_failures(findings)) or (Paragraph("None."),)),
        Section("manifest", "Manifest", "Manifest", tuple(_manifest(findings, continuation))),
    ]


def _costs(findings: RunFindings) -> Iterator[tuple[str, str]]:
    costs, spend = findings.costs, findings.costs.spend
    read, written = count(spend.prompt_tokens), count(spend.new_tokens)
    yield "generations", f"{count(spend.generated)}, with {read} tokens read and {written} written"
    yield "verdicts", count(spend.judged)
    if spend.judge.calls:
        judge = spend.judge
        tokens = f"{count(judge.prompt_tokens)} tokens read ({count(judge.cached_tokens)} from its cache)"
        price = dollars(judge.dollars, judge.estimated)
        yield "judge", f"{show_many(judge.calls, 'call')}, {tokens}, {count(judge.new_tokens)} written, {price}"
    estimated = (
        f"the tokens of {show_many(spend.estimated, 'call')} are estimated, since the service did not count them"
    )
    unknown = ": set prices in `service`" if spend.dollars is None else ""
    yield "price", dollars(spend.dollars, spend.estimated) + (f"; {estimated}" if spend.estimated else "") + unknown
    gpu_time = f", {duration(spend.gpu_seconds)} of GPU time" if spend.gpu_seconds else ""
    yield "time", f"{duration(spend.seconds)} of work{gpu_time}"
    if costs.tokens_per_second and spend.generated:
        yield "speed", f"{count(costs.tokens_per_second)} tokens/s over the time worked"
    if (words := show_drafting(costs.drafting)) is not None:
        yield "drafts from earlier answers", words
    yield from _idle(costs)
    if costs.answers:
        config = findings.results.config
        other = " or another run" if config.ledger_path or config.reuse_folder else ""
        shared = f"{count(costs.verdicts_known)} of {count(costs.verdicts)} that the scores rest on"
        yield "verdicts from the ledger", f"{shared}: another prompt{other} had led to the same words"
        yield "answers from the ledger", f"{count(costs.answers_known)} of {count(costs.answers)}"


def _idle(costs: Costs) -> Iterator[tuple[str, str]]:
    if costs.gpu_idle is not None:
        yield "GPU idle", f"{share(costs.gpu_idle)} of the time that GPUs were held"
    if costs.workers_idle is not None:
        yield "workers idle", f"{share(costs.workers_idle)} of the time that the model was loaded"
    if costs.judge_idle is not None:
        stalled = f"{share(costs.judge_stalled)} while answers waited for a verdict"
        yield "judge idle", f"{share(costs.judge_idle)} of the time worked, {stalled}"


def _judges(costs: Costs) -> Iterator[ReportTable]:
    if len(costs.judges) > 1 or costs.spend.judge.calls:
        heads = ("verdicts", "calls", "tokens read", "tokens written", "dollars")
        rows = tuple(
            (
                TableCell(judge.fingerprint),
                *map(number_cell, (judge.verdicts, judge.usage.calls)),
                *map(number_cell, (judge.usage.prompt_tokens, judge.usage.new_tokens)),
                TableCell(dollars(judge.usage.dollars, judge.usage.estimated), value=judge.usage.dollars),
            )
            for judge in costs.judges
        )
        yield ReportTable("Judges", (words_column("judge"), *map(Column, heads)), rows)


def _failures(findings: RunFindings) -> Iterator[Block]:
    for alike in findings.failures:
        yield Heading(f"{alike.count:,} × {alike.cause} ({alike.stage})")
        yield Bullets(tuple((sample.question, sample.message) for sample in alike.samples))


def _manifest(findings: RunFindings, continuation: str) -> Iterator[Block]:
    manifest = findings.results.manifest
    if not manifest:
        yield Paragraph("There is none yet: the model is still loading.")
        return
    if versions := manifest.get("versions"):
        yield Paragraph(f"Versions: {', '.join(f'{name} {version}' for name, version in versions.items())}.")
    yield Folded(
        f"Everything that decides the outcome; {continuation}",
        (Verbatim(json.dumps(manifest, indent=1, ensure_ascii=False)),),
    )
