"""A verdict is asked for until it can be read, and everything paid for is counted."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from configs.errors import RunStopped
from configs.schema.judge import MTBenchJudgeConfig
from configs.schema.judge_knobs import WritingJudgeKnobs
from evaluators.failures import JudgeFailed, VerdictStopped, VerdictUnreadable
from evaluators.judge import Verdict
from evaluators.judge_tools.alternatives import RatingPlace
from evaluators.judge_tools.chat_model import ChatModel, FirstTokenLogprobs, RatingProbabilities
from evaluators.judge_tools.grading import grade_in_words
from evaluators.judge_tools.local_chat_model import LocalChatModel
from evaluators.judge_tools.ratings import MT_BENCH
from tests.fakes import ScriptedModel
from tests.plain_chat import plain_chat
from workers.prompt import ChatMessage
from workers.service.failures import ServiceFailed, ServiceRefused
from workers.service.reply import Reply
from workers.usage import Usage

CALL = Usage(1, 10, 0, 2, 0.5)


class Talker:
    """A chat model with a script: words, a reply, or an error; what it was asked with is kept."""

    identity = "talker"

    def __init__(self, *script: str | Reply | Exception, sure: bool = False) -> None:
        self.seeds: list[int] = []
        self._script = iter(script)
        self._sure = sure

    def repeats_itself(self, temperature: float) -> bool:
        return self._sure

    async def start(self) -> None:
        return None

    async def chat(
        self,
        messages: Sequence[ChatMessage],
        *,
        temperature: float,
        max_tokens: int,
        seed: int = 0,
        likely: bool = False,
    ) -> Reply:
        self.seeds.append(seed)
        said = next(self._script)
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, Reply) else Reply(said, "stop", CALL)

    async def first_token_logprobs(
        self, messages: Sequence[ChatMessage], choices: tuple[str, ...], top: int, seed: int = 0
    ) -> FirstTokenLogprobs:
        raise NotImplementedError

    async def rating_probabilities(
        self, messages: Sequence[ChatMessage], reply: Reply, place: RatingPlace, choices: tuple[str, ...]
    ) -> RatingProbabilities:
        raise NotImplementedError

    async def close(self) -> None:
        return None


_KNOBS = MTBenchJudgeConfig.model_validate({"kind": "mt_bench", "prompts_path": "p", "service": {"model": "m"}})


def _grade(chat_model: ChatModel, repeat: int = 0, retries: int = 2, temperature: float = 0) -> Verdict:
    knobs: WritingJudgeKnobs = _KNOBS.model_copy(update={"unreadable_retries": retries, "temperature": temperature})
    return asyncio.run(grade_in_words(chat_model, [{"role": "user", "content": "?"}], knobs, MT_BENCH, repeat))


def test_all_attempts_are_paid_for_by_the_verdict() -> None:
    assert _grade(Talker("Hm.", "Well.", "[[4]]")) == Verdict(4, "[[4]]", CALL + CALL + CALL)


def test_a_verdict_that_stays_unreadable_fails_with_its_last_words_and_all_it_cost() -> None:
    with pytest.raises(VerdictUnreadable, match="No") as failed:
        _grade(Talker("Hm.", "Well.", "No."))
    assert failed.value.usage == CALL + CALL + CALL


def test_a_speaker_that_repeats_itself_is_not_asked_twice() -> None:
    chat_model = Talker("Hm.", "[[4]]", sure=True)
    with pytest.raises(VerdictUnreadable):
        _grade(chat_model)
    assert chat_model.seeds == [0]


def test_every_repeat_and_every_attempt_draws_anew() -> None:
    seeds = []
    for repeat in range(3):
        chat_model = Talker("Hm.", "Hm.", "[[4]]")
        _grade(chat_model, repeat)
        seeds += chat_model.seeds
    assert len(set(seeds)) == 9


def test_repeats_by_a_model_of_our_own_differ_where_it_draws_and_only_there() -> None:
    def words(temperature: float) -> list[str]:
        def verdict(repeat: int) -> str:
            model = ScriptedModel()  # echoes, behind a word that depends on the seed
            chat_model = LocalChatModel(model, plain_chat())
            try:
                return _grade(chat_model, repeat, retries=0, temperature=temperature).words
            except VerdictUnreadable as error:
                return str(error)

        return [verdict(repeat) for repeat in range(3)]

    assert len(set(words(1.0))) == 3
    assert len(set(words(0.0))) == 1


@pytest.mark.parametrize("error", [lambda: ServiceFailed("it broke", CALL), lambda: JudgeFailed("it broke", CALL)])
def test_a_failure_after_an_unreadable_verdict_counts_what_was_paid_before(error: Callable[[], Exception]) -> None:
    with pytest.raises(JudgeFailed, match="it broke") as failed:
        _grade(Talker("Hm.", error()))
    assert failed.value.usage == CALL + CALL


def test_a_failure_at_once_comes_out_as_it_is() -> None:
    with pytest.raises(ServiceFailed):
        _grade(Talker(ServiceFailed("it broke")))


def test_a_stop_of_the_run_after_an_unreadable_verdict_counts_what_was_paid_before() -> None:
    with pytest.raises(VerdictStopped, match="the quota is used up") as stopped:
        _grade(Talker("Hm.", "Well.", ServiceRefused("the quota is used up")))
    assert stopped.value.usage == CALL + CALL


def test_a_stop_of_the_run_comes_out_as_it_is() -> None:
    with pytest.raises(RunStopped):
        _grade(Talker("Hm.", ServiceRefused("the key is revoked")))


def test_words_of_all_the_tokens_that_were_allowed_are_cut_where_the_service_does_not_say_why_they_end() -> None:
    allowed = _KNOBS.max_tokens
    cut, short = (Reply("Rating: [[4]] since", "", Usage(1, 10, 0, tokens)) for tokens in (allowed, allowed - 1))
    with pytest.raises(VerdictUnreadable, match=r"cut off at judge\.max_tokens"):
        _grade(Talker(cut), retries=0)
    assert _grade(Talker(short)).score == 4
