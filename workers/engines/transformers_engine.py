"""A model of the transformers library, in this process."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import transformers

from configs.schema import ModelConfig
from workers.engines.shared_prefix import kernels, support, weights
from workers.engines.shared_prefix.attention import Prefix
from workers.engines.shared_prefix.decode import Capacity, DecodeLoop, Request, is_out_of_memory
from workers.engines.shared_prefix.graph import recorder
from workers.engines.shared_prefix.likelihood import likelihoods
from workers.engines.shared_prefix.plain import PlainRows
from workers.engines.shared_prefix.prefix_tree import PrefixTree
from workers.engines.shared_prefix.shared_rows import SharedRows
from workers.engines.shared_prefix.transcript import Transcript
from workers.failures import GenerationFailed, PromptTooLong
from workers.prompt import Completion, Decoding, Likelihood, PromptBlock
from workers.text_model import ModelCard

log = logging.getLogger(__name__)

VERSION = "transformers-engine/2"  # raise it with every change that can change a completion
GPU_UNIT = 16  # tokens: prefixes of whole units can be cut into equal pieces, see `kernels.Kernels.shared`


class TransformersEngine:
    """Implements `workers.text_model.Engine`.

    A prompt is tokenized as one text, so its tokens are those a user gets who pastes it. What a block's prompts begin
    with in common is computed once, kept in a prefix tree for later blocks, and read once a step for all of them.

    Args:
        model: a causal language model in evaluation mode.
        tokenizer: the model's own.
        card: see `ModelCard`.
        batch_size: prompts answered at the same time, at most.
        prefix_bytes: memory for the keys and values of prefixes; a share of what there is when absent.
    """

    def __init__(
        self, model: Any, tokenizer: Any, card: ModelCard, batch_size: int, prefix_bytes: int | None = None
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._card = card
        self._capacity = Capacity(batch_size)
        self._ends = _end_tokens(model, tokenizer)
        self._tokenized: tuple[PromptBlock, list[list[int]]] | None = None  # a block is counted, then answered
        self._device = torch.device(model.device)
        self._kernels = kernels.choose(self._device, model.dtype, support.head_width(model))
        self._unit = GPU_UNIT if self._device.type == "cuda" else 1
        self._tree: PrefixTree | None = None
        reason = support.reason_against(model, self._kernels, card.context_tokens)
        if reason is None:
            self._tree = PrefixTree(model, self._kernels, prefix_bytes or _spare_bytes(self._device), unit=self._unit)
        else:
            log.warning("this model cannot share prefixes (%s): every prompt is computed whole, which is slow", reason)

    @classmethod
    def load(cls, config: ModelConfig) -> TransformersEngine:
        """Raises InputError when the model, its tokenizer or the device asked for cannot be had."""
        device = weights.device_of(config)
        source = weights.find(config)
        tokenizer = weights.load_tokenizer(source)
        model = weights.load_model(source, config, device)
        context = weights.context_of(model, tokenizer, config.context_tokens)
        card = ModelCard(_fingerprint(source.identity, model.dtype), context, _spoken(device))
        return cls(model, tokenizer, card, config.batch_size)

    @property
    def card(self) -> ModelCard:
        return self._card

    def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        """Length of each prompt, in tokens."""
        return tuple(len(tokens) for tokens in self._tokenize(block))

    def generate(self, block: PromptBlock, decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        """As `Engine.generate`. PromptTooLong is raised by the call itself, the rest while iterating."""
        prompts = self._tokenize(block)
        self._check_room(prompts, decoding.max_new_tokens)
        requests = [
            Request(index, block.prompt(index), tokens, Transcript(self._tokenizer, tokens, decoding.stop))
            for index, tokens in enumerate(prompts)
        ]
        return self._answer(requests, self._shared(block, prompts), decoding)

    def score(self, block: PromptBlock, continuations: Sequence[str]) -> list[Likelihood]:
        """How likely each continuation is behind the prompt of the same index; nothing is generated.

        A continuation's tokens are those by which its text lengthens the prompt's where the tokenizer keeps the
        prompt's tokens as they are, else those it has alone.

        Raises:
            PromptTooLong: a prompt with its continuation does not fit.
            GenerationFailed: a continuation has no tokens, or the prefix does not fit the memory.
        """
        prompts = self._tokenize(block)
        texts = [block.prompt(index) + continuation for index, continuation in enumerate(continuations)]
        added = [
            whole[len(prompt) :] if whole[: len(prompt)] == prompt else self._tokens([continuation], bos=False)[0]
            for whole, prompt, continuation in zip(self._tokens(texts, block.bos), prompts, continuations, strict=True)
        ]
        if not all(added):
            raise GenerationFailed("a continuation has no tokens")
        for prompt, continuation in zip(prompts, added, strict=True):
            self._check_room([prompt], len(continuation))
        rows: PlainRows | SharedRows = self._new_rows(prompts[0][: self._shared(block, prompts)] if prompts else [])
        return likelihoods(rows, prompts, added, _vocabulary(self._model))

    def _answer(self, requests: list[Request], shared: int, decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        if not requests:
            return
        prefix = requests[0].prompt[:shared]
        loop = DecodeLoop(
            lambda: self._new_rows(prefix),
            decoding,
            self._ends,
            self._capacity,
            _vocabulary(self._model),
            self._device,
        )
        yield from loop.run(requests)

    def _new_rows(self, prefix: list[int]) -> PlainRows | SharedRows:
        """An empty batch; on the plain path the prefix stays with every row."""
        if self._tree is None:
            return PlainRows(self._model)
        try:
            kept = self._tree.acquire(prefix)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            kept = None
        if kept is None:  # once more, alone in memory
            kept = self._acquire_alone(self._tree, prefix)
        return SharedRows(self._model, self._kernels, kept, len(prefix), recorder(self._device))

    def _acquire_alone(self, tree: PrefixTree, prefix: list[int]) -> Prefix:
        tree.forget()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        try:
            return tree.acquire(prefix)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise GenerationFailed(f"a prefix of {len(prefix):,} tokens does not fit the memory") from error

    def _shared(self, block: PromptBlock, prompts: list[list[int]]) -> int:
        """Tokens that all prompts begin with, at least one less than the shortest has.

        A single prompt shares what its prefix alone has for tokens, so that no question of its own stays in memory.
        """
        texts = prompts if len(prompts) > 1 else [*prompts, *self._tokens([block.prefix], block.bos)]
        first, last = min(texts), max(texts)  # what the extremes of an order have in common, all between them have
        limit = min(len(tokens) for tokens in prompts) - 1 if prompts else 0
        same = next(
            (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
        )
        shared = min(same, limit)
        return shared - shared % self._unit

    def _tokenize(self, block: PromptBlock) -> list[list[int]]:
        if self._tokenized is None or self._tokenized[0] != block:
            texts = [block.prompt(index) for index in range(len(block.suffixes))]
            self._tokenized = block, self._tokens(texts, block.bos)
        return self._tokenized[1]

    def _tokens(self, texts: list[str], bos: bool) -> list[list[int]]:
        ids: list[list[int]] = self._tokenizer(texts, add_special_tokens=bos)["input_ids"] if texts else []
        return ids

    def _check_room(self, prompts: list[list[int]], new_tokens: int) -> None:
        longest = max((len(tokens) for tokens in prompts), default=0)
        if longest + new_tokens > self._card.context_tokens:
            raise PromptTooLong(longest, new_tokens, self._card.context_tokens)
        if any(not tokens for tokens in prompts):
            raise GenerationFailed("a prompt has no tokens at all: give it a text or a begin-of-text token")


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Ids that end a text: the model's generation config says, else its tokenizer."""
    stated = model.generation_config.eos_token_id
    if stated is None:
        stated = tokenizer.eos_token_id
    if stated is None:
        return frozenset()
    return frozenset([stated] if isinstance(stated, int) else stated)


def _vocabulary(model: Any) -> int:
    """Width of the logits; may be more than the tokenizer has tokens."""
    return int(model.config.get_text_config(decoder=True).vocab_size)


def _fingerprint(identity: str, dtype: torch.dtype) -> str:
    return (
        f"{identity} {VERSION} {str(dtype).removeprefix('torch.')} "
        f"torch {torch.__version__} transformers {transformers.__version__}"
    )


def _spare_bytes(device: torch.device) -> int:
    """For keys and values of prefixes: part of what is free on a GPU, a small part of a computer's memory."""
    if device.type == "cuda":
        return int(0.3 * torch.cuda.mem_get_info(device)[0])
    return int(0.05 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _spoken(device: torch.device) -> str:
    return str(device) if device.type == "cpu" else f"{device} {torch.cuda.get_device_name(device)}"
