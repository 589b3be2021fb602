"""What any `Engine` must do. Subclass `EngineKit` and give it an `engine` fixture."""

from __future__ import annotations

import dataclasses

import pytest

from workers.failures import PromptTooLong
from workers.prompt import Completion, Decoding, PromptBlock
from workers.text_model import Engine

BLOCK = PromptBlock(
    "# Query:\n```\nWhich tree?\n```\n",
    tuple(f"# Query:\n```\n{query}\n```\n\n# Answer:\n```\n" for query in ("a", "Which tree grows?", "why\nnot é 🙂")),
)
GREEDY = Decoding(max_new_tokens=12)
SAMPLED = Decoding(max_new_tokens=12, temperature=1.5, seed=3)


def answers(engine: Engine, block: PromptBlock, decoding: Decoding) -> list[Completion]:
    """Completions in the order of the suffixes; every index came exactly once."""
    pairs = list(engine.generate(block, decoding))
    assert sorted(index for index, _ in pairs) == list(range(len(block.suffixes)))
    return [completion for _, completion in sorted(pairs, key=lambda pair: pair[0])]


class EngineKit:
    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError

    def test_the_card_says_who_it_is_and_stays_the_same(self, engine: Engine) -> None:
        assert engine.card == engine.card
        assert engine.card.fingerprint
        assert engine.card.context_tokens > 0
        assert engine.card.device

    def test_an_empty_block_yields_nothing(self, engine: Engine) -> None:
        empty = PromptBlock("prefix", ())
        assert engine.count_tokens(empty) == ()
        assert list(engine.generate(empty, GREEDY)) == []

    def test_completions_report_the_tokens_that_were_counted(self, engine: Engine) -> None:
        completions = answers(engine, BLOCK, GREEDY)
        assert tuple(completion.prompt_tokens for completion in completions) == engine.count_tokens(BLOCK)

    @pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
    def test_the_same_block_gets_the_same_completions(self, engine: Engine, decoding: Decoding) -> None:
        assert answers(engine, BLOCK, decoding) == answers(engine, BLOCK, decoding)

    @pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
    def test_a_completion_does_not_depend_on_its_batch(self, engine: Engine, decoding: Decoding) -> None:
        together = answers(engine, BLOCK, decoding)
        alone = [answers(engine, BLOCK.select([index]), decoding)[0] for index in range(len(BLOCK.suffixes))]
        reverse = answers(engine, BLOCK.select([2, 1, 0]), decoding)
        assert together == alone == reverse[::-1]

    def test_where_the_prefix_ends_makes_no_difference(self, engine: Engine) -> None:
        moved = PromptBlock("", (BLOCK.prompt(1),))
        assert answers(engine, moved, SAMPLED) == answers(engine, BLOCK.select([1]), SAMPLED)

    @pytest.mark.parametrize("new_tokens", [1, 5])
    def test_no_completion_is_longer_than_asked_for(self, engine: Engine, new_tokens: int) -> None:
        for completion in answers(engine, BLOCK, Decoding(new_tokens)):
            assert 1 <= completion.new_tokens <= new_tokens
            assert completion.finish == "stop" or completion.new_tokens == new_tokens

    def test_a_completion_ends_before_its_stop_string(self, engine: Engine) -> None:
        free = answers(engine, BLOCK, GREEDY)
        for index, completion in enumerate(free):
            middle = len(completion.text) // 2
            stop = completion.text[middle : middle + 2]
            if not stop or "�" in stop:
                continue
            stopped = answers(engine, BLOCK.select([index]), dataclasses.replace(GREEDY, stop=(stop,)))[0]
            assert stopped.text == completion.text[: completion.text.index(stop)]
            assert stopped.finish == "stop"
            assert stopped.new_tokens <= completion.new_tokens

    def test_another_seed_draws_other_tokens(self, engine: Engine) -> None:
        draws = {
            tuple(completion.text for completion in answers(engine, BLOCK, dataclasses.replace(SAMPLED, seed=seed)))
            for seed in range(4)
        }
        assert len(draws) > 1

    def test_a_prompt_that_does_not_fit_is_refused_before_anything_is_generated(self, engine: Engine) -> None:
        context = engine.card.context_tokens
        longest = max(engine.count_tokens(BLOCK))
        with pytest.raises(PromptTooLong) as caught:
            next(iter(engine.generate(BLOCK, Decoding(context - longest + 1))))
        assert caught.value.prompt_tokens == longest
        assert caught.value.new_tokens == context - longest + 1
        assert caught.value.context_tokens == context

    def test_a_prompt_that_just_fits_is_answered(self, engine: Engine) -> None:
        room = engine.card.context_tokens - max(engine.count_tokens(BLOCK))
        assert len(answers(engine, BLOCK, Decoding(room))) == len(BLOCK.suffixes)

    def test_giving_up_a_block_leaves_the_engine_usable(self, engine: Engine) -> None:
        expected = answers(engine, BLOCK, GREEDY)
        started = iter(engine.generate(BLOCK, GREEDY))
        next(started)
        del started
        assert answers(engine, BLOCK, GREEDY) == expected
