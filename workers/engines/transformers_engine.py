"""A model of the transformers library, in this process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from workers.failures import GenerationFailed, PromptTooLong
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock, shared_start
from workers.shared_prefix import support, weights
from workers.shared_prefix.capacity import Capacity
from workers.shared_prefix.checkpoint import refuse_other_tokenizer
from workers.shared_prefix.decode import DecodeLoop
from workers.shared_prefix.detokenizer import Stops, Transcript
from workers.shared_prefix.drafts import EarlierAnswers
from workers.shared_prefix.graph import Record, recorder
from workers.shared_prefix.kernels import Kernels, choose
from workers.shared_prefix.likelihood import Given, likelihoods
from workers.shared_prefix.memory_plan import Room, layer_shares, most_rows
from workers.shared_prefix.paged_rows import PagedRows, RecordedSteps
from workers.shared_prefix.pages import Pages
from workers.shared_prefix.plain_rows import PlainRows
from workers.shared_prefix.prefix_tree import PrefixTree
from workers.shared_prefix.request import Request
from workers.shared_prefix.sampling import TokenChooser
from workers.shared_prefix.shared_rows import SharedRows
from workers.shared_prefix.tokenization import PromptTokenizer, end_tokens
from workers.task import answers_of_one_job
from workers.text_model import ModelCard

if TYPE_CHECKING:
    from configs.schema.model import ModelConfig

log = logging.getLogger(__name__)

MOST_PREFIXES = 8  # of the longest, in pages at once
VERSION = "transformers-engine/8"  # raise it with every change that can change a completion


class TransformersEngine:
    """A `workers.text_model.BatchingEngine` on transformers.

    A prompt is tokenized as one text, so its tokens are those a user gets who pastes it. What a block's prompts begin
    with in common is computed once, kept in a prefix tree for later blocks, and read once a step for all of them.
    Blocks that are decoded alike can share a batch, whatever their prefixes.

    Args:
        model: a causal language model in evaluation mode.
        tokenizer: the model's own.
        card: see `ModelCard`.
        batch_size: prompts answered at the same time, at most; as many as the free memory holds when absent.
        prefix_bytes: memory for the keys and values of prefixes; a share of what there is when absent.
        record: makes a faster step of a step where all layers lie on one device; the device's own way when absent.
        kernels: attention's; the fastest of the device when absent.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        card: ModelCard,
        batch_size: int | None = None,
        prefix_bytes: int | None = None,
        record: Record | None = None,
        kernels: Kernels | None = None,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._prompts = PromptTokenizer(tokenizer)
        self._embedded = model.get_input_embeddings().weight.shape[0]
        self._card = card
        self._room = Room(model)
        self._ends = end_tokens(model, tokenizer)
        self._stops = Stops(tokenizer, ())
        self._earlier = EarlierAnswers()
        self._drafts = True
        self._device = torch.device(model.device)  # of the embedding: tokens go in there, and logits come back to it
        self._capacity = Capacity(batch_size or most_rows(self._device))
        self._record = (record or recorder(self._device)) if len(self._room.devices) == 1 else None
        self._kernels = kernels or choose(self._device, model.dtype, support.first_head_width(model))
        self._tree: PrefixTree | None = None
        self._steps: RecordedSteps | None = None  # of rows in pages
        methods = support.exact_methods(model, self._kernels, card.context_tokens)
        if methods.against_sharing is None:
            budget = self._room.for_prefixes() if prefix_bytes is None else prefix_bytes
            self._tree = PrefixTree(model, self._kernels, budget)
        else:
            log.warning(
                "this model cannot share prefixes (%s): every prompt is computed whole%s, which is slow",
                methods.against_sharing,
                " and alone" if methods.one_at_a_time else "",
            )
        self._plain = methods.plain
        # recorded steps are a GPU's, where every operator costs; on a CPU transformers' own step stays as it is
        is_fusable = methods.plain and self._record is not None
        self._step_forward = support.step_forward(model, self._kernels) if is_fusable else None
        if methods.one_at_a_time:
            self._capacity = Capacity(1)

    @classmethod
    def load(cls, config: ModelConfig) -> TransformersEngine:
        """Raises InputError when the model, its tokenizer or the device asked for cannot be had."""
        device = weights.device_of(config)
        source = weights.find(config)
        tokenizer = weights.load_tokenizer(source)
        model = weights.load_model(source, config, device)
        refuse_other_tokenizer(model, tokenizer, source.location)
        weights.tell_unapplied(model)
        weights.spare_threads(model)
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
        return tuple(len(tokens) for tokens in self._prompts.prompts(block))

    def generate(self, block: PromptBlock, decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        """See `Engine.generate`. PromptTooLong is raised by the call itself, the rest while iterating."""
        batch = self.batch(decoding)
        batch.add(0, block)
        return answers_of_one_job(batch)

    def draft_nothing(self) -> None:
        """Answer a token a pass from now on; for measurements of what drafts bring."""
        self._drafts = False

    def batch(self, decoding: Decoding) -> DecodeLoop:
        """See `BatchingEngine.batch`."""
        if self._stops.strings != decoding.stop:
            self._stops = Stops(self._tokenizer, decoding.stop)
        return DecodeLoop(
            partial(self._requests, decoding.max_new_tokens, self._stops),
            self._new_rows,
            lambda own, held: self._fitting(own, decoding.max_new_tokens, held),
            partial(TokenChooser, decoding, _vocabulary(self._model), self._device),
            decoding,
            self._ends,
            self._capacity,
        )

    def score(self, block: PromptBlock, continuations: Continuations) -> Iterator[tuple[int, Likelihood]]:
        """See `Engine.score`. PromptTooLong is raised by the call itself, the rest while iterating.

        A continuation's tokens are those by which its text lengthens the prompt's where the tokenizer keeps the
        prompt's tokens as they are, else those it has alone.

        Raises:
            GenerationFailed: by the call itself, when a continuation has no tokens.
        """
        prompts = self._prompts.prompts(block)
        asked = [
            Given(index, prompt, added)
            for index, (prompt, added) in enumerate(
                zip(prompts, self._added(block, prompts, continuations), strict=True)
            )
        ]
        for given in sorted(asked, key=lambda given: -given.length):
            self._check_room([given.prompt], len(given.continuation))
            self._check_embedded([given.prompt + given.continuation])
        return self._likelihoods(asked, self._shared(block, prompts))

    def _added(self, block: PromptBlock, prompts: list[list[int]], continuations: Continuations) -> list[list[int]]:
        """The continuations' tokens."""
        texts = [block.prompt(index) + continuation for index, continuation in enumerate(continuations.texts)]
        wholes = self._prompts.tokens(texts, block.bos)
        added = [
            self._prompts.continuation(continuation, prompt, whole)
            for whole, prompt, continuation in zip(wholes, prompts, continuations.texts, strict=True)
        ]
        if not all(added):
            raise GenerationFailed("a continuation has no tokens, so it has no likelihood")
        return added

    def _likelihoods(self, asked: list[Given], shared: int) -> Iterator[tuple[int, Likelihood]]:
        if not asked:
            return
        rows = self._new_rows()
        rows.stand_behind(asked[0].prompt[:shared])
        self._capacity.fit(self._fitting(max(given.length for given in asked) - shared, 0, 0))
        yield from likelihoods(rows, asked, shared, _vocabulary(self._model), self._capacity, self._device)

    def _requests(self, new: int, stops: Stops, job: int, block: PromptBlock) -> list[Request]:
        prompts = self._prompts.prompts(block)
        self._check_room(prompts, new)
        self._check_embedded(prompts)
        prefix = prompts[0][: self._shared(block, prompts)] if prompts else []
        return [
            Request(
                job,
                index,
                block.prompt(index),
                tokens,
                prefix,
                Transcript(self._tokenizer, tokens, stops),
                question=block.suffixes[index],
                earlier=self._earlier if self._drafts else None,
            )
            for index, tokens in enumerate(prompts)
        ]

    def _new_rows(self) -> PlainRows | SharedRows | PagedRows:
        """An empty batch."""
        if self._tree is None:
            return PlainRows(self._model)
        if self._kernels.paged is None or len(self._room.devices) > 1 or not self._plain:
            return SharedRows(self._model, self._kernels, self._tree, self._record, self._step_forward)
        if self._steps is None:
            pages = Pages(self._pages(self._tree), self._kernels.page)
            self._steps = RecordedSteps(self._model, self._kernels.paged, pages, self._record, self._step_forward)
        return PagedRows(self._model, self._kernels, self._tree, self._steps)

    def _pages(self, tree: PrefixTree) -> int:
        """The number of pages: as many as the memory gives, or as the longest texts could need."""
        page, longest = self._kernels.page, self._card.context_tokens
        most = 1 + (self._capacity.rows + MOST_PREFIXES) * -(-longest // page)
        return min(most, self._room.pages(page, tree.spare))

    def _fitting(self, own: int, new: int, held: int) -> int:
        """Rows that fit the memory, each of which has `own` tokens behind its prefix and gains `new` ones; at least 1.

        Args:
            held: by rows that are there already, which counts as free: bytes, or pages where they are in pages.
        """
        if self._tree is None:
            return self._room.whole_rows(own, new)
        if self._steps is not None:
            pages = self._steps.pages
            return max(1, (pages.free + held) // pages.needed(own + new))
        return self._room.rows(own + new, self._tree.spare - held)

    def _shared(self, block: PromptBlock, prompts: list[list[int]]) -> int:
        """Tokens that all prompts begin with, at least one less than the shortest has; none on the plain path, where
        the prefix stays with every row.

        A single prompt shares what its prefix alone has for tokens, so that no question of its own stays in memory.
        """
        if self._tree is None:
            return 0
        texts = prompts if len(prompts) > 1 else [*prompts, *self._prompts.tokens([block.prefix], block.bos)]
        limit = min(len(tokens) for tokens in prompts) - 1 if prompts else 0
        return min(len(shared_start(texts)), limit)

    def _check_room(self, prompts: list[list[int]], new_tokens: int) -> None:
        longest = max((len(tokens) for tokens in prompts), default=0)
        if longest + new_tokens > self._card.context_tokens:
            raise PromptTooLong(longest, new_tokens, self._card.context_tokens)
        if any(not tokens for tokens in prompts):
            raise GenerationFailed("a prompt has no tokens at all: give it a text or a begin-of-text token")

    def _check_embedded(self, texts: list[list[int]]) -> None:
        """Refuse what is read of a token without a row in the embedding: a GPU serves nobody after such an index."""
        if (highest := max(map(max, texts), default=0)) >= self._embedded:
            name = self._tokenizer.convert_ids_to_tokens(highest)
            raise GenerationFailed(f"a text holds {name!r}, a token that the model has no embedding for: reword it")


def _vocabulary(model: Any) -> int:
    """Width of the logits; may be more than the tokenizer has tokens."""
    return int(model.config.get_text_config(decoder=True).vocab_size)
