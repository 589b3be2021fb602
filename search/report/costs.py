"""What the run has paid for, and how busy it kept those whom it paid."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.schema.scoring import ScoringConfig
from evaluators.drafting import Drafting
from evaluators.ledger.queries import (
    JudgeReceipt,
    Stretch,
    read_drafting,
    read_judges,
    read_throughput,
    read_utilization,
)
from evaluators.ledger.spend import Spend
from evaluators.objective import Objective
from evaluators.question import Question
from search.results.search_results import SearchResults
from workers.activity import idle_share

_STRETCHES = 60


@dataclass(frozen=True, slots=True)
class Costs:
    """What one run has cost.

    Attributes:
        judges: the busiest first.
        answers: that the scores told rest on.
        answers_known: of these, taken from the ledger instead of the model.
        verdicts: that the scores told rest on.
        verdicts_known: of these, taken from the ledger instead of the judge: another prompt of this run, or another run
            with the same ledger, had led to the same words.
        tokens_per_second: over the time worked; None before there is any.
        throughput: tokens over time.
        gpu_idle: share of the time that GPUs were held in which their model had nothing to do; None without GPUs.
        drafting: what drafts from earlier answers brought.
        workers_idle: share of the time that workers were alive in which they had nothing to do; None before any was.
        judge_idle: share of the time worked in which no verdict was under way; None where judging takes no calls.
        judge_stalled: of the time worked, the share in which answers waited and no verdict was under way: the judge's
            service asked for a pause, or could not be reached; None where judging takes no calls.
    """

    spend: Spend
    judges: tuple[JudgeReceipt, ...]
    answers: int
    answers_known: int
    verdicts: int
    verdicts_known: int
    tokens_per_second: float | None
    throughput: tuple[Stretch, ...]
    gpu_idle: float | None
    workers_idle: float | None
    drafting: Drafting
    judge_idle: float | None
    judge_stalled: float | None


def costs(results: SearchResults) -> Costs:
    """Read them from ledger and journal."""
    if results.material is None:
        return costs_of(results.ledger, results.run, results.spend, 0, 0)
    given = results.config.scoring, results.material.questions
    scored = results.search.answers_by_question() | results.held_out.answers_by_question()
    answers, verdicts = needed(*given, results.manifest.get("judge", ()), scored)
    journal = results.journal
    screened = journal.screening.answers_by_question() | journal.screened_held_out.answers_by_question()
    _, further = needed(*given, results.manifest.get("screening_judge", ()), screened)
    alone, _ = needed(*given, (), _screened_alone(results))
    return costs_of(results.ledger, results.run, results.spend, answers + alone, verdicts + further)


def _screened_alone(results: SearchResults) -> Counter[str]:
    """How many answers to each question only the screening judge has scored."""
    journal = results.journal
    sides = ((results.search, journal.screening), (results.held_out, journal.screened_held_out))
    return Counter(
        name
        for judged, screened in sides
        for candidate, scores in screened.items()
        for name in scores.scores.keys() - (judged[candidate].scores.keys() if candidate in judged else set())
    )


def costs_of(ledger: Path, run: str, spend: Spend, answers: int, verdicts: int) -> Costs:
    """The costs of a run whose scores rest on so many answers and verdicts."""
    there = read_utilization(ledger, run)
    worked = spend.seconds if spend.judge.calls else 0.0
    return Costs(
        spend=spend,
        judges=tuple(read_judges(ledger, run)),
        answers=answers,
        answers_known=max(0, answers - spend.generated),
        verdicts=verdicts,
        verdicts_known=max(0, verdicts - spend.judged),
        tokens_per_second=spend.new_tokens / spend.seconds if spend.seconds else None,
        throughput=tuple(read_throughput(ledger, run, _STRETCHES)),
        gpu_idle=idle_share(there.gpus, there.gpus_busy),
        workers_idle=idle_share(there.workers, there.workers_busy),
        drafting=read_drafting(ledger, run),
        judge_idle=idle_share(worked, there.judge_busy),
        judge_stalled=max(0.0, there.judge_wanted - there.judge_busy) / worked if worked else None,
    )


def needed(
    scoring: ScoringConfig,
    questions: Mapping[str, Question],
    judges: Sequence[Any],
    scored: Mapping[str, int],
) -> tuple[int, int]:
    """Answers and verdicts behind all scores.

    Args:
        questions: by id.
        judges: who gave the verdicts, as a manifest has it.
        scored: how many scores there are on each question, by its id.
    """
    objective = Objective.of(scoring)
    turns = {name: min(objective.turns, len(question.turns)) for name, question in questions.items()}
    each = sum(repeats for _, _, repeats, _ in judges)
    counted = {name: sum(map(objective.counts, range(asked))) for name, asked in turns.items()}
    answers = sum(turns[name] * count for name, count in scored.items())
    return answers, each * sum(counted[name] * count for name, count in scored.items())
