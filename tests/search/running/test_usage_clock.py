"""Time is noted while a run works, also while it only waits."""

import asyncio
from itertools import count
from pathlib import Path

import pytest

from configs.schema.scoring import BudgetConfig
from configs.schema.workers import WorkersConfig
from evaluators.failures import BudgetSpent
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import read_spend
from evaluators.pipeline.budget import Budget
from evaluators.utilization import Utilization
from search.running.usage_clock import gpus_each, time_kept, utilization_of
from workers.activity import WorkersActivity
from workers.text_model import ModelCard


def keep(folder: Path, limits: BudgetConfig, sessions: int = 1) -> None:
    """Work that only waits: 60 s at each look on the clock, on two GPUs."""

    async def scenario() -> None:
        ledger, ticks = Ledger(folder / "ledger", "run"), count(60, 60)
        now = 0.0

        def clock() -> float:
            nonlocal now
            now = float(next(ticks))
            return now

        keeping = time_kept(
            ledger=ledger,
            budget=Budget(limits, lambda: ledger.spend),
            utilization=lambda: Utilization(2 * now, now),
            clock=clock,
            every=0.001,
        )
        try:
            async with keeping:
                await asyncio.sleep(0.02 if limits == BudgetConfig() else 60)
        finally:
            await ledger.close()

    for _ in range(sessions):
        asyncio.run(scenario())


@pytest.mark.parametrize("limits", [BudgetConfig(hours=0.5), BudgetConfig(gpu_hours=1.0)])
def test_a_run_that_waits_ends_when_its_time_is_over(limits: BudgetConfig, tmp_path: Path) -> None:
    with pytest.raises(BudgetSpent):
        keep(tmp_path, limits)
    spend = read_spend(tmp_path / "ledger", "run")
    assert 1800 <= spend.seconds <= 1920
    assert spend.gpu_seconds == 2 * spend.seconds


def test_time_of_several_processes_adds_up(tmp_path: Path) -> None:
    keep(tmp_path, BudgetConfig())
    once = read_spend(tmp_path / "ledger", "run").seconds
    keep(tmp_path, BudgetConfig())
    assert read_spend(tmp_path / "ledger", "run").seconds > once >= 60


@pytest.mark.parametrize(
    ("device", "config", "gpus"),
    [
        ("cpu", WorkersConfig(), 0),
        ("cuda:0 NVIDIA H200", WorkersConfig(), 1),
        ("cuda:0 NVIDIA H200", WorkersConfig(gpus_per_worker=0.25), 0.25),
        ("cuda:0 NVIDIA H200 and cuda:1 NVIDIA H200", WorkersConfig(kind="local"), 2),
    ],
)
def test_a_worker_holds_the_gpus_it_was_given(device: str, config: WorkersConfig, gpus: float) -> None:
    each = gpus_each(ModelCard("m", 100, device), config)
    assert each == gpus
    utilization = utilization_of(WorkersActivity(seconds_alive=10.0, seconds_busy=4.0), each)
    assert utilization == Utilization(10 * gpus, 4 * gpus, 10.0, 4.0)
