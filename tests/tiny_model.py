"""Models small enough to build in a test, saved as real ones are: weights, config, and a byte-level tokenizer."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    DiffLlamaConfig,
    DiffLlamaForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
)

TEXT = (
    "# Query:\n```\nWhich tree grows fastest? What is a stop string, and why does it end the answer?\n```\n\n"
    "# Answer:\n```\nThe fastest tree is the one that was planted first. Thank you, and ask again!\n```\n"
)


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE with some merges, 320 tokens, `<s>` in front as Llama's. Encodes any text."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator([TEXT] * 4, trainer)
    bpe.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bpe,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        clean_up_tokenization_spaces=False,
    )


def _sizes(heads: int, groups: int, context: int) -> dict[str, Any]:
    return {
        "vocab_size": 320,
        "hidden_size": 8 * heads,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": heads,
        "num_key_value_heads": heads // groups,
        "max_position_embeddings": context,
        "initializer_range": 0.3,  # large enough for outputs that do not repeat themselves
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 2,
    }


def random_llama(seed: int = 0, heads: int = 4, groups: int = 2, context: int = 512) -> Any:
    """Random weights, fp32. `groups` query heads share a key-value head."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(LlamaConfig(**_sizes(heads, groups, context))).train(False)


def random_mistral(window: int | None, seed: int = 0, context: int = 512) -> Any:
    """Random weights, fp32; `window`: tokens a position can see, None for all."""
    torch.manual_seed(seed)
    return MistralForCausalLM(MistralConfig(**_sizes(4, 2, context), sliding_window=window)).train(False)


def random_unshared(seed: int = 0, context: int = 512) -> Any:
    """Random weights, fp32; its attention is the difference of two, so that prefixes are not shared."""
    torch.manual_seed(seed)
    return DiffLlamaForCausalLM(DiffLlamaConfig(**_sizes(4, 2, context))).train(False)


def parrot(text: str) -> Any:
    """Says `text` and then end-of-text, once it reads the first token of `text`. No token may occur in it twice."""
    tokens = [*tokenizer().encode(text, add_special_tokens=False), 1]
    assert len(set(tokens)) == len(tokens), "a parrot's text must not repeat a token"
    model = LlamaForCausalLM(LlamaConfig(**{**_sizes(4, 1, 512), "hidden_size": 320})).train(False)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(320))
        model.lm_head.weight.zero_()
        for token, follower in pairwise(tokens):
            model.lm_head.weight[follower, token] = 1
    return model


@cache
def random_classifier(labels: int = 1, seed: int = 0, pad: int | None = 2) -> Any:
    """A reward model: the same body, with a head that gives a text so many scores."""
    config = random_llama(context=128).config
    config.num_labels, config.pad_token_id = labels, pad
    torch.manual_seed(seed)
    return LlamaForSequenceClassification(config).train(False)  # type: ignore[no-untyped-call]


def save(model: Any, folder: Path) -> Path:
    """The folder, which now holds the model and the tokenizer."""
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder
