"""An engine without a model, that passes the kit: it says letters drawn from a hash of what stands before them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from workers.failures import PromptTooLong
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock
from workers.text_model import ModelCard


class EchoEngine:
    """One token a character."""

    card = ModelCard("echo/1", context_tokens=400, device="none")

    def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        return tuple(len(block.prompt(index)) + block.bos for index in range(len(block.suffixes)))

    def generate(self, block: PromptBlock, decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        lengths = self.count_tokens(block)
        if lengths and max(lengths) + decoding.max_new_tokens > self.card.context_tokens:
            raise PromptTooLong(max(lengths), decoding.max_new_tokens, self.card.context_tokens)
        for index, length in enumerate(lengths):
            yield index, _completion(block.prompt(index), length, decoding)

    def score(self, block: PromptBlock, continuations: Continuations) -> Iterator[tuple[int, Likelihood]]:
        asked = list(zip(self.count_tokens(block), continuations.texts, strict=True))
        for length, text in asked:
            if length + len(text) > self.card.context_tokens:
                raise PromptTooLong(length, len(text), self.card.context_tokens)
        for index, (_, text) in enumerate(asked):
            digest = hashlib.sha256(f"{block.prompt(index)}{text}".encode()).digest()
            yield index, Likelihood(-float(digest[0] + digest[1] / 256), len(text))


def _completion(prompt: str, prompt_tokens: int, decoding: Decoding) -> Completion:
    seed = decoding.seed if decoding.temperature else 0
    text = ""
    while len(text) < decoding.max_new_tokens:
        text += chr(ord("a") + hashlib.sha256(f"{seed}{prompt}{text}".encode()).digest()[0] % 26)
        cut = min((at for stop in decoding.stop if (at := text.find(stop)) >= 0), default=None)
        if cut is not None:
            return Completion(text[:cut], prompt_tokens, len(text), "stop")
    return Completion(text, prompt_tokens, len(text), "length")
