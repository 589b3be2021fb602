"""What any `Engine` and any `RewardEngine` must do. Subclass a kit and give it an `engine` fixture."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from math import isfinite

import pytest

from workers.failures import PromptTooLong
from workers.messages import Begun, Ended, Message
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock, Reward
from workers.text_model import Batch, BatchingEngine, Engine, RewardEngine

BLOCK = PromptBlock(
    "# Query:\n```\nWhich tree?\n```\n",
    tuple(f"# Query:\n```\n{query}\n```\n\n# Answer:\n```\n" for query in ("a", "Which tree grows?", "why\nnot é 🙂")),
)
BLOCKS = (BLOCK, PromptBlock("", ("# Query:\nWhich?", "# A", "why")), PromptBlock(BLOCK.prefix * 2, ("é", "b")))
GREEDY = Decoding(max_new_tokens=12)
SAMPLED = Decoding(max_new_tokens=12, temperature=1.5, seed=3)
GIVEN = Continuations(("An oak.", "Any of them, when it is young", " é"))
CLOSE = 1e-4  # of two log-probabilities computed in fp32 in batches of different shape


def answers(engine: Engine, block: PromptBlock, decoding: Decoding) -> list[Completion]:
    """Completions in the order of the suffixes; every index came exactly once."""
    pairs = list(engine.generate(block, decoding))
    assert sorted(index for index, _ in pairs) == list(range(len(block.suffixes)))
    return [completion for _, completion in sorted(pairs, key=lambda pair: pair[0])]


def likelihoods(engine: Engine, block: PromptBlock, given: Continuations) -> list[Likelihood]:
    """In the order of the suffixes; every index came exactly once."""
    pairs = list(engine.score(block, given))
    assert sorted(index for index, _ in pairs) == list(range(len(block.suffixes)))
    return [likelihood for _, likelihood in sorted(pairs, key=lambda pair: pair[0])]


def rewards(engine: RewardEngine, block: PromptBlock) -> list[Reward]:
    """In the order of the suffixes; every index came exactly once."""
    pairs = list(engine.rate(block))
    assert sorted(index for index, _ in pairs) == list(range(len(block.suffixes)))
    return [reward for _, reward in sorted(pairs, key=lambda pair: pair[0])]


def assert_alike(left: list[Likelihood], right: list[Likelihood]) -> None:
    assert [one.tokens for one in left] == [one.tokens for one in right]
    assert [one.log_probability for one in left] == pytest.approx([one.log_probability for one in right], abs=CLOSE)


def batch_of(engine: Engine, decoding: Decoding) -> Batch:
    if not isinstance(engine, BatchingEngine):
        pytest.skip("it answers one block at a time")
    return engine.batch(decoding)


def all_of(batch: Batch, blocks: Sequence[PromptBlock | None], heard: Sequence[Message] = ()) -> list[list[Completion]]:
    """The completions of a batch whose jobs are numbered as these blocks, each in the order of the suffixes; every
    index came exactly once, and then the end. Of None nothing is heard.

    Args:
        heard: of the batch so far.
    """
    found: list[dict[int, Completion]] = [{} for _ in blocks]
    ended: set[int] = set()
    while len(ended) < sum(block is not None for block in blocks):
        heard, news = (), heard or batch.step()
        for message in news:
            assert not isinstance(message, Begun)
            assert message.job not in ended
            if isinstance(message, Ended):
                assert message.error is None
                ended.add(message.job)
            else:
                assert message.index not in found[message.job]
                assert isinstance(message.answer, Completion)
                found[message.job][message.index] = message.answer
    assert [len(one) for one in found] == [len(block.suffixes) if block else 0 for block in blocks]
    return [[one[index] for index in sorted(one)] for one in found]


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
        assert list(engine.score(empty, Continuations(()))) == []

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

    @pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
    def test_blocks_answered_together_get_the_completions_they_get_alone(
        self, engine: Engine, decoding: Decoding
    ) -> None:
        batch, heard = batch_of(engine, decoding), list[Message]()
        for job, block in enumerate(BLOCKS):
            batch.add(job, block)
            heard += batch.step()
        assert all_of(batch, BLOCKS, heard) == [answers(engine, block, decoding) for block in BLOCKS]

    def test_nothing_is_heard_of_a_block_that_is_dropped_and_the_others_go_on(self, engine: Engine) -> None:
        batch = batch_of(engine, GREEDY)
        for job, block in enumerate(BLOCKS):
            batch.add(job, block)
        heard = [message for message in batch.step() if message.job != 1]  # a step may end whole blocks
        batch.drop(1)
        found = all_of(batch, [BLOCKS[0], None, BLOCKS[2]], heard)
        assert found == [answers(engine, BLOCKS[0], GREEDY), [], answers(engine, BLOCKS[2], GREEDY)]

    def test_a_block_that_does_not_fit_is_not_added_and_the_others_go_on(self, engine: Engine) -> None:
        batch = batch_of(engine, GREEDY)
        batch.add(0, BLOCK)
        with pytest.raises(PromptTooLong):
            batch.add(1, PromptBlock("word " * engine.card.context_tokens, ("a",)))
        assert all_of(batch, [BLOCK]) == [answers(engine, BLOCK, GREEDY)]

    def test_an_empty_block_in_a_batch_ends_with_the_next_step(self, engine: Engine) -> None:
        batch = batch_of(engine, GREEDY)
        batch.add(0, PromptBlock("prefix", ()))
        assert list(batch.step()) == [Ended(0)]
        assert batch.has_room()

    def test_every_continuation_gets_its_likelihood_once(self, engine: Engine) -> None:
        for likelihood in likelihoods(engine, BLOCK, GIVEN):
            assert likelihood.log_probability <= 0
            assert isfinite(likelihood.log_probability)
            assert likelihood.tokens >= 1

    def test_a_likelihood_does_not_depend_on_its_batch_or_its_place_in_it(self, engine: Engine) -> None:
        together = likelihoods(engine, BLOCK, GIVEN)
        alone = [likelihoods(engine, BLOCK.select([one]), GIVEN.select([one]))[0] for one in range(3)]
        reverse = likelihoods(engine, BLOCK.select([2, 1, 0]), GIVEN.select([2, 1, 0]))
        assert_alike(together, alone)
        assert_alike(together, reverse[::-1])

    def test_where_the_prefix_ends_makes_no_difference_to_a_likelihood(self, engine: Engine) -> None:
        moved = likelihoods(engine, PromptBlock("", (BLOCK.prompt(1),)), GIVEN.select([1]))
        assert_alike(moved, likelihoods(engine, BLOCK.select([1]), GIVEN.select([1])))

    def test_a_likelihood_belongs_to_its_own_prompt_and_continuation(self, engine: Engine) -> None:
        crossed = Continuations((GIVEN.texts[1], GIVEN.texts[0], GIVEN.texts[1]))
        first, second, third = likelihoods(engine, BLOCK, crossed)
        straight = likelihoods(engine, BLOCK, GIVEN)
        assert (first.tokens, second.tokens) == (straight[1].tokens, straight[0].tokens)
        assert len({first.log_probability, third.log_probability, straight[1].log_probability}) == 3

    def test_scoring_between_two_generations_changes_neither(self, engine: Engine) -> None:
        completions, scores = answers(engine, BLOCK, GREEDY), likelihoods(engine, BLOCK, GIVEN)
        assert answers(engine, BLOCK, GREEDY) == completions
        assert_alike(likelihoods(engine, BLOCK, GIVEN), scores)

    def test_a_prompt_that_does_not_fit_with_its_continuation_is_refused_before_anything_is_scored(
        self, engine: Engine
    ) -> None:
        long = Continuations(("a", "word " * engine.card.context_tokens, "b"))
        with pytest.raises(PromptTooLong) as caught:
            next(iter(engine.score(BLOCK, long)))
        assert caught.value.prompt_tokens == engine.count_tokens(BLOCK)[1]
        assert caught.value.new_tokens >= engine.card.context_tokens
        assert caught.value.context_tokens == engine.card.context_tokens


class RewardEngineKit:
    @pytest.fixture
    def engine(self) -> RewardEngine:
        raise NotImplementedError

    def test_the_card_says_who_it_is_and_stays_the_same(self, engine: RewardEngine) -> None:
        assert engine.card == engine.card
        assert engine.card.fingerprint
        assert engine.card.context_tokens > 0
        assert engine.card.device

    def test_an_empty_block_yields_nothing(self, engine: RewardEngine) -> None:
        empty = PromptBlock("prefix", ())
        assert engine.count_tokens(empty) == ()
        assert list(engine.rate(empty)) == []

    def test_every_text_gets_a_finite_score_and_the_tokens_that_were_counted(self, engine: RewardEngine) -> None:
        given = rewards(engine, BLOCK)
        assert all(isfinite(reward.score) for reward in given)
        assert tuple(reward.tokens for reward in given) == engine.count_tokens(BLOCK)

    def test_a_score_depends_on_the_whole_text_and_on_nothing_beside_it(self, engine: RewardEngine) -> None:
        together = [reward.score for reward in rewards(engine, BLOCK)]
        alone = [rewards(engine, BLOCK.select([one]))[0].score for one in range(3)]
        reverse = [reward.score for reward in rewards(engine, BLOCK.select([2, 1, 0]))]
        whole = [rewards(engine, PromptBlock("", (BLOCK.prompt(one),)))[0].score for one in range(3)]
        assert len(set(together)) == 3
        for other in (alone, reverse[::-1], whole):
            assert other == pytest.approx(together, abs=CLOSE)

    def test_a_text_that_does_not_fit_is_refused_before_anything_is_rated(self, engine: RewardEngine) -> None:
        long = PromptBlock("word " * engine.card.context_tokens, ("a", "and one more"))
        with pytest.raises(PromptTooLong) as caught:
            next(iter(engine.rate(long)))
        assert caught.value.prompt_tokens == max(engine.count_tokens(long))
        assert caught.value.new_tokens == 0
        assert caught.value.context_tokens == engine.card.context_tokens
