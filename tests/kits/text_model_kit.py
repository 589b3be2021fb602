"""What every TextModel and every RewardModel must do. Subclass a kit in a test file and give it `make`.

The model under test must stand on `EchoEngine` or `EchoRewardEngine` (or answer like it): known answers, markers that
fail.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import pytest

from tests.fakes import count_words, echo, likelihood, reward
from workers.failures import GenerationFailed, PromptTooLong
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock, Reward
from workers.text_model import RewardModel, TextModel

T = TypeVar("T")
M = TypeVar("M", bound=TextModel | RewardModel)

BLOCK = PromptBlock("Answer briefly. ", tuple(f"How many legs have {number} cats?" for number in range(7)))
GREEDY = Decoding(max_new_tokens=16)
GIVEN = Continuations(tuple(f"{4 * number} legs" for number in range(7)))


async def answers(model: TextModel, block: PromptBlock, decoding: Decoding = GREEDY) -> list[tuple[int, Completion]]:
    """Everything `generate` yields, in the order it comes."""
    return [answer async for answer in model.generate(block, decoding)]


def expected(block: PromptBlock, decoding: Decoding = GREEDY) -> dict[int, Completion]:
    return {index: echo(block.prompt(index), decoding) for index in range(len(block.suffixes))}


async def likelihoods(model: TextModel, block: PromptBlock, given: Continuations) -> list[tuple[int, Likelihood]]:
    """Everything `score` yields, in the order it comes."""
    return [pair async for pair in model.score(block, given)]


def expected_likelihoods(block: PromptBlock, given: Continuations) -> dict[int, Likelihood]:
    return {index: likelihood(block.prompt(index), text) for index, text in enumerate(given.texts)}


async def rewards(model: RewardModel, block: PromptBlock) -> list[tuple[int, Reward]]:
    """Everything `rate` yields, in the order it comes."""
    return [pair async for pair in model.rate(block)]


def expected_rewards(block: PromptBlock) -> dict[int, Reward]:
    return {index: reward(block.prompt(index)) for index in range(len(block.suffixes))}


def run_with(model: M, work: Callable[[M], Awaitable[T]], seconds: float = 60) -> T:
    """Start the model, do the work, close it; nothing of it may take longer than `seconds`."""

    async def everything() -> T:
        try:
            await model.start()
            return await work(model)
        finally:
            await model.close()

    return asyncio.run(asyncio.wait_for(everything(), seconds))


class TextModelKit(ABC):
    @abstractmethod
    def make(self) -> TextModel:
        """A model not yet started, with a context of 4096 tokens."""

    def run(self, work: Callable[[TextModel], Awaitable[T]]) -> T:
        """Do the work with a started model. Override it where starting is slow, to share one."""
        return run_with(self.make(), work)

    def test_every_suffix_is_answered_exactly_once_with_its_own_completion(self) -> None:
        got = self.run(lambda model: answers(model, BLOCK))
        assert len(got) == len(BLOCK.suffixes)
        assert dict(got) == expected(BLOCK)

    def test_every_continuation_is_scored_exactly_once_behind_its_own_prompt(self) -> None:
        got = self.run(lambda model: likelihoods(model, BLOCK, GIVEN))
        assert len(got) == len(BLOCK.suffixes)
        assert dict(got) == expected_likelihoods(BLOCK, GIVEN)

    def test_the_decoding_reaches_the_engine(self) -> None:
        decoding = Decoding(max_new_tokens=3, temperature=0.7, seed=5)
        assert dict(self.run(lambda model: answers(model, BLOCK, decoding))) == expected(BLOCK, decoding)

    def test_a_block_without_suffixes_yields_nothing(self) -> None:
        nobody = PromptBlock("Nobody asks.", ())
        assert self.run(lambda model: answers(model, nobody)) == []
        assert self.run(lambda model: likelihoods(model, nobody, Continuations(()))) == []

    def test_blocks_asked_at_the_same_time_do_not_mix(self) -> None:
        blocks = [PromptBlock(f"Rule {number}. ", BLOCK.suffixes) for number in range(5)]

        async def work(model: TextModel) -> list[list[tuple[int, Completion]]]:
            return await asyncio.gather(*(answers(model, block) for block in blocks))

        assert [dict(got) for got in self.run(work)] == [expected(block) for block in blocks]

    def test_generation_and_scoring_at_the_same_time_do_not_mix(self) -> None:
        async def work(model: TextModel) -> tuple[list[tuple[int, Completion]], list[tuple[int, Likelihood]]]:
            return await asyncio.gather(answers(model, BLOCK), likelihoods(model, BLOCK, GIVEN))

        completions, scores = self.run(work)
        assert dict(completions) == expected(BLOCK)
        assert dict(scores) == expected_likelihoods(BLOCK, GIVEN)

    def test_a_continuation_that_does_not_fit_is_refused_with_its_length(self) -> None:
        async def work(model: TextModel) -> PromptTooLong:
            with pytest.raises(PromptTooLong) as refusal:
                await likelihoods(model, PromptBlock("one ", ("two",)), Continuations(("word " * 5000,)))
            return refusal.value

        refusal = self.run(work)
        assert (refusal.prompt_tokens, refusal.new_tokens, refusal.context_tokens) == (2, 5000, 4096)

    def test_starting_twice_gives_the_same_card(self) -> None:
        async def work(model: TextModel) -> bool:
            return await model.start() == await model.start()

        assert self.run(work)

    def test_tokens_are_counted_as_the_engine_counts_them(self) -> None:
        assert self.run(lambda model: model.count_tokens(BLOCK)) == count_words(BLOCK)

    def test_a_prompt_that_does_not_fit_is_refused_with_both_lengths(self) -> None:
        async def work(model: TextModel) -> PromptTooLong:
            with pytest.raises(PromptTooLong) as refusal:
                await answers(model, PromptBlock("word " * 5000, ("?",)))
            return refusal.value

        refusal = self.run(work)
        assert type(refusal) is PromptTooLong
        assert (refusal.prompt_tokens, refusal.new_tokens, refusal.context_tokens) == (5001, 16, 4096)

    def test_a_block_that_fails_leaves_the_others_alone(self) -> None:
        async def work(model: TextModel) -> tuple[list[Any], GenerationFailed]:
            with pytest.raises(GenerationFailed) as failure:
                await answers(model, PromptBlock("This FAILS. ", ("a", "b")))
            return await answers(model, BLOCK), failure.value

        got, failure = self.run(work)
        assert type(failure) is GenerationFailed
        assert str(failure).endswith("this prompt contains FAILS: leave it out")
        assert dict(got) == expected(BLOCK)

    def test_an_iterator_closed_early_gives_up_the_rest_and_the_model_goes_on(self) -> None:
        async def work(model: TextModel) -> list[Any]:
            async with aclosing(model.generate(BLOCK, GREEDY)) as some:  # type: ignore[type-var]
                await anext(some)
            return await answers(model, BLOCK)

        assert dict(self.run(work)) == expected(BLOCK)

    def test_closing_twice_is_harmless(self) -> None:
        async def work(model: TextModel) -> None:
            await model.close()
            await model.close()

        run_with(self.make(), work)


class RewardModelKit(ABC):
    @abstractmethod
    def make(self) -> RewardModel:
        """A model not yet started, with a context of 4096 tokens."""

    def run(self, work: Callable[[RewardModel], Awaitable[T]]) -> T:
        """Do the work with a started model. Override it where starting is slow, to share one."""
        return run_with(self.make(), work)

    def test_every_text_is_rated_exactly_once(self) -> None:
        got = self.run(lambda model: rewards(model, BLOCK))
        assert len(got) == len(BLOCK.suffixes)
        assert dict(got) == expected_rewards(BLOCK)

    def test_a_text_that_does_not_fit_is_refused_with_its_length(self) -> None:
        async def work(model: RewardModel) -> PromptTooLong:
            with pytest.raises(PromptTooLong) as refusal:
                await rewards(model, PromptBlock("word " * 5000, ("?",)))
            return refusal.value

        refusal = self.run(work)
        assert (refusal.prompt_tokens, refusal.new_tokens, refusal.context_tokens) == (5001, 0, 4096)

    def test_texts_that_cannot_be_rated_leave_the_others_alone(self) -> None:
        async def work(model: RewardModel) -> list[Any]:
            with pytest.raises(GenerationFailed, match="contains FAILS"):
                await rewards(model, PromptBlock("This FAILS. ", ("a", "b")))
            return await rewards(model, BLOCK)

        assert dict(self.run(work)) == expected_rewards(BLOCK)
