"""What every judge must do. Subclass `JudgeKit` and give it a `make` fixture."""

import asyncio
import math
from collections.abc import Callable
from typing import ClassVar

import pytest

from configs.errors import DemosearchError, InputError
from evaluators.judge import Judge, Verdict
from evaluators.question import Question

MakeJudge = Callable[[], Judge]


class JudgeKit:
    """The tests, inherited.

    Attributes:
        questions: with everything this judge needs; at least two.
        lacking: a question without something it needs; None when there is no such thing.
        secret: text that no fingerprint may hold; "" when there is none.
        stays: whether its model lives in the event loop that it was started in.
    """

    questions: ClassVar[tuple[Question, ...]] = (
        Question("q1", ("What do bees make?",), "facts", ("Bees make honey.",)),
        Question("q2", ("What is {two} plus two?",), "math", ("Four, {of course}.",)),
    )
    lacking: ClassVar[Question | None] = None
    secret: ClassVar[str] = ""
    stays: ClassVar[bool] = False

    @pytest.fixture
    def make(self) -> MakeJudge:
        """Each call makes a judge of one and the same config."""
        raise NotImplementedError

    def test_judges_of_one_config_have_one_fingerprint(self, make: MakeJudge) -> None:
        assert _fingerprint(make()) == _fingerprint(make()) != ""

    def test_judging_leaves_the_fingerprint_alone(self, make: MakeJudge) -> None:
        async def scenario(judge: Judge) -> tuple[str, str]:
            await judge.start()
            before = judge.fingerprint
            await _verdicts(judge, [(self.questions[0], "Honey.")])
            return before, judge.fingerprint

        before, after = asyncio.run(scenario(make()))
        assert before == after

    def test_the_fingerprint_holds_no_secret(self, make: MakeJudge) -> None:
        if not self.secret:
            pytest.skip("this judge has no secret")
        assert self.secret not in _fingerprint(make())

    def test_an_answer_judged_twice_has_one_finite_score(self, make: MakeJudge) -> None:
        items = [(question, "It is {honey}.") for question in self.questions]
        first = asyncio.run(_verdicts(make(), items))
        assert first == asyncio.run(_verdicts(make(), items))
        assert all(math.isfinite(verdict.score) for verdict in first)

    def test_a_hundred_calls_at_once_each_get_their_own_verdict(self, make: MakeJudge) -> None:
        items = [(self.questions[i % len(self.questions)], f"answer {i // 4}") for i in range(100)]
        at_once = asyncio.run(_verdicts(make(), items))
        one_by_one = asyncio.run(_verdicts(make(), items, together=False))
        assert [verdict.score for verdict in at_once] == [verdict.score for verdict in one_by_one]

    def test_one_judge_serves_one_event_loop_after_another(self, make: MakeJudge) -> None:
        if self.stays:
            pytest.skip("this judge stays in the event loop of its model")
        judge, items = make(), [(self.questions[0], "Honey.")]
        first = asyncio.run(_verdicts(judge, items, close=False))
        assert asyncio.run(_verdicts(judge, items)) == first

    def test_empty_and_long_answers_get_a_verdict_too(self, make: MakeJudge) -> None:
        verdicts = asyncio.run(_verdicts(make(), [(self.questions[0], ""), (self.questions[0], "honey " * 2000)]))
        assert all(math.isfinite(verdict.score) for verdict in verdicts)

    def test_closing_twice_or_unused_is_fine(self, make: MakeJudge) -> None:
        async def scenario(judge: Judge) -> None:
            await judge.close()
            await judge.close()

        asyncio.run(scenario(make()))

    def test_closing_in_the_middle_ends_every_call_with_a_verdict_or_as_failed(self, make: MakeJudge) -> None:
        async def scenario(judge: Judge) -> list[Verdict | BaseException]:
            await judge.start()
            calls = [asyncio.create_task(judge.judge(self.questions[0], (f"answer {i}",))) for i in range(60)]
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            await judge.close()
            return await asyncio.gather(*calls, return_exceptions=True)

        outcomes = asyncio.run(scenario(make()))
        assert all(isinstance(outcome, Verdict | DemosearchError) for outcome in outcomes)

    def test_questions_with_all_it_needs_pass_the_check(self, make: MakeJudge) -> None:
        make().check(self.questions, [0])

    def test_a_question_that_lacks_what_it_needs_fails_the_check(self, make: MakeJudge) -> None:
        if self.lacking is None:
            pytest.skip("this judge needs nothing of a question")
        with pytest.raises(InputError):
            make().check([*self.questions, self.lacking], [0])


def _fingerprint(judge: Judge) -> str:
    async def scenario() -> str:
        await judge.start()
        try:
            return judge.fingerprint
        finally:
            await judge.close()

    return asyncio.run(scenario())


async def _verdicts(
    judge: Judge, items: list[tuple[Question, str]], together: bool = True, close: bool = True
) -> list[Verdict]:
    await judge.start()
    try:
        if together:
            return list(await asyncio.gather(*(judge.judge(question, (answer,)) for question, answer in items)))
        return [await judge.judge(question, (answer,)) for question, answer in items]
    finally:
        if close:
            await judge.close()
