"""Identical work is done once, failures are no scores, and everything told is on disk."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from configs.errors import RunStopped
from evaluators.counts import Counts
from evaluators.evaluation import Evaluation, Failure
from evaluators.failures import JudgeFailed, VerdictUnreadable
from evaluators.judge import Verdict
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import read_failures, read_spend
from evaluators.objective import Objective
from evaluators.pipeline.evaluator import Render
from evaluators.question import Question
from tests.fake_judge import FakeJudge
from tests.fakes import ScriptedModel
from tests.plain_evaluator import GREEDY, plain_evaluator
from workers.failures import GenerationFailed
from workers.prompt import PromptBlock

QUESTIONS = [Question(f"q{number}", (f"question {number}",)) for number in range(6)]
Results = list[Evaluation | Failure]


def behind(prefix: str) -> Render:
    """A conversation is spelled word by word, with a slash between."""
    return lambda conversations: PromptBlock(prefix, tuple(" / ".join(words) for words in conversations))


RULES = behind("rules ")


def evaluate(folder: Path, model: ScriptedModel, judge: FakeJudge, *renders: Render, **more: Any) -> list[Results]:
    questions = more.pop("questions", QUESTIONS)

    async def scenario() -> list[Results]:
        ledger = Ledger(folder / "ledger", "run")
        wiring, evaluator = plain_evaluator(ledger, model, judge, **more)
        try:
            return list(await asyncio.gather(*(evaluator.evaluate(render, questions, GREEDY) for render in renders)))
        finally:
            await wiring.close_judges()
            await ledger.close()

    return asyncio.run(scenario())


def test_results_come_in_the_order_of_the_questions(tmp_path: Path) -> None:
    (results,) = evaluate(tmp_path, ScriptedModel(), FakeJudge(), RULES)
    assert [result.question for result in results] == [question.id for question in QUESTIONS]
    assert all(isinstance(result, Evaluation) for result in results)


def test_what_the_ledger_knows_is_neither_generated_nor_judged_again(tmp_path: Path) -> None:
    first = evaluate(tmp_path, ScriptedModel(), FakeJudge(), RULES)
    model, judge = ScriptedModel(), FakeJudge()
    assert evaluate(tmp_path, model, judge, RULES) == first
    assert model.asked == []
    assert judge.calls == []


def test_identical_blocks_under_way_are_generated_and_judged_once(tmp_path: Path) -> None:
    model, judge = ScriptedModel(), FakeJudge()
    results = evaluate(tmp_path, model, judge, RULES, RULES, RULES)
    assert results[0] == results[1] == results[2]
    assert sum(len(block.suffixes) for block in model.asked) == len(QUESTIONS)
    assert len(judge.calls) == len(QUESTIONS)


def test_two_questions_that_ask_the_same_are_generated_once(tmp_path: Path) -> None:
    model, twins = ScriptedModel(), [Question("q1", ("the same",)), Question("q2", ("the same",))]
    (results,) = evaluate(tmp_path, model, FakeJudge(), RULES, questions=twins)
    assert all(isinstance(result, Evaluation) for result in results)
    assert [len(block.suffixes) for block in model.asked] == [1]


def test_one_answer_to_one_question_is_judged_once_whatever_prompt_it_came_from(tmp_path: Path) -> None:
    judge = FakeJudge()
    evaluate(tmp_path, ScriptedModel(lambda _: "the same"), judge, RULES, behind("other rules "))
    assert len(judge.calls) == len(QUESTIONS)
    assert read_spend(tmp_path / "ledger", "run").generated == 2 * len(QUESTIONS)


def test_a_lost_verdict_is_asked_for_again_without_generating(tmp_path: Path) -> None:
    failing = FakeJudge(failing={"q2": JudgeFailed("timeout")})
    (results,) = evaluate(tmp_path, ScriptedModel(), failing, RULES)
    assert results[2] == Failure("q2", "verdict", "JudgeFailed", "timeout")
    model, judge = ScriptedModel(), FakeJudge()
    (again,) = evaluate(tmp_path, model, judge, RULES)
    assert isinstance(again[2], Evaluation)
    assert model.asked == []
    assert len(judge.calls) == 1


def test_a_failure_is_never_kept_as_a_result(tmp_path: Path) -> None:
    failing = FakeJudge(failing={"q0": VerdictUnreadable("no rating in: well"), "q1": JudgeFailed("503")})
    evaluate(tmp_path, ScriptedModel(), failing, RULES)
    spend = read_spend(tmp_path / "ledger", "run")
    assert (spend.generated, spend.judged, spend.failed) == (6, 4, 2)
    assert {item.cause for item in read_failures(tmp_path / "ledger", "run")} == {"VerdictUnreadable", "JudgeFailed"}


def test_a_score_that_is_no_number_is_a_failure(tmp_path: Path) -> None:
    (results,) = evaluate(tmp_path, ScriptedModel(), FakeJudge(score=lambda *_: float("nan")), RULES)
    assert {result.cause for result in results if isinstance(result, Failure)} == {"VerdictUnreadable"}
    assert read_spend(tmp_path / "ledger", "run").judged == 0


def test_a_block_that_fails_keeps_the_completions_that_came_before(tmp_path: Path) -> None:
    def answer(prompt: str) -> str | Exception:
        return GenerationFailed("poison") if "question 3" in prompt else "fine"

    (results,) = evaluate(tmp_path, ScriptedModel(answer), FakeJudge(), RULES)
    assert [isinstance(result, Evaluation) for result in results] == [True, True, True, False, False, False]
    model = ScriptedModel(lambda _: "fine now")
    evaluate(tmp_path, model, FakeJudge(), RULES)
    assert [block.suffixes for block in model.asked] == [tuple(question.query for question in QUESTIONS[3:])]


def test_the_judge_reads_the_cleaned_answer_and_the_ledger_keeps_the_words(tmp_path: Path) -> None:
    judge = FakeJudge()
    (results,) = evaluate(tmp_path, ScriptedModel(lambda _: "  padded  "), judge, RULES)
    assert isinstance(results[0], Evaluation)
    assert results[0].answers == ("padded",)


def test_a_refusing_judge_stops_the_run(tmp_path: Path) -> None:
    refusing = FakeJudge(failing={"q4": RunStopped("the key is revoked")})
    with pytest.raises(RunStopped, match="revoked"):
        evaluate(tmp_path, ScriptedModel(), refusing, RULES)
    assert read_spend(tmp_path / "ledger", "run").generated == len(QUESTIONS)


def test_thousands_of_questions_are_stopped_and_go_on_without_one_being_asked_twice(tmp_path: Path) -> None:
    many = [Question(f"q{number}", (f"question {number}",)) for number in range(1300)]
    (undisturbed,) = evaluate(tmp_path / "whole", ScriptedModel(), FakeJudge(), RULES, questions=many)
    stopping = FakeJudge(failing={"q700": RunStopped("the key is revoked")})
    with pytest.raises(RunStopped, match="revoked"):
        evaluate(tmp_path / "stopped", ScriptedModel(), stopping, RULES, questions=many)
    durable, model = read_spend(tmp_path / "stopped" / "ledger", "run").generated, ScriptedModel()
    (resumed,) = evaluate(tmp_path / "stopped", model, FakeJudge(), RULES, questions=many)
    assert resumed == undisturbed
    assert durable > 0
    assert sum(len(block.suffixes) for block in model.asked) == len(many) - durable


class SlowJudge(FakeJudge):
    """Has a verdict under way until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()
        self.asked = asyncio.Event()

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:
        self.asked.set()
        await self.release.wait()
        return await super().judge(question, answers, repeat)


@pytest.mark.parametrize("told_to_end", [False, True])
def test_a_verdict_under_way_when_the_search_is_stopped_is_kept(tmp_path: Path, told_to_end: bool) -> None:
    async def scenario() -> None:
        ledger, judge = Ledger(tmp_path / "ledger", "run"), SlowJudge()
        wiring, evaluator = plain_evaluator(ledger, ScriptedModel(), judge)
        work = asyncio.create_task(evaluator.evaluate(RULES, QUESTIONS, GREEDY))
        await judge.asked.wait()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        closing = asyncio.create_task(wiring.close_judges())
        for _ in range(10):  # steps: until it can but wait for the verdict
            await asyncio.sleep(0)
        if told_to_end:
            closing.cancel()
            await asyncio.sleep(0)
        judge.release.set()
        await asyncio.gather(closing, return_exceptions=True)
        await ledger.close()

    asyncio.run(scenario())
    assert read_spend(tmp_path / "ledger", "run").judged >= 1


def test_a_follower_of_a_failed_block_fails_with_it_and_may_try_again(tmp_path: Path) -> None:
    attempts: list[str] = []

    def answer(prompt: str) -> str | Exception:
        attempts.append(prompt)
        return GenerationFailed("lost") if len(attempts) == 1 else "fine"

    first = evaluate(tmp_path, ScriptedModel(answer), FakeJudge(), RULES, RULES)
    assert all(isinstance(result, Failure) for results in first for result in results)
    (again,) = evaluate(tmp_path, ScriptedModel(lambda _: "fine"), FakeJudge(), RULES)
    assert all(isinstance(result, Evaluation) for result in again)


def test_completions_are_judged_while_their_block_still_generates(tmp_path: Path) -> None:
    judge = FakeJudge()
    order: list[str] = []

    async def pause() -> None:
        await asyncio.sleep(0)
        order.append(f"generated, {len(judge.calls)} judged")
        for _ in range(5000):  # the second waits for the first one's verdict
            if judge.calls or len(order) == 1:
                break
            await asyncio.sleep(0.001)

    model = ScriptedModel()
    model.pause = pause
    evaluate(tmp_path, model, judge, RULES)
    assert order[-1] != "generated, 0 judged"


def test_every_completion_is_durable_before_it_is_told_even_when_its_verdict_was_known(tmp_path: Path) -> None:
    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        _, evaluator = plain_evaluator(ledger, ScriptedModel(lambda _: "the same"), FakeJudge())
        for number in range(5):  # from the second block on no verdict has to be written
            await evaluator.evaluate(behind(f"rules {number} "), QUESTIONS, GREEDY)
            assert read_spend(tmp_path / "ledger", "run").generated == len(QUESTIONS) * (number + 1)
        await ledger.close()

    asyncio.run(scenario())


def test_a_block_asked_for_again_at_once_is_not_generated_again(tmp_path: Path) -> None:
    model = ScriptedModel()

    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        _, evaluator = plain_evaluator(ledger, model, FakeJudge())
        first = asyncio.create_task(evaluator.evaluate(RULES, QUESTIONS, GREEDY))
        for _ in range(1000):
            await asyncio.sleep(0)
            if evaluator.counts.generated == len(QUESTIONS):
                break
        await evaluator.evaluate(RULES, QUESTIONS, GREEDY)
        await first
        await ledger.close()

    asyncio.run(scenario())
    assert len(model.asked) == 1


def test_a_refusing_judge_ends_the_block_that_is_being_generated(tmp_path: Path) -> None:
    model = ScriptedModel()

    async def slowly() -> None:
        await asyncio.sleep(0.05)

    model.pause = slowly
    refusing = FakeJudge(failing={"q0": RunStopped("the key is revoked")})
    with pytest.raises(RunStopped, match="revoked"):
        evaluate(tmp_path, model, refusing, RULES)
    assert read_spend(tmp_path / "ledger", "run").generated < len(QUESTIONS)


BOTH = Objective((1.0, 1.0))
TALKS = [Question(f"q{number}", (f"first {number}", f"second {number}")) for number in range(4)]


def told(prompt: str) -> str:
    return f"said to {prompt.rsplit(' / ', maxsplit=1)[-1]}"


def test_the_second_turn_is_asked_behind_the_first_answer(tmp_path: Path) -> None:
    model = ScriptedModel(told)
    (results,) = evaluate(tmp_path, model, FakeJudge(), RULES, objective=BOTH, questions=TALKS)
    assert [block.prefix for block in model.asked] == ["rules ", "rules "]
    assert model.asked[1].suffixes[0] == "first 0 / said to rules first 0 / second 0"
    assert isinstance(results[0], Evaluation)
    assert results[0].answers == ("said to rules first 0", "said to second 0")


def test_the_objective_is_the_weighted_mean_of_the_turns_that_count(tmp_path: Path) -> None:
    def score(_: Question, answer: str) -> float:
        return 8.0 if "second" in answer else 2.0

    found = {}
    for name, weights in (("mean", (1.0, 1.0)), ("late", (0.0, 1.0)), ("weighed", (1.0, 3.0))):
        judge = FakeJudge(score)
        (results,) = evaluate(
            tmp_path / name, ScriptedModel(told), judge, RULES, objective=Objective(weights), questions=TALKS
        )
        assert isinstance(results[0], Evaluation)
        found[name] = results[0].scores, results[0].score, len(judge.calls)
    assert found == {
        "mean": ((2.0, 8.0), 5.0, 8),
        "late": ((None, 8.0), 8.0, 4),
        "weighed": ((2.0, 8.0), 6.5, 8),
    }


def test_a_question_without_a_second_turn_is_scored_by_its_first(tmp_path: Path) -> None:
    questions = [TALKS[0], Question("short", ("only this",))]
    (results,) = evaluate(tmp_path, ScriptedModel(told), FakeJudge(), RULES, objective=BOTH, questions=questions)
    assert isinstance(results[1], Evaluation)
    assert len(results[1].answers) == 1
    assert results[1].score == results[1].scores[0]


def test_a_failed_first_turn_has_no_second(tmp_path: Path) -> None:
    def answer(prompt: str) -> str | Exception:
        return GenerationFailed("poison") if prompt.endswith("first 3") else "fine"

    model = ScriptedModel(answer)
    (results,) = evaluate(tmp_path, model, FakeJudge(), RULES, objective=BOTH, questions=TALKS)
    assert isinstance(results[3], Failure)
    assert len(model.asked[1].suffixes) == 3


def test_a_second_turn_without_room_fails_alone(tmp_path: Path) -> None:
    def answer(prompt: str) -> str:
        return "word " * (60 if prompt.endswith("first 2") else 1)

    model = ScriptedModel(answer, context_tokens=100)
    (results,) = evaluate(tmp_path, model, FakeJudge(), RULES, objective=BOTH, questions=TALKS, context=100)
    failures = [result for result in results if isinstance(result, Failure)]
    assert [(failure.question, failure.cause) for failure in failures] == [("q2", "ConversationTooLong")]
    assert read_failures(tmp_path / "ledger", "run") == failures


def test_every_question_is_through_once_however_many_turns_it_has_and_however_it_ends(tmp_path: Path) -> None:
    def answer(prompt: str) -> str | Exception:
        return GenerationFailed("poison") if prompt.endswith("first 3") else told(prompt)

    async def scenario(model: ScriptedModel, judge: FakeJudge) -> Counts:
        ledger = Ledger(tmp_path / "ledger", "run")
        _, evaluator = plain_evaluator(ledger, model, judge, objective=BOTH)
        await evaluator.evaluate(RULES, [Question("short", ("only this",)), *TALKS], GREEDY)
        await ledger.close()
        return evaluator.counts

    for known in (0, 7):
        counts = asyncio.run(scenario(ScriptedModel(answer), FakeJudge()))
        assert (counts.evaluated, counts.reused, counts.failed) == (5, known, 1)
        assert counts.causes == {"GenerationFailed": 1}
        assert counts.waiting == 0
        assert counts.waits.seconds > 0 if not known else counts.waits.seconds == 0


def test_conversations_that_cannot_be_counted_are_put_to_the_model_all_the_same(tmp_path: Path) -> None:
    class Countless(ScriptedModel):
        async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
            raise GenerationFailed("the server is busy")

    (results,) = evaluate(tmp_path, Countless(told), FakeJudge(), RULES, objective=BOTH, questions=TALKS)
    assert all(isinstance(result, Evaluation) for result in results)


def test_both_turns_come_from_the_ledger_the_second_time(tmp_path: Path) -> None:
    first = evaluate(tmp_path, ScriptedModel(told), FakeJudge(), RULES, objective=BOTH, questions=TALKS)
    model, judge = ScriptedModel(told), FakeJudge()
    assert evaluate(tmp_path, model, judge, RULES, objective=BOTH, questions=TALKS) == first
    assert (model.asked, judge.calls) == ([], [])


def test_the_second_turn_is_generated_while_the_first_is_judged(tmp_path: Path) -> None:
    async def scenario() -> None:
        ledger, judge, model = Ledger(tmp_path / "ledger", "run"), SlowJudge(), ScriptedModel(told)
        wiring, evaluator = plain_evaluator(ledger, model, judge, objective=BOTH)
        work = asyncio.create_task(evaluator.evaluate(RULES, TALKS, GREEDY))
        for _ in range(1000):
            await asyncio.sleep(0.001)
            if evaluator.counts.generated == 2 * len(TALKS):
                break
        assert evaluator.counts.generated == 2 * len(TALKS)
        assert evaluator.counts.judged == 0
        judge.release.set()
        await work
        await wiring.close_judges()
        await ledger.close()

    asyncio.run(scenario())


def test_questions_that_wait_for_their_answers_have_no_task_each(tmp_path: Path) -> None:
    model, at_once = ScriptedModel(), list[int]()

    async def count_tasks() -> None:
        await asyncio.sleep(0)
        at_once.append(len(asyncio.all_tasks()))

    model.pause = count_tasks
    many = [Question(f"q{number}", (f"question {number}",)) for number in range(300)]
    (results,) = evaluate(tmp_path, model, FakeJudge(), RULES, questions=many)
    assert len(results) == 300
    assert at_once[0] < 10


def test_two_questions_with_one_prompt_share_its_answer(tmp_path: Path) -> None:
    model = ScriptedModel()
    twins = [Question(name, ("the same question",)) for name in ("first", "second")]
    (results,) = evaluate(tmp_path, model, FakeJudge(), RULES, questions=twins)
    first, second = results
    assert isinstance(first, Evaluation)
    assert isinstance(second, Evaluation)
    assert first.answers == second.answers
    assert (first.question, second.question) == ("first", "second")
    assert sum(len(block.suffixes) for block in model.asked) == 1
