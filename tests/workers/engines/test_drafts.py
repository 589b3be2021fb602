"""Drafts from earlier answers change how many passes an answer takes, and no token of it."""

from __future__ import annotations

import asyncio

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny_model import random_llama
from tests.workers.engines.reference import engine_of, generated, in_order, llama
from tests.workers.engines.test_exactness import blocks, texts
from workers.activity import WorkerActivity
from workers.local_worker import LocalWorker
from workers.messages import Answered
from workers.prompt import Decoding, PromptBlock
from workers.shared_prefix.ahead import UNSURE, Ahead, accepted
from workers.shared_prefix.drafts import LONGEST, SHORTEST, EarlierAnswers

BLOCK = PromptBlock("# Query:\n", ("why?", "Which tree grows fastest", "x"))
decodings = st.builds(
    Decoding,
    st.integers(1, 14),
    temperature=st.sampled_from([0.0, 0.0, 0.7, 2.0]),
    top_p=st.sampled_from([1.0, 0.8]),
    repetition_penalty=st.sampled_from([1.0, 1.3, 0.8]),
    stop=st.lists(st.sampled_from(["a", "e ", "\n", "Qu", "é"]), max_size=2).map(tuple),
    seed=st.integers(0, 2),
)
learnt = st.lists(st.lists(st.integers(0, 319), min_size=1, max_size=14), max_size=3)


@settings(max_examples=20, deadline=None)
@given(blocks, st.lists(texts, min_size=1, max_size=3), decodings, st.integers(1, 6), learnt)
def test_answers_are_those_of_an_engine_that_knows_none_before(
    block: PromptBlock, others: list[str], decoding: Decoding, batch_size: int, wrong: list[list[int]]
) -> None:
    engine = engine_of(llama(), batch_size)
    for suffix in block.suffixes:  # answers that the model would not give
        for tokens in wrong:
            engine._earlier.learn(suffix, tokens)
    for prefix in (*others, block.prefix, block.prefix):
        asked = PromptBlock(prefix, block.suffixes)
        assert in_order(engine, asked, decoding) == in_order(engine_of(llama(), batch_size), asked, decoding)


def test_greedy_answers_given_before_equal_generate() -> None:
    engine, decoding = engine_of(llama()), Decoding(24, repetition_penalty=1.2)
    expected = [generated(llama(), BLOCK.prompt(index), decoding) for index in range(3)]
    for _ in range(3):
        assert in_order(engine, BLOCK, decoding) == expected


def passes(block: PromptBlock, decoding: Decoding, times: int) -> list[int]:
    """Passes of the model for all answers of the block, by time asked."""
    engine = engine_of(random_llama())
    counts = []
    for _ in range(times):
        batch = engine.batch(decoding)
        batch.add(0, block)
        heard: list[object] = []
        while not heard or isinstance(heard[-1], Answered):
            heard += batch.step()
        counts.append(sum(message.passes for message in heard if isinstance(message, Answered)))
    return counts


def test_an_answer_given_before_takes_a_few_passes() -> None:
    first, second, third, fourth = passes(BLOCK, Decoding(32), 4)
    assert first >= second > third >= fourth
    assert fourth <= 3 * 3


def test_a_worker_says_how_many_tokens_a_pass_brings() -> None:
    async def asked() -> list[WorkerActivity]:
        worker, brought = LocalWorker(lambda: engine_of(random_llama())), list[WorkerActivity]()
        for _ in range(4):
            assert len([answer async for answer in worker.generate(BLOCK, Decoding(32))]) == len(BLOCK.suffixes)
            brought += worker.activity().workers
        await worker.close()
        return brought

    first, *_, last = asyncio.run(asked())
    assert first.tokens_per_pass is not None
    assert last.tokens_per_pass is not None
    assert last.tokens_per_pass > 2 > first.tokens_per_pass >= 1
    assert last.tokens - last.passes <= last.drafted <= 1.1 * (last.tokens - last.passes)  # greedy answers are repeated


def test_sampled_answers_given_before_take_fewer_passes_too() -> None:
    first, *_, last = passes(BLOCK, Decoding(32, temperature=1.0), 4)
    assert last < first / 4


def test_where_nothing_repeats_nearly_nothing_is_drafted() -> None:
    engine = engine_of(random_llama())
    said = 0
    for seed in range(30):
        decoding = Decoding(32, temperature=3.0, seed=seed)
        said += sum(completion.new_tokens for completion in in_order(engine, BLOCK, decoding))
    assert engine._earlier.drafted < 0.02 * said


def test_what_most_earlier_answers_agree_in_is_drafted() -> None:
    earlier = EarlierAnswers()
    for tokens in ([1, 2, 3, 4], [1, 2, 3, 5], [1, 2, 3, 5]):
        earlier.learn("why?", tokens)
    drafter = earlier.begin("why?", [1])
    assert drafter is not None
    assert drafter.draft(10) == [2, 3, 5]
    assert drafter.draft(1) == [2]
    drafter.follow(7)
    assert drafter.draft(10) == []
    assert earlier.begin("who?", []) is None


def test_drafts_grow_with_what_is_taken_and_shrink_with_what_is_not() -> None:
    earlier = EarlierAnswers()
    earlier.learn("why?", list(range(200)))
    drafter = earlier.begin("why?", [])
    assert drafter is not None
    for _ in range(8):
        length = len(drafter.draft(100))
        drafter.note(length, length)
    assert len(drafter.draft(100)) == LONGEST
    for _ in range(40):
        drafter.note(LONGEST, 0)
    assert drafter.draft(100) == []
    earlier.learn("why?", list(range(200)))
    assert len(drafter.draft(100)) == SHORTEST


def never(row: int, drafted: list[int]) -> int:
    raise AssertionError(f"row {row} is asked behind {drafted}")


def test_only_choices_that_count_are_made_surely() -> None:
    asked: list[tuple[int, list[int]]] = []

    def surely(row: int, drafted: list[int]) -> int:
        asked.append((row, drafted))
        return 2 if row == 0 else 6

    chosen = [1, UNSURE, 5, 6, UNSURE, UNSURE, UNSURE]
    assert accepted([[9, 1, 2, 3], [8], [7, 4]], chosen, surely) == [[1, 2, 5], [6], [6]]
    assert asked == [(0, [1]), (1, []), (2, [])]


def test_a_draft_counts_up_to_the_first_token_that_is_another() -> None:
    given_tokens = [[9, 1, 2, 3], [8], [7, 4]]
    assert accepted(given_tokens, [1, 2, 5, 6, 0, 4, 3], never) == [[1, 2, 5], [0], [4, 3]]
    ahead = Ahead.of(given_tokens, torch.device("cpu"))
    assert ahead.tokens.tolist() == [9, 1, 2, 3, 8, 7, 4]
    assert ahead.rows.tolist() == [0, 0, 0, 0, 1, 2, 2]
    at, offsets = ahead.drafted_before()
    assert list(zip(at.tolist(), offsets.tolist(), strict=True)) == [
        (1, 1),
        (2, 1),
        (2, 2),
        (3, 1),
        (3, 2),
        (3, 3),
        (6, 1),
    ]
