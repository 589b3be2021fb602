"""Whether a model's context holds a prompt: told before any weights are loaded."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from configs.schema.model import AnyModelConfig, ServedModelConfig
from evaluators.question import Question
from search.experiments.cell import Cell
from search.forecast.token_length import GUESS
from search.prompts.render import Renderer


class LengthLimit:
    """The longest prompts that the questions of all benchmarks leave room for.

    A model's own tokenizer counts where it is on this machine; else a token is guessed to be four characters, and the
    run itself, which loads the model, is the last to say.
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        self._longest = sorted(questions, key=lambda one: -len(one.query))[:5]  # tokens follow characters closely

    def reason_against(self, cell: Cell, renderer: Renderer) -> str | None:
        """Why this cell cannot run: its prompt with the longest question does not fit. None where it can."""
        context = _context(cell.model)
        if context is None:
            return None
        block = renderer.block(cell.prompt.rules, cell.prompt.demonstrations, [(one.query,) for one in self._longest])
        prompts = [block.prompt(at) for at in range(len(block.suffixes))]
        tokens = max(_tokens(prompt, cell.model, block.bos) for prompt in prompts)
        new = cell.decoding.max_new_tokens
        if tokens + new <= context:
            return None
        return (
            f"context too short: the longest prompt has {tokens:,} tokens, with {new:,} new ones more than the model's "
            f"{context:,}"
        )


def _tokens(prompt: str, model: AnyModelConfig, bos: bool) -> int:
    name, revision = (
        (model.tokenizer, model.tokenizer_revision)
        if isinstance(model, ServedModelConfig)
        else (model.name, model.revision)
    )
    tokenizer = _tokenizer(name, revision) if name else None
    if tokenizer is None:
        return round(len(prompt) * GUESS)
    return len(tokenizer(prompt, add_special_tokens=bos, verbose=False)["input_ids"])


def _context(model: AnyModelConfig) -> int | None:
    """Tokens; None where only the model or its server knows."""
    if isinstance(model, ServedModelConfig):
        return model.context_tokens
    own = _own_context(model.name, model.revision)
    limits = [limit for limit in (own, model.context_tokens) if limit is not None]
    return min(limits, default=None)


@lru_cache(maxsize=8)
def _tokenizer(name: str, revision: str | None) -> Any:
    from transformers import AutoTokenizer  # noqa: PLC0415 -- heavy

    try:
        return AutoTokenizer.from_pretrained(name, revision=revision, local_files_only=True)
    except Exception:  # the library raises OSError, ValueError, KeyError and more; a guess will do
        return None


@lru_cache(maxsize=8)
def _own_context(name: str, revision: str | None) -> int | None:
    from transformers import AutoConfig  # noqa: PLC0415 -- heavy

    try:
        config = AutoConfig.from_pretrained(name, revision=revision, local_files_only=True)
    except Exception:  # as above
        return None
    length = getattr(config.get_text_config(decoder=True), "max_position_embeddings", None)
    return None if length is None else int(length)
