"""A step begins before the tokens of the one before are read, and no answer changes by it."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kits.engine_kit import all_of
from tests.workers.engines.reference import engine_of, generated, llama
from tests.workers.engines.test_exactness import blocks, decodings
from tests.workers.engines.test_paged import in_pages
from tests.workers.engines.test_shared_prefix import QUESTIONS, RULES, Replay
from tests.workers.shared_prefix.fake_gpu import DEVICE, Calls, fake_gpu
from workers.engines.transformers_engine import TransformersEngine
from workers.messages import Answered, Ended, Message
from workers.prompt import Completion, Decoding, PromptBlock
from workers.shared_prefix.decode import DecodeLoop
from workers.shared_prefix.detokenizer import Stops, Transcript
from workers.shared_prefix.launched import Launched
from workers.shared_prefix.request import Request

BLOCK = PromptBlock(RULES, QUESTIONS)


def engine(batch_size: int = 64) -> TransformersEngine:
    return engine_of(llama(), batch_size, record=Replay, kernels=in_pages(16))


def heard(loop: DecodeLoop, block: PromptBlock = BLOCK) -> list[Message]:
    loop.add(0, block)
    messages = list[Message]()
    while not any(isinstance(message, Ended) for message in messages):
        messages += loop.step()
    return messages


def passes_beyond_tokens(messages: list[Message]) -> list[int]:
    answers = [(message.passes, message.answer) for message in messages if isinstance(message, Answered)]
    return [passes - answer.new_tokens for passes, answer in answers if isinstance(answer, Completion)]


def ends_early(message: Message, limit: int) -> bool:
    return (
        isinstance(message, Answered) and isinstance(message.answer, Completion) and message.answer.new_tokens < limit
    )


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(blocks, st.integers(0, 9)), min_size=1, max_size=3), decodings, st.integers(1, 12))
def test_completions_are_those_of_generate_whenever_blocks_join_and_are_dropped(
    asked: list[tuple[PromptBlock, int]], decoding: Decoding, batch_size: int
) -> None:
    loop, before = engine(batch_size).batch(decoding), list[Answered | Ended]()
    for job, (block, steps) in enumerate(asked):
        loop.add(job, block)
        loop.add(100 + job, BLOCK)
        for _ in range(steps):
            before += [message for message in loop.step() if message.job < 100]
        loop.drop(100 + job)
    expected = [
        [generated(llama(), block.prompt(index), decoding) for index in range(len(block.suffixes))]
        for block, _ in asked
    ]
    assert all_of(loop, [block for block, _ in asked], before) == expected


def test_an_answer_that_ends_by_itself_costs_a_pass_more_which_is_counted() -> None:
    early = [message for message in heard(engine().batch(Decoding(24, stop=("e", "a")))) if ends_early(message, 24)]
    assert set(passes_beyond_tokens(early)) == {1}


def test_where_all_answers_end_by_their_length_no_step_is_launched_in_vain() -> None:
    answers = heard(engine().batch(Decoding(3)))
    assert not any(ends_early(message, 3) for message in answers)
    assert set(passes_beyond_tokens(answers)) == {0}


def test_on_a_cpu_tokens_are_read_at_once() -> None:
    on_cpu = engine_of(llama())
    on_cpu.draft_nothing()
    assert set(passes_beyond_tokens(heard(on_cpu.batch(Decoding(24, stop=("e", "a")))))) == {0}


class NoText:
    """Stands where a tokenizer would."""

    def decode(self, *_: object, **__: object) -> str:
        return ""


def requests_of(rows: int) -> list[Request]:
    stops = Stops(NoText(), ())
    return [Request(0, row, "", [1], [], Transcript(NoText(), [1], stops)) for row in range(rows)]


def test_a_row_that_has_entered_anew_hears_nothing_of_a_step_before() -> None:
    requests = requests_of(3)
    for request in requests:
        request.begin()
    launched = Launched(requests, torch.tensor([5, 6, 7]))
    requests[1].begin()
    assert [(request.index, token) for request, token in launched.read()] == [(0, 5), (2, 7)]
    assert [request.due for request in requests] == [0, 0, 0]


def test_tokens_leave_a_gpu_without_anybody_waiting_and_are_read_when_they_have_arrived() -> None:
    noted = list[str]()

    class Cuda:
        class Event:
            def record(self) -> None:
                noted.append("recorded")

            def synchronize(self) -> None:
                noted.append("waited for")

    with fake_gpu(), Calls() as calls:
        launched = Launched(requests_of(2), torch.zeros(2, dtype=torch.long, device=DEVICE), Cuda)
    [copy] = [options for name, _, options in calls.made if name == "_to_copy"]
    assert (copy["device"], copy["non_blocking"], noted) == (torch.device("cpu"), True, ["recorded"])
    launched._tokens = torch.tensor([3, 4])
    assert [token for _, token in launched.read()] == [3, 4]
    assert noted == ["recorded", "waited for"]
