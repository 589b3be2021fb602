"""A model of the transformers library, in this process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import torch

from configs.schema import ModelConfig
from workers.failures import GenerationFailed, PromptTooLong
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock
from workers.shared_prefix import kernels, support, weights
from workers.shared_prefix.attention import Prefix
from workers.shared_prefix.capacity import Capacity
from workers.shared_prefix.decode import DecodeLoop, Request
from workers.shared_prefix.graph import Record, recorder
from workers.shared_prefix.likelihood import Given, likelihoods
from workers.shared_prefix.memory import give_back, is_out_of_memory
from workers.shared_prefix.plain import PlainRows
from workers.shared_prefix.prefix_tree import PrefixTree
from workers.shared_prefix.room import Room, layer_shares, most_rows
from workers.shared_prefix.shared_rows import SharedRows
from workers.shared_prefix.transcript import Stops, Transcript
from workers.text_model import ModelCard

log = logging.getLogger(__name__)

VERSION = "transformers-engine/3"  # raise it with every change that can change a completion
GPU_UNIT = 16  # tokens: prefixes of whole units can be cut into equal pieces, see `kernels.Kernels.shared`


class TransformersEngine:
    """Implements `workers.text_model.Engine`.

    A prompt is tokenized as one text, so its tokens are those a user gets who pastes it. What a block's prompts begin
    with in common is computed once, kept in a prefix tree for later blocks, and read once a step for all of them.

    Args:
        model: a causal language model in evaluation mode.
        tokenizer: the model's own.
        card: see `ModelCard`.
        batch_size: prompts answered at the same time, at most; as many as the free memory holds when absent.
        prefix_bytes: memory for the keys and values of prefixes; a share of what there is when absent.
        record: makes a faster step of a step where all layers lie on one device; the device's own way when absent.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        card: ModelCard,
        batch_size: int | None = None,
        prefix_bytes: int | None = None,
        record: Record | None = None,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._card = card
        self._room = Room(model)
        self._ends = _end_tokens(model, tokenizer)
        self._stops = Stops(tokenizer, ())
        self._tokenized: tuple[PromptBlock, list[list[int]]] | None = None  # a block is counted, then answered
        self._is_given_up: Callable[[], bool] = lambda: False
        self._device = torch.device(model.device)  # of the embedding: tokens go in there, and logits come back to it
        self._capacity = Capacity(batch_size or most_rows(self._device))
        self._record = (record or recorder(self._device)) if len(self._room.devices) == 1 else None
        self._kernels = kernels.choose(self._device, model.dtype, support.head_width(model))
        self._unit = GPU_UNIT if self._device.type == "cuda" else 1
        self._tree: PrefixTree | None = None
        reason = support.reason_against(model, self._kernels, card.context_tokens)
        if reason is None:
            budget = self._room.for_prefixes() if prefix_bytes is None else prefix_bytes
            self._tree = PrefixTree(model, self._kernels, budget, unit=self._unit)
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
        card = ModelCard(
            weights.fingerprint(source, VERSION, model.dtype), context, weights.spoken(layer_shares(model))
        )
        return cls(model, tokenizer, card, None if config.batch_size == "auto" else config.batch_size)

    @property
    def card(self) -> ModelCard:
        return self._card

    def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        """Length of each prompt, in tokens."""
        return tuple(len(tokens) for tokens in self._tokenize(block))

    def heed(self, is_given_up: Callable[[], bool]) -> None:
        """As `Interruptible.heed`."""
        self._is_given_up = is_given_up

    def generate(self, block: PromptBlock, decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        """As `Engine.generate`. PromptTooLong is raised by the call itself, the rest while iterating."""
        prompts = self._tokenize(block)
        self._check_room(prompts, decoding.max_new_tokens)
        if self._stops.strings != decoding.stop:
            self._stops = Stops(self._tokenizer, decoding.stop)
        requests = [
            Request(index, block.prompt(index), tokens, Transcript(self._tokenizer, tokens, self._stops))
            for index, tokens in enumerate(prompts)
        ]
        return self._answer(requests, self._shared(block, prompts), decoding)

    def score(self, block: PromptBlock, continuations: Continuations) -> Iterator[tuple[int, Likelihood]]:
        """As `Engine.score`. PromptTooLong is raised by the call itself, the rest while iterating.

        A continuation's tokens are those by which its text lengthens the prompt's where the tokenizer keeps the
        prompt's tokens as they are, else those it has alone.

        Raises:
            GenerationFailed: by the call itself, when a continuation has no tokens.
        """
        prompts = self._tokenize(block)
        asked = [
            Given(index, prompt, added)
            for index, (prompt, added) in enumerate(
                zip(prompts, self._added(block, prompts, continuations), strict=True)
            )
        ]
        for given in sorted(asked, key=lambda given: -given.length):
            self._check_room([given.prompt], len(given.continuation))
        return self._likelihoods(asked, self._shared(block, prompts))

    def _added(self, block: PromptBlock, prompts: list[list[int]], continuations: Continuations) -> list[list[int]]:
        """The continuations' tokens."""
        texts = [block.prompt(index) + continuation for index, continuation in enumerate(continuations.texts)]
        added = [
            whole[len(prompt) :] if whole[: len(prompt)] == prompt else self._tokens([continuation], bos=False)[0]
            for whole, prompt, continuation in zip(
                self._tokens(texts, block.bos), prompts, continuations.texts, strict=True
            )
        ]
        if not all(added):
            raise GenerationFailed("a continuation has no tokens, so its likelihood is nothing that could be measured")
        return added

    def _likelihoods(self, asked: list[Given], shared: int) -> Iterator[tuple[int, Likelihood]]:
        if not asked:
            return
        longest = max(given.length for given in asked)
        rows = self._new_rows(asked[0].prompt[:shared], longest, 0)
        yield from likelihoods(
            rows, asked, 0 if self._tree is None else shared, _vocabulary(self._model), self._capacity, self._device
        )

    def _answer(self, requests: list[Request], shared: int, decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        if not requests:
            return
        prefix, longest = requests[0].prompt[:shared], max(len(request.prompt) for request in requests)
        loop = DecodeLoop(
            lambda: self._new_rows(prefix, longest, decoding.max_new_tokens),
            decoding,
            self._ends,
            self._capacity,
            _vocabulary(self._model),
            self._device,
            self._is_given_up,
        )
        yield from loop.run(requests)

    def _new_rows(self, prefix: list[int], longest: int, new: int) -> PlainRows | SharedRows:
        """An empty batch for prompts of at most `longest` tokens that gain `new` ones, and the capacity for it. On the
        plain path the prefix stays with every row."""
        if self._tree is None:
            self._capacity.fit(self._room.whole_rows(longest, new))
            return PlainRows(self._model)
        try:
            kept = self._tree.acquire(prefix)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            kept = None
        if kept is None:  # once more, alone in memory
            kept = self._acquire_alone(self._tree, prefix)
        self._capacity.fit(self._room.rows(longest - len(prefix) + new, self._tree.spare))
        return SharedRows(self._model, self._kernels, kept, len(prefix), self._record)

    def _acquire_alone(self, tree: PrefixTree, prefix: list[int]) -> Prefix:
        tree.forget()
        give_back(self._device)
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
