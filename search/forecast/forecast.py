"""What a run would cost, told before anything is spent."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from configs.schema.scoring import BudgetConfig
from evaluators.ledger.spend import Spend
from evaluators.pipeline.budget import QUANTITIES, spent_by_quantity
from search.forecast.cost import Basis, Cost, Speed, cost_of
from search.forecast.example import PromptExample
from search.forecast.workload import PlannedWork

Prospect = Literal["is enough", "may be reached", "will be reached", "cannot be told"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One line of a forecast.

    Attributes:
        name: for people.
        about: what is to be expected; None where it cannot be told.
        at_most: never more than this; None where it cannot be told.
        spent: up to now, part of both; None where it is not counted.
        limit: of the budget.
        note: how to learn what is missing; "" for nothing to say.
    """

    name: str
    about: float | None
    at_most: float | None
    spent: float | None
    limit: float | None
    note: str = ""

    @property
    def prospect(self) -> Prospect | None:
        """What will become of the limit; None without one."""
        if self.limit is None:
            return None
        if self.about is not None and self.about > self.limit:
            return "will be reached"
        if self.at_most is None:
            return "cannot be told"
        return "may be reached" if self.at_most > self.limit else "is enough"


@dataclass(frozen=True, slots=True)
class RunForecast:
    """What a whole run will take, what was spent already included.

    Attributes:
        notes: what was read, what is odd about it, what the numbers rest on; a sentence each.
        prompt: one of the run's; None for several runs together.
    """

    quantities: tuple[Quantity, ...]
    notes: tuple[str, ...]
    prompt: PromptExample | None = None

    def to_json(self) -> dict[str, Any]:
        """What `--dry-run --json` prints."""
        rows = [asdict(quantity) | {"prospect": quantity.prospect} for quantity in self.quantities]
        prompt = None if self.prompt is None else asdict(self.prompt)
        return {"quantities": rows, "notes": list(self.notes), "prompt": prompt}


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What a forecast rests on beside the workload.

    Attributes:
        max_new_tokens: of an answer.
        gpus: that the config's workers hold; None where only the cluster knows.
        unpriced: knobs of prices that are missing.
        notes: for people.
        prompt: one of the run's.
    """

    basis: Basis
    rates: Speed
    max_new_tokens: int
    gpus: float | None
    unpriced: Sequence[str]
    notes: Sequence[str]
    prompt: PromptExample | None = None


def forecast(
    likely: PlannedWork | None, most: PlannedWork, assumed: Assumptions, budget: BudgetConfig, spent: Spend
) -> RunForecast:
    """Put the numbers together.

    Args:
        likely: what will be asked for; None where that cannot be told.
        most: what can be asked for at most.
        spent: of this run, which the workloads include.
    """
    about, at_most = _about(likely, assumed), _at_most(most, assumed)
    gone, limits = spent_by_quantity(spent), {name: getattr(budget, name) for name in QUANTITIES}
    notes = _missing(assumed)
    quantities = tuple(
        Quantity(
            name=QUANTITIES.get(name, name.replace("_", " ")),
            about=0.0 if at_most.get(name) == 0 else about.get(name),
            at_most=at_most.get(name),
            spent=gone.get(name),
            limit=limits.get(name),
            note=notes.get(name, ""),
        )
        for name in _ROWS
    )
    return RunForecast(quantities, tuple(assumed.notes), assumed.prompt)


_ROWS = (
    *("generations", "prompt_tokens", "new_tokens", "verdicts", "judge_calls"),
    *("judge_prompt_tokens", "judge_new_tokens", "judge_tokens", "dollars", "gpu_hours", "hours"),
)
_NEED_LENGTHS = frozenset(_ROWS) - {"generations", "verdicts", "judge_calls"}
_NEED_WORDS = frozenset({"judge_new_tokens", "judge_tokens", "dollars"})


def _about(likely: PlannedWork | None, assumed: Assumptions) -> dict[str, float | None]:
    """Only what neither a guess at the lengths nor at the judge's words goes into."""
    if likely is None:
        return {}
    rates, judges = assumed.rates, assumed.basis.judges
    verdict_tokens = [
        rates.verdict_tokens or 0.0 if judge.verdict_tokens > 1 else float(judge.verdict_tokens) for judge in judges
    ]
    cost = cost_of(likely, assumed.basis, rates.answer or 0.0, verdict_tokens, [judge.calls for judge in judges])
    values = _values(cost, assumed)
    lengths_matter = rates.answer is None
    words_matter = rates.verdict_tokens is None and any(judge.verdict_tokens > 1 for judge in judges)
    hidden = (_NEED_LENGTHS if lengths_matter else frozenset()) | (_NEED_WORDS if words_matter else frozenset())
    shown = {name: value for name, value in values.items() if name not in hidden}
    if not likely.earlier:
        shown["prompt_tokens"] = values["prompt_tokens"]
    if cost.dollars == 0 and not any(judge.service for judge in judges):
        shown["dollars"] = values["dollars"]
    return shown


def _at_most(most: PlannedWork, assumed: Assumptions) -> dict[str, float | None]:
    judges = assumed.basis.judges
    verdict_tokens, calls = [judge.verdict_tokens for judge in judges], [judge.most_calls for judge in judges]
    return _values(cost_of(most, assumed.basis, assumed.max_new_tokens, verdict_tokens, calls), assumed)


def _values(cost: Cost, assumed: Assumptions) -> dict[str, float | None]:
    rates = assumed.rates
    hours = None if rates.speed is None else cost.new_tokens / rates.speed / 3600
    gpus = assumed.gpus if rates.gpus is None else rates.gpus
    return {
        **asdict(cost),
        "judge_tokens": cost.judge_prompt_tokens + cost.judge_new_tokens,
        "gpu_hours": 0.0 if gpus == 0 else None if hours is None or gpus is None else hours * gpus,
        "hours": hours,
    }


def _missing(assumed: Assumptions) -> dict[str, str]:
    """How to learn what is not known."""
    missing = {"verdicts": "fewer where answers are equal: they share a verdict"}
    if assumed.rates.answer is None:
        advice = "set --answer-tokens or forecast.answer_tokens, or --like RUN"
        missing["new_tokens"] = f"{assumed.max_new_tokens:,} an answer at most; {advice}"
    if assumed.unpriced:
        missing["dollars"] = f"unknown: set {' and '.join(assumed.unpriced)}"
    if assumed.rates.speed is None:
        advice = "unknown: set --tokens-per-second or forecast.tokens_per_second, or --like RUN"
        missing["hours"] = missing["gpu_hours"] = advice
    elif assumed.rates.gpus is None and assumed.gpus is None:
        missing["gpu_hours"] = "unknown: set forecast.gpus, or workers.count and workers.gpus_per_worker, or --like RUN"
    return missing
