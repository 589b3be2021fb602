import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.failures import JudgeFailed
from evaluators.judge_tools.local_chat_model import FEW, WORTH, LocalChatModel, blocks
from tests.fakes import FAILS, ScriptedModel, likelihood
from tests.plain_chat import plain_chat
from workers.chat_template import SPELLING
from workers.failures import GenerationFailed
from workers.prompt import ChatMessage
from workers.service.reply import Reply

T = TypeVar("T")


def _said(words: str) -> list[ChatMessage]:
    return [{"role": "system", "content": "Judge."}, {"role": "user", "content": words}]


def _spelt(words: str) -> str:
    return f"<system> Judge. </system>\n<user> {words} </user>\n<assistant>"


def _with(model: ScriptedModel, work: Callable[[LocalChatModel], Awaitable[T]]) -> T:
    async def scenario() -> T:
        chat_model = LocalChatModel(model, plain_chat())
        await chat_model.start()
        try:
            return await work(chat_model)
        finally:
            await chat_model.close()

    return asyncio.run(scenario())


def _chat(chat_model: LocalChatModel, words: str, temperature: float = 0, seed: int = 0) -> Awaitable[Reply]:
    return chat_model.chat(_said(words), temperature=temperature, max_tokens=16, seed=seed)


def test_a_chat_is_put_to_the_model_in_its_own_template_and_counted_without_a_price() -> None:
    model = ScriptedModel(lambda prompt: "Rating: [[7]]")
    reply = _with(model, lambda chat_model: _chat(chat_model, "Is it good?"))
    assert [block.prompt(0) for block in model.asked] == [_spelt("Is it good?")]
    assert (reply.text, reply.finish) == ("Rating: [[7]]", "stop")
    assert (reply.usage.calls, reply.usage.prompt_tokens, reply.usage.new_tokens, reply.usage.dollars) == (1, 9, 2, 0)


def test_the_template_spells_its_own_beginning_of_text() -> None:
    model = ScriptedModel()
    _with(model, lambda chat_model: _chat(chat_model, "Is it good?"))
    assert not model.asked[0].bos


def test_chats_that_come_together_are_one_block_behind_what_they_share() -> None:
    async def work(chat_model: LocalChatModel) -> list[Reply]:
        return await asyncio.gather(*(_chat(chat_model, f"Is {number} good?") for number in range(5)))

    model = ScriptedModel(lambda prompt: prompt.split()[5])
    assert [reply.text for reply in _with(model, work)] == ["0", "1", "2", "3", "4"]
    (block,) = model.asked
    assert block.prefix == "<system> Judge. </system>\n<user> Is "


def test_a_chat_that_fails_fails_alone() -> None:
    async def work(chat_model: LocalChatModel) -> list[Reply | BaseException]:
        asked = (_chat(chat_model, words) for words in ("a", f"b {FAILS}", "c"))
        return await asyncio.gather(*asked, return_exceptions=True)

    outcomes = _with(ScriptedModel(), work)
    assert [type(one) for one in outcomes] == [Reply, GenerationFailed, Reply]


def test_a_chat_that_does_not_fit_fails_alone_and_says_what_to_do() -> None:
    async def work(chat_model: LocalChatModel) -> list[Reply | BaseException]:
        asked = (_chat(chat_model, words) for words in ("a", "long " * 100))
        return await asyncio.gather(*asked, return_exceptions=True)

    fits, fails = _with(ScriptedModel(context_tokens=64), work)
    assert isinstance(fits, Reply)
    assert isinstance(fails, JudgeFailed)
    assert "106 tokens; with 16 new ones that is more than its model's context of 64: lower judge.max_tokens" in str(
        fails
    )


def test_a_seed_draws_anew_and_means_nothing_where_nothing_is_drawn() -> None:
    async def work(chat_model: LocalChatModel) -> list[str]:
        asked = [(0.0, 0), (0.0, 1), (1.0, 0), (1.0, 1), (1.0, 1)]
        replies = await asyncio.gather(*(_chat(chat_model, "Is it?", *one) for one in asked))
        return [reply.text for reply in replies]

    sure, sure_again, drawn, other, other_again = _with(ScriptedModel(), work)
    assert sure == sure_again
    assert drawn != other == other_again


def test_it_repeats_itself_only_where_nothing_is_drawn() -> None:
    chat_model = LocalChatModel(ScriptedModel(), plain_chat())
    assert chat_model.repeats_itself(0)
    assert not chat_model.repeats_itself(0.1)


def test_a_leaning_has_every_choices_likelihood_behind_one_and_the_same_prompt() -> None:
    model = ScriptedModel()
    leaning = _with(model, lambda chat_model: chat_model.first_token_logprobs(_said("Which?"), ("m", "M"), 5))
    expected = {choice: likelihood(_spelt("Which?"), choice).log_probability for choice in ("m", "M")}
    assert leaning.log_probabilities == expected
    assert math.isclose(expected[leaning.text], max(expected.values()))
    assert (leaning.usage.calls, leaning.usage.prompt_tokens) == (1, 7)
    ((block, _),) = model.scored
    assert (block.prefix, set(block.suffixes)) == (_spelt("Which?"), {""})


def test_a_leaning_on_a_chat_that_does_not_fit_fails_with_advice() -> None:
    with pytest.raises(JudgeFailed, match=r"its model's context of 4"):
        _with(
            ScriptedModel(context_tokens=4),
            lambda chat_model: chat_model.first_token_logprobs(_said("Which?"), ("m", "M"), 5),
        )


def test_the_identity_is_the_models_and_closing_closes_it() -> None:
    async def work(chat_model: LocalChatModel) -> str:
        return chat_model.identity

    model = ScriptedModel(fingerprint="a judge of our own")
    assert _with(model, work) == f"a judge of our own {SPELLING}"
    assert model.closed


def test_chats_with_much_in_common_are_computed_apart_from_others_when_they_are_many() -> None:
    one, other = "a" * WORTH, "b" * WORTH
    texts = [f"{(one, other)[at % 2]}{at}" for at in range(2 * FEW)]
    assert sorted(map(sorted, blocks(texts))) == [list(range(0, 2 * FEW, 2)), list(range(1, 2 * FEW, 2))]


def test_a_few_are_computed_with_the_rest() -> None:
    many, few = ["a" * WORTH + str(at) for at in range(3 * FEW)], ["b" * WORTH, "c"]
    apart, rest = blocks([*many, *few])
    assert (len(apart), sorted(rest)) == (3 * FEW, [3 * FEW, 3 * FEW + 1])


@given(st.lists(st.text(st.sampled_from("ab"), max_size=6).map(lambda text: text * 100), min_size=1, max_size=150))
def test_every_text_is_in_exactly_one_block(texts: list[str]) -> None:
    assert sorted(index for block in blocks(texts) for index in block) == list(range(len(texts)))
