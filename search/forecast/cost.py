"""Calls, tokens and money of a workload, under an assumption on how long answers are."""

from collections.abc import Sequence
from dataclasses import dataclass

from configs.schema.judge import JudgeConfig
from configs.schema.judge_knobs import JudgeKnobs, LanguageModelJudgeKnobs
from configs.schema.search_judge import screening_judge
from configs.schema.service import ServiceConfig
from evaluators.ledger.spend import Spend
from search.forecast.workload import PlannedWork
from workers.service.reply import dollars


@dataclass(frozen=True, slots=True)
class JudgeCost:
    """What one panel member's verdict takes.

    Attributes:
        calls: of a model; 0 for a metric.
        most_calls: when every reply but the last is unreadable.
        verdict_tokens: tokens that one call may write.
        service: that is paid, if any.
    """

    calls: int
    most_calls: int
    verdict_tokens: int
    service: ServiceConfig | None


def judge_costs(config: JudgeConfig) -> tuple[JudgeCost, ...]:
    """Costs by panel member, in the order of `judges_from_config`; behind them those of the screening judge."""
    first = screening_judge(config)
    judges = (*config.judges, *(() if first is None else first.judges))
    return tuple(_judge_cost(judge) for judge in judges for _ in range(judge.orders))


def _judge_cost(config: JudgeKnobs) -> JudgeCost:
    service = config.service if isinstance(config, LanguageModelJudgeKnobs) else None
    return JudgeCost(config.calls, config.most_calls, config.verdict_tokens, service)


@dataclass(frozen=True, slots=True)
class Speed:
    """What an earlier run has measured; None for what it has not.

    Attributes:
        answer: tokens of a completion, on average.
        verdict_tokens: tokens that one call of the judge writes, on average.
        speed: new tokens a second, all workers together, waiting and loading included.
        gpus: held at the same time, on average.
    """

    answer: float | None = None
    verdict_tokens: float | None = None
    speed: float | None = None
    gpus: float | None = None

    @classmethod
    def of(cls, spend: Spend) -> "Speed":
        """The speed of a run, from what it has spent."""
        return cls(
            answer=_ratio(spend.new_tokens, spend.generated),
            verdict_tokens=_ratio(spend.judge.new_tokens, spend.judge.calls),
            speed=_ratio(spend.new_tokens, spend.seconds),
            gpus=spend.gpu_seconds / spend.seconds if spend.seconds else None,
        )


def _ratio(first: float, second: float) -> float | None:
    return first / second if first and second else None


@dataclass(frozen=True, slots=True)
class Basis:
    """What turns a workload into a cost.

    Attributes:
        model_tokens, judge_tokens: a character.
        judges: by panel member.
        service: that generates, where it is paid.
    """

    model_tokens: float
    judge_tokens: float
    judges: tuple[JudgeCost, ...]
    service: ServiceConfig | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a workload costs; `dollars` is None where a price is not known."""

    generations: float
    prompt_tokens: float
    new_tokens: float
    verdicts: float
    judge_calls: float
    judge_prompt_tokens: float
    judge_new_tokens: float
    dollars: float | None


def cost_of(
    work: PlannedWork, basis: Basis, answer: float, verdict_tokens: Sequence[float], calls: Sequence[int]
) -> Cost:
    """Work out the cost of planned work.

    Args:
        answer: tokens of an answer.
        verdict_tokens: tokens that a call of the judge writes, by panel member.
        calls: of one verdict, by panel member.
    """
    prompt_tokens, new_tokens = work.prompts * basis.model_tokens + work.earlier * answer, work.generations * answer
    bills = [_price(basis.service, prompt_tokens, new_tokens)]
    made = read = written = 0.0
    for member, judge in enumerate(basis.judges):
        own = work.verdicts[member] * calls[member]
        own_read = calls[member] * (work.judge_prompts[member] * basis.judge_tokens + work.judged[member] * answer)
        bills.append(_price(judge.service, own_read, own * verdict_tokens[member]))
        made, read, written = made + own, read + own_read, written + own * verdict_tokens[member]
    paid = [bill for bill in bills if bill is not None]
    return Cost(
        generations=work.generations,
        prompt_tokens=prompt_tokens,
        new_tokens=new_tokens,
        verdicts=sum(work.verdicts),
        judge_calls=made,
        judge_prompt_tokens=read,
        judge_new_tokens=written,
        dollars=sum(paid) if len(paid) == len(bills) else None,
    )


def _price(service: ServiceConfig | None, read: float, written: float) -> float | None:
    return 0.0 if service is None or not read else dollars(round(read), 0, round(written), service)
