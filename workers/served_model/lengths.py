"""Whether prompts fit a server's context, as far as that can be known before they are sent."""

from collections.abc import Sequence

from workers.failures import GenerationFailed, PromptTooLong
from workers.prompt import Continuations, PromptBlock
from workers.served_model.server_probe import Server
from workers.served_model.token_counting import Counter, EstimatedCounter, ServerCounter, TokenizerCounter
from workers.service.failures import ServiceFailed
from workers.service.service import Service


class Lengths:
    """Counts with the tokenizer where there is one, else with the server where that counts, else estimates.

    Args:
        tokenizer: of the model, where the config names one.
    """

    def __init__(self, service: Service, server: Server, tokenizer: TokenizerCounter | None) -> None:
        self._context = server.card.context_tokens
        self._counter: Counter = EstimatedCounter()
        if tokenizer is not None:
            self._counter = tokenizer
        elif server.dialect.counting is not None:
            self._counter = ServerCounter(service, server.dialect.counting)

    async def of(self, block: PromptBlock) -> tuple[int, ...]:
        """Tokens of each prompt. Raises GenerationFailed."""
        return await self._count([block.prompt(index) for index in range(len(block.suffixes))], block.bos)

    async def refuse_long(self, block: PromptBlock, new_tokens: Sequence[int]) -> None:
        """Raise PromptTooLong for the longest prompt that does not fit.

        A prompt is counted when its prefix's tokens and one for each byte of its suffix might not fit.
        """
        if not self._counter.exact or not block.suffixes:
            return
        (prefix,) = await self._count([block.prefix], block.bos)
        bounds = [prefix + len(suffix.encode()) + 1 for suffix in block.suffixes]
        doubtful = [i for i, bound in enumerate(bounds) if bound + new_tokens[i] > self._context]
        lengths = await self._count([block.prompt(index) for index in doubtful], block.bos)
        if not self._counter.exact:  # the server has turned out not to count
            return
        asked = [(length, new_tokens[i]) for i, length in zip(doubtful, lengths, strict=True)]
        too_long = [(length, new) for length, new in asked if length + new > self._context]
        if too_long:
            longest, new = max(too_long)
            raise PromptTooLong(longest, new, self._context)

    async def refuse_long_with(self, block: PromptBlock, continuations: Continuations) -> list[int]:
        """See `refuse_long`; returns the lengths of the continuations, in tokens."""
        lengths = list(await self._count(continuations.texts, special=False))
        if not all(lengths):
            raise GenerationFailed("a continuation has no tokens")
        await self.refuse_long(block, lengths)
        return lengths

    async def too_long(self, block: PromptBlock, index: int, new_tokens: int) -> PromptTooLong:
        """What to raise for a prompt that the server refused; an estimate must not say that it fits."""
        (length,) = await self._count([block.prompt(index)], block.bos)
        return PromptTooLong(max(length, self._context - new_tokens + 1), new_tokens, self._context)

    async def _count(self, texts: Sequence[str], special: bool) -> tuple[int, ...]:
        try:
            return await self._counter.count(texts, special)
        except ServiceFailed as error:
            raise GenerationFailed(str(error)) from None
