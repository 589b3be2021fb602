"""A limit stops a run cleanly, whatever it limits."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from configs.errors import RunStopped
from configs.schema.scoring import BudgetConfig
from evaluators.evaluation import Evaluation
from evaluators.failures import BudgetSpent
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import read_spend
from evaluators.ledger.spend import Spend
from evaluators.pipeline.budget import Budget
from evaluators.question import Question
from tests.fake_judge import FakeJudge
from tests.fakes import ScriptedModel
from tests.plain_evaluator import GREEDY, plain_evaluator
from workers.prompt import PromptBlock
from workers.usage import Usage

SPENT = Spend(
    generated=10,
    judged=8,
    judge=Usage(calls=9, prompt_tokens=700, new_tokens=300, dollars=0.5),
    dollars=0.75,
    seconds=1800.0,
    gpu_seconds=7200.0,
)
LIMITS = {
    "generations": 10,
    "verdicts": 8,
    "judge_calls": 9,
    "judge_tokens": 1000,
    "dollars": 0.75,
    "gpu_hours": 2.0,
    "hours": 0.5,
}
QUESTIONS = [Question(f"q{number}", (f"question {number}",)) for number in range(12)]


def budget(limits: dict[str, float], spend: Spend = SPENT) -> Budget:
    return Budget(BudgetConfig.model_validate(limits), lambda: spend)


@pytest.mark.parametrize("knob", LIMITS)
def test_a_limit_that_is_reached_says_how_to_go_on(knob: str) -> None:
    with pytest.raises(BudgetSpent, match=rf"everything is kept: .* larger one \(`--set budget\.{knob}=\.\.\.`\)"):
        budget({knob: LIMITS[knob]}).check()


@pytest.mark.parametrize("knob", LIMITS)
def test_below_a_limit_nothing_stops(knob: str) -> None:
    above = LIMITS[knob] + (1 if isinstance(LIMITS[knob], int) else 0.01)
    budget({knob: above}).check()
    with budget({knob: above}).judging():
        pass


def test_only_time_runs_out_while_nothing_is_asked_for() -> None:
    budget({name: limit for name, limit in LIMITS.items() if "hours" not in name}).check_clock()
    for name in ("hours", "gpu_hours"):
        with pytest.raises(BudgetSpent, match=name):
            budget({name: LIMITS[name]}).check_clock()


def test_verdicts_under_way_count_against_the_limit() -> None:
    limited = budget({"verdicts": 10})
    with limited.judging(), limited.judging(), pytest.raises(BudgetSpent), limited.judging():
        pass
    with limited.judging():
        pass


def test_a_limit_in_dollars_is_not_ignored_where_dollars_are_not_known() -> None:
    with pytest.raises(RunStopped, match=r"--set budget\.dollars=null"):
        budget({"dollars": 1.0}, replace(SPENT, dollars=None)).check()


def evaluate(folder: Path, limits: dict[str, int]) -> int:
    async def scenario() -> int:
        ledger = Ledger(folder / "ledger", "run")
        config = BudgetConfig.model_validate(limits)
        wiring, evaluator = plain_evaluator(ledger, ScriptedModel(), FakeJudge(), limits=config)
        try:
            results = await evaluator.evaluate(
                lambda asked: PromptBlock("rules ", tuple(one[0] for one in asked)), QUESTIONS, GREEDY
            )
            return sum(isinstance(one, Evaluation) for one in results)
        finally:
            await wiring.close_judges()
            await ledger.close()

    return asyncio.run(scenario())


@pytest.mark.parametrize("knob", ["generations", "verdicts", "judge_calls"])
def test_a_block_stops_at_the_limit_and_a_larger_one_pays_for_the_rest_alone(knob: str, tmp_path: Path) -> None:
    with pytest.raises(BudgetSpent):
        evaluate(tmp_path, {knob: 5})
    spend = read_spend(tmp_path / "ledger", "run")
    assert {"generations": spend.generated, "verdicts": spend.judged, "judge_calls": spend.judge.calls}[knob] == 5
    assert evaluate(tmp_path, {knob: 12}) == 12
    spend = read_spend(tmp_path / "ledger", "run")
    assert (spend.generated, spend.judged) == (12, 12)


def test_a_limit_of_exactly_what_is_needed_stops_nothing(tmp_path: Path) -> None:
    assert evaluate(tmp_path, {"generations": 12, "verdicts": 12}) == 12
