"""A judge without ratings ends a run early; a model without words is told of aloud."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from configs.errors import RunStopped
from evaluators.evaluation import Evaluation, Failure
from evaluators.failures import VerdictUnreadable
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import read_spend
from evaluators.question import Question
from tests.fake_judge import FakeJudge
from tests.fakes import ScriptedModel
from tests.plain_evaluator import GREEDY, plain_evaluator
from workers.prompt import Decoding, PromptBlock
from workers.usage import Usage

QUESTIONS = [Question(f"q{number:02}", (f"question {number}",)) for number in range(20)]


def evaluate(
    folder: Path, judge: FakeJudge, model: ScriptedModel | None = None, decoding: Decoding = GREEDY
) -> list[Evaluation | Failure]:
    async def scenario() -> list[Evaluation | Failure]:
        ledger = Ledger(folder / "ledger", "run")
        wiring, evaluator = plain_evaluator(ledger, model or ScriptedModel(), judge)
        await wiring.start_judges()
        try:
            return await evaluator.evaluate(
                lambda asked: PromptBlock("rules ", tuple(one[0] for one in asked)), QUESTIONS, decoding
            )
        finally:
            await wiring.close_judges()
            await ledger.close()

    return asyncio.run(scenario())


def mumbling(chosen: Callable[[int], bool]) -> Mapping[str, Exception]:
    return {
        one.id: VerdictUnreadable(f"no rating in: 'mumble {number}'", Usage(calls=3))
        for number, one in enumerate(QUESTIONS)
        if chosen(number)
    }


def test_a_judge_whose_first_verdicts_are_all_unreadable_stops_the_run_with_samples(tmp_path: Path) -> None:
    judge = FakeJudge(failing=mumbling(lambda _: True))
    with pytest.raises(RunStopped, match="not given a single rating in its first 8 verdicts") as stopped:
        evaluate(tmp_path, judge)
    assert str(stopped.value).count("mumble") == 3
    assert read_spend(tmp_path / "ledger", "run").judge.calls == 3 * len(judge.calls)


def test_a_judge_that_has_rated_before_is_asked_on_where_its_next_verdicts_cannot_be_read(tmp_path: Path) -> None:
    silent = mumbling(lambda number: number >= 10)
    for _ in range(2):  # the second time, only those that it cannot rate are asked for
        results = evaluate(tmp_path, FakeJudge(failing=silent))
        assert [one.question for one in results if isinstance(one, Failure)] == [*silent]


def test_one_rating_among_the_first_verdicts_is_enough_to_go_on(tmp_path: Path) -> None:
    results = evaluate(tmp_path, FakeJudge(failing=mumbling(lambda number: number != 3)))
    assert [isinstance(one, Evaluation) for one in results].count(True) == 1


def test_other_failures_of_a_judge_are_no_reason_to_stop(tmp_path: Path) -> None:
    results = evaluate(tmp_path, FakeJudge(failing=mumbling(lambda number: number % 2 == 0)))
    assert [isinstance(one, Failure) for one in results].count(True) == 10


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_a_model_that_says_nothing_is_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    evaluate(tmp_path, FakeJudge(), ScriptedModel(lambda _: " "))
    (warning,) = warnings(caplog)
    assert "the first 8 completions are empty" in warning


def test_a_decoding_that_says_nothing_is_told_of_although_another_speaks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = ScriptedModel(lambda _: "", sampled="fine")
    evaluate(tmp_path, FakeJudge(), model, replace(GREEDY, temperature=0.5))
    assert warnings(caplog) == []
    evaluate(tmp_path, FakeJudge(), model)
    (warning,) = warnings(caplog)
    assert "temperature=0.0" in warning


def test_a_model_that_falls_silent_later_is_its_own_affair(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    evaluate(tmp_path, FakeJudge(), ScriptedModel(lambda prompt: "fine" if "question 7" in prompt else ""))
    assert warnings(caplog) == []
