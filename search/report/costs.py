"""What the run has paid for, and how busy it kept those whom it paid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluators.objective import Objective
from evaluators.receipts import JudgeReceipt, Pace, read_judges, read_judging_seconds, read_pace
from evaluators.spend import Spend
from search.report.evidence import Evidence, Told
from search.run import read_id

_STRETCHES = 60


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one run.

    Attributes:
        judges: the busiest first.
        answers: that the scores told rest on.
        answers_known: of these, taken from the ledger instead of the model.
        verdicts: that the scores told rest on.
        verdicts_known: of these, taken from the ledger instead of the judge: another prompt of this run, or another run
            with the same ledger, had led to the same words.
        tokens_per_second: over the time worked; None before there is any.
        pace: tokens over time.
        judge_idle: share of the time worked in which no answer waited for a verdict; None where judging takes no calls.
    """

    spend: Spend
    judges: tuple[JudgeReceipt, ...]
    answers: int
    answers_known: int
    verdicts: int
    verdicts_known: int
    tokens_per_second: float | None
    pace: tuple[Pace, ...]
    judge_idle: float | None


def costs(evidence: Evidence) -> Costs:
    """Read them from ledger and journal."""
    spend, run = evidence.status.spend, read_id(evidence.path)
    told = [*evidence.search.values(), *evidence.held_out.values()]
    answers, verdicts = _needed(evidence, told)
    busy = read_judging_seconds(evidence.ledger, run) if spend.judge.calls else 0.0
    return Costs(
        spend=spend,
        judges=tuple(read_judges(evidence.ledger, run)),
        answers=answers,
        answers_known=max(0, answers - spend.generated),
        verdicts=verdicts,
        verdicts_known=max(0, verdicts - spend.judged),
        tokens_per_second=spend.new_tokens / spend.seconds if spend.seconds else None,
        pace=tuple(read_pace(evidence.ledger, run, _STRETCHES)),
        judge_idle=max(0.0, 1 - busy / spend.seconds) if spend.judge.calls and spend.seconds else None,
    )


def _needed(evidence: Evidence, told: Sequence[Told]) -> tuple[int, int]:
    """Answers and verdicts behind all scores."""
    if evidence.material is None:
        return 0, 0
    objective = Objective.of(evidence.config.scoring)
    turns = {name: min(objective.turns, len(one.turns)) for name, one in evidence.material.questions.items()}
    each = sum(repeats for _, _, repeats, _ in evidence.manifest["judge"])
    return (
        sum(turns[name] for one in told for name in one.scores),
        each * sum(_counted(objective, turns, name) for one in told for name in one.scores),
    )


def _counted(objective: Objective, turns: Mapping[str, int], name: str) -> int:
    return sum(objective.counts(turn) for turn in range(turns[name]))
