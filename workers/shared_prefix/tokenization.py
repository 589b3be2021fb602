"""Texts to tokens and back to where a text ends: the only door between an engine and its tokenizer."""

from __future__ import annotations

import logging
from typing import Any

from workers.failures import GenerationFailed
from workers.prompt import PromptBlock

log = logging.getLogger(__name__)

ANCHORS = ("", "\n", ":", "a")  # texts that a continuation may be tokenized behind


class PromptTokenizer:
    """Tokenizes whole prompts, so that their tokens are those a user gets who pastes them.

    Special tokens that the tokenizer puts behind a text (end of text, separators) are left out: a prompt goes on.

    Args:
        tokenizer: of transformers.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._block: tuple[PromptBlock, list[list[int]]] | None = None  # a block is counted, then answered
        self._front, self._behind = _surroundings(tokenizer)
        if self._behind:
            log.warning(
                "the tokenizer puts %s behind a text; it is left out, because a prompt is to be continued",
                " ".join(tokenizer.convert_ids_to_tokens(self._behind)),
            )

    def prompts(self, block: PromptBlock) -> list[list[int]]:
        """Tokens of each prompt of the block.

        Raises:
            GenerationFailed: a prompt spells the begin-of-text token that the tokenizer adds.
        """
        if self._block is None or self._block[0] != block:
            texts = [block.prompt(index) for index in range(len(block.suffixes))]
            self._block = block, self.tokens(texts, block.bos)
        return self._block[1]

    def tokens(self, texts: list[str], bos: bool) -> list[list[int]]:
        """Tokens of each text.

        Args:
            bos: with the special tokens that the tokenizer puts in front.

        Raises:
            GenerationFailed: as `prompts`.
        """
        if not texts:
            return []
        ids: list[list[int]] = self._tokenizer(texts, add_special_tokens=bos)["input_ids"]
        if not bos:
            return ids
        if self._behind:
            ids = [row[: -len(self._behind)] for row in ids]
        self._refuse_two_begins(ids)
        return ids

    def continuation(self, text: str, prompt: list[int], whole: list[int]) -> list[int]:
        """Tokens of a continuation behind a prompt: those by which the whole text lengthens the prompt's where the
        tokenizer keeps the prompt's tokens as they are, else those the continuation has alone, without the space that
        SentencePiece puts in front of a text.

        Args:
            prompt, whole: tokens of the prompt, and of prompt and continuation as one text.
        """
        if whole[: len(prompt)] == prompt:
            return whole[len(prompt) :]
        spelled = self._text(whole)
        pieces = [self._behind_anchor(anchor, text) for anchor in ANCHORS]
        exact = (piece for piece in pieces if piece is not None and self._text(prompt + piece) == spelled)
        return next(exact, pieces[0] or [])

    def _behind_anchor(self, anchor: str, text: str) -> list[int] | None:
        """Tokens of the text behind the anchor; None where the two share a token."""
        before, both = self._tokenizer([anchor, anchor + text], add_special_tokens=False)["input_ids"]
        return both[len(before) :] if both[: len(before)] == before else None

    def _text(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def _refuse_two_begins(self, ids: list[list[int]]) -> None:
        if not self._front:
            return
        place = len(self._front)
        twice = next((row[place] for row in ids if len(row) > place and row[place] in self._front), None)
        if twice is not None:
            name = self._tokenizer.convert_ids_to_tokens(twice)
            raise GenerationFailed(
                f"the prompt begins with {name}, which the tokenizer adds by itself, so the model would read it twice: "
                "remove it from the beginning of the rules, the base prompt or the template"
            )


def _surroundings(tokenizer: Any) -> tuple[list[int], list[int]]:
    """Special tokens that the tokenizer puts in front of a text, and behind it."""
    [bare] = tokenizer(["a"], add_special_tokens=False)["input_ids"]
    [whole] = tokenizer(["a"], add_special_tokens=True)["input_ids"]
    for place in range(len(whole) - len(bare) + 1):
        if whole[place : place + len(bare)] == bare:
            return whole[:place], whole[place + len(bare) :]
    return [], []


def end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Ids that end a text: those of the model's generation config, and the tokenizer's."""
    stated = model.generation_config.eos_token_id
    ends = {stated} if isinstance(stated, int) else set(stated or ())
    return frozenset(end for end in (*ends, tokenizer.eos_token_id) if end is not None)
