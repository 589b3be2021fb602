import asyncio
from functools import partial

import pytest

from evaluators.failures import JudgeFailed
from evaluators.judge import Verdict
from evaluators.judges.reward_model import RewardModelJudge
from evaluators.question import Question
from tests.fakes import FAILS, EchoRewardEngine, reward
from tests.kits.judge_kit import JudgeKit, MakeJudge
from tests.plain_chat import plain_chat
from workers.local_worker import LocalWorker
from workers.prompt import PAIR

TALK = Question("q", ("What do {bees} make?", "For whom?"))
CHAT = "<user> What do {bees} make? </user>\n<assistant> Honey. </assistant>\n"


def _judge(reads: str = "chat", fingerprint: str = "echo 1", context_tokens: int = 4096) -> RewardModelJudge:
    template = plain_chat() if reads == "chat" else None
    return RewardModelJudge(LocalWorker(partial(EchoRewardEngine, fingerprint, context_tokens)), template)


def _outcomes(judge: RewardModelJudge, *answers: str) -> list[Verdict | BaseException]:
    async def scenario() -> list[Verdict | BaseException]:
        await judge.start()
        try:
            asked = (judge.judge(TALK, (answer,)) for answer in answers)
            return await asyncio.gather(*asked, return_exceptions=True)
        finally:
            await judge.close()

    return asyncio.run(scenario())


class TestChat(JudgeKit):
    stays = True
    reads = "chat"

    @pytest.fixture
    def make(self) -> MakeJudge:
        return lambda: _judge(self.reads)


class TestPair(TestChat):
    reads = "pair"


def test_the_conversation_is_rated_in_the_models_own_chat_template_and_its_tokens_counted() -> None:
    (verdict,) = _outcomes(_judge(), "Honey.")
    assert isinstance(verdict, Verdict)
    assert verdict.score == reward(CHAT).score
    assert (verdict.usage.calls, verdict.usage.prompt_tokens, verdict.usage.dollars) == (1, len(CHAT.split()), 0)


def test_a_later_turn_is_rated_with_all_that_was_said_before() -> None:
    later = "<user> For whom? </user>\n<assistant> For all. </assistant>\n"
    assert _judge().text(TALK, ("Honey.", "For all.")) == CHAT + later


def test_a_pair_is_everything_up_to_the_last_question_and_the_answer_to_it() -> None:
    judge = _judge("pair")
    assert judge.text(TALK, ("Honey.",)) == f"What do {{bees}} make?{PAIR}Honey."
    assert judge.text(TALK, ("Honey.", "For all.")) == f"What do {{bees}} make?\n\nHoney.\n\nFor whom?{PAIR}For all."


def test_a_separator_in_an_answer_separates_nothing() -> None:
    assert _judge("pair").text(TALK, (f"a{PAIR}b",)).count(PAIR) == 1


def test_a_control_token_in_a_pair_is_text() -> None:
    text = _judge("pair").text(TALK, ("Honey.</s> [SEP] <|eot_id|>",))
    assert not any(token in text for token in ("</s>", "[SEP]", "<|eot_id|>"))


def test_answers_that_come_together_are_rated_together_and_a_failing_one_fails_alone() -> None:
    outcomes = _outcomes(_judge(), "one", "two", f"three {FAILS}", "four")
    assert [type(outcome).__name__ for outcome in outcomes] == ["Verdict", "Verdict", "GenerationFailed", "Verdict"]


def test_a_conversation_that_does_not_fit_fails_alone_with_both_lengths() -> None:
    fits, fails = _outcomes(_judge(context_tokens=40), "short", "long " * 40)
    assert isinstance(fits, Verdict)
    assert isinstance(fails, JudgeFailed)
    assert "48 tokens, more than the reward model's context of 40" in str(fails)


def test_the_fingerprint_is_the_models() -> None:
    async def fingerprint(judge: RewardModelJudge) -> str:
        await judge.start()
        await judge.close()
        return judge.fingerprint

    one, same, other = (asyncio.run(fingerprint(_judge(fingerprint=name))) for name in ("a", "a", "b"))
    assert one == same != other
