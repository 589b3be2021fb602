"""Limits on what a run may cost: before each block and each verdict it is asked whether there is room."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from configs.errors import RunStopped
from configs.schema.scoring import BudgetConfig
from evaluators.failures import BudgetSpent
from evaluators.ledger.spend import Spend

QUANTITIES = {
    "generations": "generations",
    "verdicts": "verdicts",
    "judge_calls": "judge calls",
    "judge_tokens": "judge tokens",
    "dollars": "dollars",
    "gpu_hours": "GPU hours",
    "hours": "hours",
}
"""What can be limited: the knob's name, and what it is called."""

_CLOCK = ("gpu_hours", "hours")


def spent_by_quantity(spend: Spend) -> dict[str, float | None]:
    """What was spent of each limited quantity; None where it is not known."""
    return {
        "generations": spend.generated,
        "verdicts": spend.judged,
        "judge_calls": spend.judge.calls,
        "judge_tokens": spend.judge.prompt_tokens + spend.judge.new_tokens,
        "dollars": spend.dollars,
        "gpu_hours": spend.gpu_seconds / 3600,
        "hours": spend.seconds / 3600,
    }


class Budget:
    """The limits of a config against what the ledger says was spent, by this process and by earlier ones.

    Verdicts never exceed their limit, since those under way are counted. Generations may exceed theirs by one for each
    block under way, those of a model that is paid for by what was sent; calls, tokens and dollars, which are known only
    afterwards, by what was under way.

    Args:
        spend: what the run has paid for up to now.
    """

    def __init__(self, config: BudgetConfig, spend: Callable[[], Spend]) -> None:
        self._limits = {name: limit for name in QUANTITIES if (limit := getattr(config, name)) is not None}
        self._judge_limits = {name: limit for name, limit in self._limits.items() if name != "generations"}
        self._spend = spend
        self._judging = 0

    @property
    def limits(self) -> Mapping[str, float]:
        """Limits by quantity; only those that are set."""
        return self._limits

    def spent(self) -> dict[str, float | None]:
        """What is spent of each quantity, limited or not; None where it is not known."""
        return spent_by_quantity(self._spend())

    def check(self) -> None:
        """Raises BudgetSpent where a limit is reached."""
        self._check(self._limits)

    def check_clock(self) -> None:
        """Do what `check` does for the limits on time alone, which are reached without anything new being asked for."""
        self._check({name: self._limits[name] for name in _CLOCK if name in self._limits})

    def _check(self, limits: dict[str, float]) -> None:
        if not limits:
            return
        spent = self.spent()
        under_way = {"verdicts": self._judging, "judge_calls": self._judging}
        for name, limit in limits.items():
            used = spent[name]
            if used is None:
                raise RunStopped(
                    "some calls were made without prices, so the dollars spent are not known: go on without "
                    "budget.dollars (`--set budget.dollars=null`), and limit budget.judge_calls instead"
                )
            if used + under_way.get(name, 0) >= limit:
                raise BudgetSpent(
                    f"the budget of {limit:,g} {QUANTITIES[name]} is spent, and everything is kept: go on with a "
                    f"larger one (`--set budget.{name}=...`)"
                )

    @contextmanager
    def judging(self) -> Iterator[None]:
        """Count a verdict as under way. Raises BudgetSpent instead of beginning one beyond a limit; that on generations
        is none for the verdicts on them."""
        self._check(self._judge_limits)
        self._judging += 1
        try:
            yield
        finally:
            self._judging -= 1
