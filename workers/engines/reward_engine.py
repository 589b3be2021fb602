"""A reward model of the transformers library, in this process: a classification head over a language model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from configs.errors import InputError
from workers.failures import GenerationFailed, PromptTooLong
from workers.prompt import PAIR, PromptBlock, Reward
from workers.shared_prefix import memory, weights
from workers.shared_prefix.capacity import Capacity, rows_read_once, sizes
from workers.shared_prefix.memory_plan import layer_shares
from workers.text_model import ModelCard

if TYPE_CHECKING:
    from configs.schema.model import RewardModelConfig

VERSION = "reward-engine/1"  # raise it with every change that can change a reward
KNOB = "judge.model"  # what its config is called
MOST_ROWS = {"cpu": 32, "cuda": 256}  # more gain nothing: the weights are read for thousands of tokens then
SHARE = 0.5  # of the free memory that a batch may take: other workers look at the same memory

Encoding = dict[str, list[int]]
"""What a tokenizer makes of a text: `input_ids`, and for some models `token_type_ids`."""


class TransformersRewardEngine:
    """A `workers.text_model.RewardEngine` on transformers.

    A text of a block is its prefix and a suffix. Of a model that reads pairs it is two texts with `PAIR` between them,
    and `bos` says whether the tokenizer adds its special tokens, which for pairs it should.

    Args:
        model: with a classification head, in evaluation mode.
        tokenizer: the model's own.
        card: see `ModelCard`.
        batch_size: texts read at the same time, at most; as many as the free memory holds when absent.
        pairs: texts are read as pairs.
        label: index of the output that is the score.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        card: ModelCard,
        batch_size: int | None = None,
        *,
        pairs: bool = False,
        label: int = 0,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._card = card
        self._pairs = pairs
        self._label = label
        self._device = torch.device(model.device)
        self._capacity = Capacity(batch_size or MOST_ROWS[self._device.type])
        self._sizes = sizes(model.config.get_text_config(), model.dtype.itemsize)
        self._pad = _settle_padding(model, tokenizer)

    @classmethod
    def load(cls, config: RewardModelConfig) -> TransformersRewardEngine:
        """Raises InputError when the model, its tokenizer or the device asked for cannot be had, when the model has no
        trained head, or no such label."""
        device = weights.device_of(config, KNOB)
        source = weights.find(config, KNOB)
        tokenizer = weights.load_tokenizer(source)
        model = weights.load_classifier(source, config, device)
        if config.label >= model.config.num_labels:
            raise InputError(f"{KNOB}.label: {config.name} has {model.config.num_labels} outputs, counted from 0")
        context = weights.context_of(model, tokenizer, config.context_tokens, KNOB)
        reads = f"{VERSION} reads {config.reads} label {config.label}"
        card = ModelCard(
            weights.fingerprint(source, reads, model.dtype),
            min(context, tokenizer.model_max_length),  # learnt positions may be fewer than the config has rows for
            weights.spoken(layer_shares(model)),
        )
        size = None if config.batch_size == "auto" else config.batch_size
        return cls(model, tokenizer, card, size, pairs=config.reads == "pair", label=config.label)

    @property
    def card(self) -> ModelCard:
        return self._card

    def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        """Length of each text, in tokens."""
        return tuple(len(encoding["input_ids"]) for encoding in self._encode(block))

    def rate(self, block: PromptBlock) -> Iterator[tuple[int, Reward]]:
        """Yields `(suffix index, reward)`, every index exactly once, in any order.

        Raises:
            PromptTooLong: by the call itself, when any text does not fit.
            GenerationFailed: a text is empty or no pair, not even one text at a time fits the memory, or the model
                computes NaN.
        """
        encodings = self._encode(block)
        lengths = [len(encoding["input_ids"]) for encoding in encodings]
        if lengths and max(lengths) > self._card.context_tokens:
            raise PromptTooLong(max(lengths), 0, self._card.context_tokens)
        if not all(lengths):
            raise GenerationFailed("a text has no tokens at all, so there is nothing to rate")
        return self._rated(encodings)

    def _encode(self, block: PromptBlock) -> list[Encoding]:
        texts = [block.prompt(index) for index in range(len(block.suffixes))]
        if not texts:
            return []
        if not self._pairs:
            return _rows(self._tokenizer(texts, add_special_tokens=block.bos))
        parted = [text.split(PAIR) for text in texts]
        if any(len(parts) != 2 for parts in parted):
            raise GenerationFailed("this reward model reads pairs, and a text is not two with one separator between")
        questions, answers = ([parts[side] for parts in parted] for side in (0, 1))
        return _rows(self._tokenizer(questions, answers, add_special_tokens=block.bos))

    def _rated(self, encodings: list[Encoding]) -> Iterator[tuple[int, Reward]]:
        """Longest first: neighbours need little padding, and too large a batch shows at once."""
        waiting = sorted(range(len(encodings)), key=lambda index: -len(encodings[index]["input_ids"]))
        while waiting:
            longest = len(encodings[waiting[0]]["input_ids"])
            free = int(SHARE * memory.free_bytes(self._device))
            self._capacity.fit(rows_read_once(free, longest, self._sizes))
            batch = waiting[: self._capacity.rows]
            scores = self._try([encodings[index] for index in batch])
            if scores is None:
                memory.give_back(self._device)
                self._capacity.halve(len(batch))
                continue
            if any(math.isnan(score) for score in scores):
                raise GenerationFailed(f"the reward model computes NaN: try {KNOB}.dtype=bfloat16 or float32")
            waiting = waiting[len(batch) :]
            for index, score in zip(batch, scores, strict=True):
                yield index, Reward(score, len(encodings[index]["input_ids"]))

    @torch.inference_mode()
    def _try(self, batch: list[Encoding]) -> list[float] | None:
        """The scores, or None when they do not fit the memory."""
        try:
            logits = self._model(**self._padded(batch)).logits
            return [float(score) for score in logits[:, self._label].float().tolist()]
        except RuntimeError as error:
            if not memory.is_out_of_memory(error):
                raise
            return None

    def _padded(self, batch: list[Encoding]) -> dict[str, torch.Tensor]:
        """Pad on the right, where a causal model does not look and positions stay what they are."""
        longest = max(len(encoding["input_ids"]) for encoding in batch)
        fill = {name: self._pad if name == "input_ids" else 0 for name in batch[0]}
        inputs = {
            name: torch.tensor([encoding[name] + [pad] * (longest - len(encoding[name])) for encoding in batch])
            for name, pad in fill.items()
        }
        mask = [[1] * len(row) + [0] * (longest - len(row)) for row in (encoding["input_ids"] for encoding in batch)]
        inputs["attention_mask"] = torch.tensor(mask)
        return {name: tensor.to(self._device) for name, tensor in inputs.items()}


def _rows(encoded: Any) -> list[Encoding]:
    names = [name for name in ("input_ids", "token_type_ids") if name in encoded]
    return [dict(zip(names, row, strict=True)) for row in zip(*(encoded[name] for name in names), strict=True)]


def _settle_padding(model: Any, tokenizer: Any) -> int:
    """The id that pads. A causal model rates a text at its last token that is no padding; where its config names none,
    the id of a token is taken that ends no text."""
    config = model.config.get_text_config()
    if config.pad_token_id is None:
        candidates = (tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.unk_token_id)
        ends = tokenizer.eos_token_id
        config.pad_token_id = next((token for token in candidates if token is not None and token != ends), 0)
    return int(config.pad_token_id)
