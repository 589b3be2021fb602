"""A prompt is paid for once it is sent: its answer is kept, however the run ends."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from configs.errors import RunStopped
from configs.schema.model import ServedModelConfig
from configs.schema.scoring import BudgetConfig
from evaluators.failures import BudgetSpent
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import read_failures, read_spend
from evaluators.pipeline.evaluator import Evaluator
from evaluators.question import Question
from tests.fake_judge import FakeJudge
from tests.plain_evaluator import GREEDY, plain_evaluator
from tests.service_server import Reaction, Request, ServiceServer, page
from workers.prompt import PromptBlock
from workers.served_model.model import ServedModel

QUESTIONS = [Question(f"q{number}", (f"question {number}",)) for number in range(12)]


def _answer(request: Request) -> Reaction:
    """The first question is answered when eight are under way, the others later."""
    first = request["prompt"].endswith("question 0")
    said = {"text": "fine", "finish_reason": "stop"}
    told = page({"choices": [said], "usage": {"prompt_tokens": 3, "completion_tokens": 1}})
    return Reaction(told.body, gather=8, seconds=0.0 if first else 0.2)


def _evaluate(server: ServiceServer, folder: Path, limit: int | None, meanwhile: Callable[[Evaluator], bool]) -> None:
    service = {"model": "m", "base_url": server.base_url, "api_key_variable": None, "max_retries": 0, "timeout": 20}
    config = {"engine": "served", "service": service, "server": "openai", "context_tokens": 4096, "warm_prefix": False}

    async def scenario() -> None:
        ledger = Ledger(folder / "ledger", "run")
        model = ServedModel(ServedModelConfig.model_validate(config))
        limits = BudgetConfig(generations=limit)
        wiring, evaluator = plain_evaluator(ledger, model, FakeJudge(), limits=limits, price=lambda _: 0.0)
        work = asyncio.create_task(
            evaluator.evaluate(lambda asked: PromptBlock("", tuple(one[0] for one in asked)), QUESTIONS, GREEDY)
        )
        try:
            while not work.done() and not meanwhile(evaluator):  # noqa: ASYNC110 -- it looks at counts
                await asyncio.sleep(0.005)
            work.cancel()
            await work
        finally:
            await wiring.close_judges()
            await ledger.close()
            await model.close()

    asyncio.run(scenario())


@pytest.fixture
def server() -> "ServiceServer":
    return ServiceServer(_answer, pages=lambda method, path, body: page({"data": []}) if path == "/v1/models" else None)


def test_what_was_sent_when_the_run_is_stopped_is_kept(server: ServiceServer, tmp_path: Path) -> None:
    with server, pytest.raises(asyncio.CancelledError):
        _evaluate(server, tmp_path, None, lambda evaluator: evaluator.counts.generated > 0)
    assert 8 <= len(server.requests) < len(QUESTIONS)
    assert read_spend(tmp_path / "ledger", "run").generated == len(server.requests)
    assert read_failures(tmp_path / "ledger", "run") == []


def test_what_was_sent_when_the_budget_is_spent_is_kept_and_the_reason_told(
    server: ServiceServer, tmp_path: Path
) -> None:
    with server, pytest.raises(RunStopped) as stopped:
        _evaluate(server, tmp_path, 1, lambda _: False)
    assert type(stopped.value) is BudgetSpent
    assert 8 <= len(server.requests) < len(QUESTIONS)
    assert read_spend(tmp_path / "ledger", "run").generated == len(server.requests)


def _moody(request: Request) -> Reaction:
    """The fourth question meets a filter; nobody counts the tokens of the fifth."""
    finish = "content_filter" if request["prompt"].endswith("question 3") else "stop"
    usage = {"usage": {"prompt_tokens": 30, "completion_tokens": 2}} if not request["prompt"].endswith("4") else {}
    return page({"choices": [{"text": "fine", "finish_reason": finish}], **usage})


def test_an_answer_that_cannot_be_used_is_in_the_spend_and_an_estimate_is_called_one(tmp_path: Path) -> None:
    models = ServiceServer(
        _moody, pages=lambda method, path, body: page({"data": []}) if path == "/v1/models" else None
    )
    with models as server:
        _evaluate(server, tmp_path, None, lambda _: False)
    spend = read_spend(tmp_path / "ledger", "run")
    assert (spend.generated, spend.failed) == (len(QUESTIONS) - 1, 1)
    assert spend.prompt_tokens == 30 * (len(QUESTIONS) - 1) + 3
    assert spend.estimated == 1
