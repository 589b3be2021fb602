"""What every TextModel must do. Subclass `TextModelKit` in a test file, give it `make`, and pytest runs all of it.

The model under test must stand on `EchoEngine` (or answer like it): known answers, markers that fail.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import pytest

from tests.fakes import count_words, echo
from workers.failures import GenerationFailed, PromptTooLong
from workers.prompt import Completion, Decoding, PromptBlock
from workers.text_model import TextModel

T = TypeVar("T")

BLOCK = PromptBlock("Answer briefly. ", tuple(f"How many legs have {number} cats?" for number in range(7)))
GREEDY = Decoding(max_new_tokens=16)


async def answers(model: TextModel, block: PromptBlock, decoding: Decoding = GREEDY) -> list[tuple[int, Completion]]:
    """Everything `generate` yields, in the order it comes."""
    return [answer async for answer in model.generate(block, decoding)]


def expected(block: PromptBlock, decoding: Decoding = GREEDY) -> dict[int, Completion]:
    return {index: echo(block.prompt(index), decoding) for index in range(len(block.suffixes))}


def run_with(model: TextModel, work: Callable[[TextModel], Awaitable[T]], seconds: float = 60) -> T:
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

    def test_the_decoding_reaches_the_engine(self) -> None:
        decoding = Decoding(max_new_tokens=3, temperature=0.7, seed=5)
        assert dict(self.run(lambda model: answers(model, BLOCK, decoding))) == expected(BLOCK, decoding)

    def test_a_block_without_suffixes_yields_nothing(self) -> None:
        assert self.run(lambda model: answers(model, PromptBlock("Nobody asks.", ()))) == []

    def test_blocks_asked_at_the_same_time_do_not_mix(self) -> None:
        blocks = [PromptBlock(f"Rule {number}. ", BLOCK.suffixes) for number in range(5)]

        async def work(model: TextModel) -> list[list[tuple[int, Completion]]]:
            return await asyncio.gather(*(answers(model, block) for block in blocks))

        assert [dict(got) for got in self.run(work)] == [expected(block) for block in blocks]

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
        assert str(failure) == "this prompt contains FAILS: leave it out"
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
