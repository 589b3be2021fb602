"""How many tokens a text has, before any model is loaded."""

import os
from collections.abc import Sequence
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any

from configs.errors import InputError
from configs.schema.model import AnyModelConfig, NamedWeightsConfig, is_path
from workers.failures import GenerationFailed, PromptsTooLong
from workers.prompt import PromptBlock
from workers.shared_prefix.tokenization import PromptTokenizer

GUESS = 0.25
"""Tokens a character of English, for today's vocabularies."""


def tokens_a_character(model: AnyModelConfig, sample: str) -> tuple[float, str]:
    """Tokens a character by the model's tokenizer on a sample, and a sentence that says so; the usual guess where there
    is no tokenizer on this machine. Nothing is fetched.

    Args:
        sample: not empty.
    """
    name, _ = model.tokenizer_source
    tokenizer = local_tokenizer(model)
    if tokenizer is None:
        return GUESS, "the model's tokens are guessed as characters / 4: its tokenizer is not on this machine"
    tokens = len(tokenizer(sample, add_special_tokens=False, verbose=False)["input_ids"])
    return tokens / len(sample), f"the model's tokens are counted with the tokenizer of {name}, on a sample"


def local_tokenizer(model: AnyModelConfig) -> Any:
    """The model's tokenizer; None where it is not on this machine, or a served model names none."""
    name, revision = model.tokenizer_source
    return _load(name, revision) if name else None


def is_here(name: str, revision: str | None) -> bool:
    """Whether the tokenizer of a model, a folder or one of the hub, is on this machine."""
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415 -- heavy

    if is_path(name):  # which huggingface_hub does not take
        return os.path.isdir(name)  # noqa: PTH112 - Path's own raises for a name that is too long
    return Path(name).is_dir() or isinstance(
        try_to_load_from_cache(name, "tokenizer_config.json", revision=revision), str
    )


def is_elsewhere(model: AnyModelConfig) -> bool:
    """Whether the model has a tokenizer on the hub that was not fetched to this machine yet."""
    if isinstance(model, NamedWeightsConfig) and model.names_folder:
        return False
    return model.tokenizer_source[0] is not None and local_tokenizer(model) is None


def known_context(model: AnyModelConfig) -> int | None:
    """The tokens that a prompt and its answer may have together, by the config and by the model's files on this
    machine; None where neither says."""
    name, revision = model.tokenizer_source
    limits = (model.context_tokens, _own_limit(name, revision) if name else None)
    return min((limit for limit in limits if limit), default=None)


@lru_cache(maxsize=8)
def _load(name: str, revision: str | None) -> Any:
    from transformers import AutoTokenizer  # noqa: PLC0415 -- heavy

    try:
        return AutoTokenizer.from_pretrained(name, revision=revision, local_files_only=True)
    except Exception:  # the library raises OSError, ValueError, KeyError and more; a guess will do
        return None


def refuse_unreadable(model: AnyModelConfig, name: str, block: PromptBlock, new_tokens: int) -> None:
    """Refuse prompts that no engine would answer, as far as this machine can tell: with the model's tokenizer, and the
    limit of the config or of the tokenizer's files.

    Args:
        name: what the prompts are called.

    Raises:
        PromptsTooLong: the context cannot hold the longest with its answer.
        InputError: they begin with the begin-of-text token that the tokenizer adds.
    """
    tokenizer, context = local_tokenizer(model), known_context(model)
    if context is not None and new_tokens >= context:
        raise PromptsTooLong(
            f"{new_tokens:,} new tokens leave no room in the model's context of {context:,}: lower max_new_tokens of "
            "its decoding"
        )
    if tokenizer is None:
        return
    longest = block.prefix + max(block.suffixes, key=len)
    try:
        tokens = len(PromptTokenizer(tokenizer).tokens([longest], bos=block.bos)[0])
    except GenerationFailed as error:
        if isinstance(model, NamedWeightsConfig):
            raise InputError(f"{name}: {error}") from None
        return
    if context is not None and tokens + new_tokens > context:
        raise PromptsTooLong(
            f"{name} with the longest question has {tokens:,} tokens; with {new_tokens:,} new tokens that is more than "
            f"the model's context of {context:,}: shorten it, or lower max_new_tokens of its decoding"
        )


def unfit(model: AnyModelConfig, block: PromptBlock, added: Sequence[str], new_tokens: int) -> list[int]:
    """Positions of the texts that the context cannot hold beside the longest prompt of the block and its answer; none
    where no tokenizer on this machine can tell.

    Raises:
        GenerationFailed: as `PromptTokenizer`.
    """
    tokenizer, context = local_tokenizer(model), known_context(model)
    if tokenizer is None or context is None:
        return []
    [longest] = PromptTokenizer(tokenizer).tokens([block.prefix + max(block.suffixes, key=len)], bos=block.bos)
    room = context - new_tokens - len(longest)
    long = [at for at, text in enumerate(added) if len(text.encode()) > room]  # a token has a byte at the least
    return [at for at in long if len(tokenizer(added[at], add_special_tokens=False, verbose=False)["input_ids"]) > room]


def doubt_of_length(model: AnyModelConfig, name: str, block: PromptBlock, new_tokens: int) -> str | None:
    """A sentence on prompts that seem too long for the context, where no tokenizer on this machine can count them."""
    context = known_context(model)
    if context is None or local_tokenizer(model) is not None:
        return None
    tokens = ceil(GUESS * (len(block.prefix) + max(map(len, block.suffixes))))
    if tokens + new_tokens <= context:
        return None
    return (
        f"{name} with the longest question has about {tokens:,} tokens (guessed as characters / 4); with "
        f"{new_tokens:,} new tokens that is more than the model's context of {context:,}, and then the run refuses it"
    )


@lru_cache(maxsize=8)
def _own_limit(name: str, revision: str | None) -> int | None:
    """The context of the model whose config is on this machine."""
    from transformers import AutoConfig  # noqa: PLC0415 -- heavy

    try:
        config = AutoConfig.from_pretrained(name, revision=revision, local_files_only=True)
    except Exception:  # as for tokenizers; the run will say what is wrong
        return None
    return getattr(config.get_text_config(decoder=True), "max_position_embeddings", None)
