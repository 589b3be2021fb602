"""A batch's rounding, which differs with a row's neighbours, changes no answer."""

from __future__ import annotations

import pytest
import torch

from workers.messages import Ended
from workers.prompt import Decoding, PromptBlock
from workers.shared_prefix.capacity import Capacity
from workers.shared_prefix.decode import DecodeLoop
from workers.shared_prefix.detokenizer import Stops, Transcript
from workers.shared_prefix.request import Request
from workers.shared_prefix.sampling import TokenChooser

WORDS = 40


class NoText:
    """Stands where a tokenizer would."""

    def decode(self, *_: object, **__: object) -> str:
        return ""


class RoundedRows:
    """Rows whose logits differ with every step by as much as the likeliest tokens lie apart."""

    joins = True
    held = 0

    def __init__(self, seed: int, is_recorded: bool) -> None:
        self.is_recorded = is_recorded
        self._rounding = torch.Generator().manual_seed(seed)
        self._texts: list[list[int]] = []

    def stand_behind(self, prefix: list[int]) -> bool:
        return not prefix

    def enter(self, tokens: list[list[int]]) -> None:
        self._texts += [list(row) for row in tokens]

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        for text, token in zip(self._texts, tokens.tolist(), strict=True):
            text.append(token)
        exact = torch.cat([self.alone(text) for text in self._texts])
        return exact + 4e-6 * (torch.rand(exact.shape, generator=self._rounding) - 0.5)

    def alone(self, tokens: list[int]) -> torch.Tensor:
        order = torch.randperm(WORDS, generator=torch.Generator().manual_seed(hash(tuple(tokens)) & 0xFFFF))
        return 4 - 2e-6 * order[None].float()

    def keep(self, rows: list[int]) -> None:
        self._texts = [self._texts[row] for row in rows]


def answers(decoding: Decoding, seed: int, is_recorded: bool = False) -> list[list[int]]:
    text, stops = NoText(), Stops(NoText(), ())
    requests = [Request(0, row, str(row), [row, 9], [], Transcript(text, [row, 9], stops)) for row in range(4)]
    loop = DecodeLoop(
        lambda *_: requests,
        lambda: RoundedRows(seed, is_recorded),
        lambda *_: 4,
        lambda: TokenChooser(decoding, WORDS, torch.device("cpu")),
        decoding,
        (),
        Capacity(4),
    )
    loop.add(0, PromptBlock("", ()))
    while not any(isinstance(news, Ended) for news in loop.step()):
        pass
    return [request.generated for request in requests]


@pytest.mark.parametrize(
    "decoding",
    [Decoding(20), Decoding(20, repetition_penalty=1.0000005), Decoding(20, temperature=1e-6, seed=3)],
    ids=["greedy", "penalised", "sampled"],
)
def test_answers_are_the_same_however_a_batch_rounds(decoding: Decoding) -> None:
    assert answers(decoding, 0) == answers(decoding, 1) == answers(decoding, 2)
    assert len({tuple(said) for said in answers(decoding, 0)}) == 4


@pytest.mark.parametrize("decoding", [Decoding(20), Decoding(20, repetition_penalty=1.0000005)])
def test_a_step_launched_behind_a_token_that_rounding_could_change_is_taken_back(decoding: Decoding) -> None:
    assert answers(decoding, 0, is_recorded=True) == answers(decoding, 1)
