"""What a completion should be: transformers' `generate`, one prompt at a time, and the definition of a stop string."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from tests.tiny_model import random_llama, tokenizer
from workers.engines.transformers_engine import TransformersEngine
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock
from workers.shared_prefix.graph import Record
from workers.shared_prefix.kernels import Kernels
from workers.text_model import ModelCard


@cache
def llama(groups: int = 2, seed: int = 0) -> Any:
    return random_llama(seed=seed, groups=groups)


def engine_of(
    model: Any,
    batch_size: int | None = 32,
    context: int = 512,
    prefix_bytes: int | None = None,
    record: Record | None = None,
    kernels: Kernels | None = None,
) -> TransformersEngine:
    card = ModelCard("test", context, "cpu")
    return TransformersEngine(model, tokenizer(), card, batch_size, prefix_bytes, record, kernels)


def in_order(engine: TransformersEngine, block: PromptBlock, decoding: Decoding) -> list[Completion]:
    return [completion for _, completion in sorted(engine.generate(block, decoding), key=lambda pair: pair[0])]


def likelihoods(engine: TransformersEngine, block: PromptBlock, texts: tuple[str, ...]) -> list[Likelihood]:
    pairs = sorted(engine.score(block, Continuations(texts)), key=lambda pair: pair[0])
    assert [index for index, _ in pairs] == list(range(len(block.suffixes)))
    return [likelihood for _, likelihood in pairs]


@cache
def generated(model: Any, prompt: str, decoding: Decoding) -> Completion:
    """Greedy, by the library. A model must stay as it is once it has been asked."""
    ids = torch.tensor([tokenizer()(prompt)["input_ids"]])
    output = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=decoding.max_new_tokens,
        repetition_penalty=decoding.repetition_penalty,
        pad_token_id=2,
    )
    return _stopped(output[0, ids.shape[1] :].tolist(), ids.shape[1], decoding)


def _stopped(tokens: list[int], prompt_tokens: int, decoding: Decoding) -> Completion:
    for count in range(1, len(tokens) + 1):
        text = _text(tokens[:count])
        cuts = [text.index(stop) for stop in decoding.stop if stop in text]
        if cuts:
            return Completion(text[: min(cuts)], prompt_tokens, count, "stop")
    return Completion(_text(tokens), prompt_tokens, len(tokens), "stop" if tokens[-1] == 1 else "length")


def _text(tokens: list[int]) -> str:
    return str(tokenizer().decode(tokens, skip_special_tokens=True))
