"""Identical work is done once, failures are no scores, and everything told is on disk."""

import asyncio
from pathlib import Path

import pytest

from configs.errors import RunStopped
from evaluators.evaluation import Evaluation, Failure
from evaluators.evaluator import Evaluator
from evaluators.failures import JudgeFailed, JudgeRefused, VerdictUnreadable
from evaluators.judge import Verdict
from evaluators.ledger import Ledger, read_failures, read_spend
from evaluators.question import Question
from tests.fake_judge import FakeJudge
from tests.fakes import ScriptedModel
from workers.failures import GenerationFailed
from workers.prompt import Decoding, PromptBlock

QUESTIONS = [Question(f"q{number}", f"question {number}") for number in range(6)]
BLOCK = PromptBlock("rules ", tuple(question.query for question in QUESTIONS))
Results = list[Evaluation | Failure]


def make(ledger: Ledger, model: ScriptedModel, judge: FakeJudge) -> Evaluator:
    decoding = Decoding(max_new_tokens=50)
    return Evaluator(
        model=model, fingerprint="m", decoding=decoding, judge=judge, ledger=ledger, clean=lambda text: text.strip()
    )


def evaluate(folder: Path, model: ScriptedModel, judge: FakeJudge, *blocks: PromptBlock) -> list[Results]:
    async def scenario() -> list[Results]:
        ledger = Ledger(folder / "ledger", "run")
        evaluator = make(ledger, model, judge)
        try:
            return list(await asyncio.gather(*(evaluator.evaluate(block, QUESTIONS) for block in blocks)))
        finally:
            await evaluator.close()
            await ledger.close()

    return asyncio.run(scenario())


def test_results_come_in_the_order_of_the_questions(tmp_path: Path) -> None:
    (results,) = evaluate(tmp_path, ScriptedModel(), FakeJudge(), BLOCK)
    assert [result.question for result in results] == [question.id for question in QUESTIONS]
    assert all(isinstance(result, Evaluation) for result in results)


def test_what_the_ledger_knows_is_neither_generated_nor_judged_again(tmp_path: Path) -> None:
    first = evaluate(tmp_path, ScriptedModel(), FakeJudge(), BLOCK)
    model, judge = ScriptedModel(), FakeJudge()
    assert evaluate(tmp_path, model, judge, BLOCK) == first
    assert model.asked == []
    assert judge.calls == []


def test_identical_blocks_under_way_are_generated_and_judged_once(tmp_path: Path) -> None:
    model, judge = ScriptedModel(), FakeJudge()
    results = evaluate(tmp_path, model, judge, BLOCK, BLOCK, BLOCK)
    assert results[0] == results[1] == results[2]
    assert sum(len(block.suffixes) for block in model.asked) == len(QUESTIONS)
    assert len(judge.calls) == len(QUESTIONS)


def test_one_answer_to_one_question_is_judged_once_whatever_prompt_it_came_from(tmp_path: Path) -> None:
    judge = FakeJudge()
    evaluate(tmp_path, ScriptedModel(lambda _: "the same"), judge, BLOCK, PromptBlock("other rules ", BLOCK.suffixes))
    assert len(judge.calls) == len(QUESTIONS)
    assert read_spend(tmp_path / "ledger", "run").generated == 2 * len(QUESTIONS)


def test_a_lost_verdict_is_asked_for_again_without_generating(tmp_path: Path) -> None:
    failing = FakeJudge(failing={"q2": JudgeFailed("timeout")})
    (results,) = evaluate(tmp_path, ScriptedModel(), failing, BLOCK)
    assert results[2] == Failure("q2", "verdict", "JudgeFailed", "timeout")
    model, judge = ScriptedModel(), FakeJudge()
    (again,) = evaluate(tmp_path, model, judge, BLOCK)
    assert isinstance(again[2], Evaluation)
    assert model.asked == []
    assert len(judge.calls) == 1


def test_a_failure_is_never_kept_as_a_result(tmp_path: Path) -> None:
    failing = FakeJudge(failing={"q0": VerdictUnreadable("no rating in: well"), "q1": JudgeFailed("503")})
    evaluate(tmp_path, ScriptedModel(), failing, BLOCK)
    spend = read_spend(tmp_path / "ledger", "run")
    assert (spend.generated, spend.judged, spend.failed) == (6, 4, 2)
    assert {item.cause for item in read_failures(tmp_path / "ledger", "run")} == {"VerdictUnreadable", "JudgeFailed"}


def test_a_score_that_is_no_number_is_a_failure(tmp_path: Path) -> None:
    (results,) = evaluate(tmp_path, ScriptedModel(), FakeJudge(score=lambda *_: float("nan")), BLOCK)
    assert {result.cause for result in results if isinstance(result, Failure)} == {"VerdictUnreadable"}
    assert read_spend(tmp_path / "ledger", "run").judged == 0


def test_a_block_that_fails_keeps_the_completions_that_came_before(tmp_path: Path) -> None:
    def answer(prompt: str) -> str | Exception:
        return GenerationFailed("poison") if "question 3" in prompt else "fine"

    (results,) = evaluate(tmp_path, ScriptedModel(answer), FakeJudge(), BLOCK)
    assert [isinstance(result, Evaluation) for result in results] == [True, True, True, False, False, False]
    model = ScriptedModel(lambda _: "fine now")
    evaluate(tmp_path, model, FakeJudge(), BLOCK)
    assert [block.suffixes for block in model.asked] == [BLOCK.suffixes[3:]]


def test_the_judge_reads_the_cleaned_answer_and_the_ledger_keeps_the_words(tmp_path: Path) -> None:
    judge = FakeJudge()
    (results,) = evaluate(tmp_path, ScriptedModel(lambda _: "  padded  "), judge, BLOCK)
    assert isinstance(results[0], Evaluation)
    assert results[0].answer == "padded"


def test_a_refusing_judge_stops_the_run(tmp_path: Path) -> None:
    refusing = FakeJudge(failing={"q4": JudgeRefused("the key is revoked")})
    with pytest.raises(RunStopped, match="revoked"):
        evaluate(tmp_path, ScriptedModel(), refusing, BLOCK)
    assert read_spend(tmp_path / "ledger", "run").generated == len(QUESTIONS)


class SlowJudge(FakeJudge):
    """Has a verdict under way until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()
        self.asked = asyncio.Event()

    async def judge(self, question: Question, answer: str) -> Verdict:
        self.asked.set()
        await self.release.wait()
        return await super().judge(question, answer)


def test_a_verdict_under_way_when_the_search_is_stopped_is_kept(tmp_path: Path) -> None:
    async def scenario() -> None:
        ledger, judge = Ledger(tmp_path / "ledger", "run"), SlowJudge()
        evaluator = make(ledger, ScriptedModel(), judge)
        work = asyncio.create_task(evaluator.evaluate(BLOCK, QUESTIONS))
        await judge.asked.wait()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        judge.release.set()
        await evaluator.close()
        await ledger.close()

    asyncio.run(scenario())
    assert read_spend(tmp_path / "ledger", "run").judged >= 1


def test_a_follower_of_a_failed_block_fails_with_it_and_may_try_again(tmp_path: Path) -> None:
    attempts: list[str] = []

    def answer(prompt: str) -> str | Exception:
        attempts.append(prompt)
        return GenerationFailed("lost") if len(attempts) == 1 else "fine"

    first = evaluate(tmp_path, ScriptedModel(answer), FakeJudge(), BLOCK, BLOCK)
    assert all(isinstance(result, Failure) for results in first for result in results)
    (again,) = evaluate(tmp_path, ScriptedModel(lambda _: "fine"), FakeJudge(), BLOCK)
    assert all(isinstance(result, Evaluation) for result in again)


def test_completions_are_judged_while_their_block_still_generates(tmp_path: Path) -> None:
    judge = FakeJudge()
    order: list[str] = []

    async def pause() -> None:
        await asyncio.sleep(0)
        order.append(f"generated, {len(judge.calls)} judged")
        for _ in range(20):
            await asyncio.sleep(0.001)

    model = ScriptedModel()
    model.pause = pause
    evaluate(tmp_path, model, judge, BLOCK)
    assert order[-1] != "generated, 0 judged"


def test_every_completion_is_durable_before_it_is_told_even_when_its_verdict_was_known(tmp_path: Path) -> None:
    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        evaluator = make(ledger, ScriptedModel(lambda _: "the same"), FakeJudge())
        for number in range(5):  # from the second block on no verdict has to be written
            await evaluator.evaluate(PromptBlock(f"rules {number} ", BLOCK.suffixes), QUESTIONS)
            assert read_spend(tmp_path / "ledger", "run").generated == len(QUESTIONS) * (number + 1)
        await ledger.close()

    asyncio.run(scenario())


def test_a_block_asked_for_again_at_once_is_not_generated_again(tmp_path: Path) -> None:
    model = ScriptedModel()

    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        evaluator = make(ledger, model, FakeJudge())
        first = asyncio.create_task(evaluator.evaluate(BLOCK, QUESTIONS))
        for _ in range(1000):
            await asyncio.sleep(0)
            if evaluator.counts.generated == len(QUESTIONS):
                break
        await evaluator.evaluate(BLOCK, QUESTIONS)
        await first
        await ledger.close()

    asyncio.run(scenario())
    assert len(model.asked) == 1


def test_a_refusing_judge_ends_the_block_that_is_being_generated(tmp_path: Path) -> None:
    model = ScriptedModel()

    async def slowly() -> None:
        await asyncio.sleep(0.05)

    model.pause = slowly
    refusing = FakeJudge(failing={"q0": JudgeRefused("the key is revoked")})
    with pytest.raises(RunStopped, match="revoked"):
        evaluate(tmp_path, model, refusing, BLOCK)
    assert read_spend(tmp_path / "ledger", "run").generated < len(QUESTIONS)
