"""Limits on the tokens of prompts, which only a loaded model can count."""

import asyncio
from dataclasses import replace

from configs.errors import InputError
from search.problem.material import Material
from search.problem.space import SearchSpace
from search.prompts.render import Renderer
from workers.failures import GenerationFailed, PromptsTooLong
from workers.prompt import PromptBlock
from workers.text_model import ModelCard, TextModel


async def limit_tokens(
    space: SearchSpace, limit: int | None, material: Material, renderer: Renderer, model: TextModel
) -> SearchSpace:
    """The space with this limit; the tokens of a demonstration are what it adds to a prompt with nothing else in it.

    Raises:
        PromptsTooLong: no demonstration is short enough.
    """
    if limit is None:
        return space
    asked = [(material.search[0].query,)]

    async def tokens(*names: str) -> int:
        demonstrations = [material.demonstrations[name] for name in names]
        return (await model.count_tokens(renderer.block("", demonstrations, asked)))[0]

    nothing = await tokens()
    names = list(dict.fromkeys((*space.base, *space.pool)))
    counts = await asyncio.gather(*(tokens(name) for name in names))
    limited = replace(
        space,
        tokens={name: count - nothing for name, count in zip(names, counts, strict=True)},
        max_tokens=limit,
    )
    if not any(limited.fits((name,)) for name in space.pool) or not limited.fits(space.required):
        raise PromptsTooLong(
            f"strategy.max_prompt_tokens is {limit:,}, and no candidate is that short: raise it, shorten the "
            "demonstrations, or require fewer"
        )
    return limited


async def refuse_long_prompt(name: str, block: PromptBlock, new_tokens: int, model: TextModel, card: ModelCard) -> None:
    """Raises PromptsTooLong where the model's context is too small for any prompt of the block and its answer.

    Args:
        name: what the prompts are called in a complaint.
    """
    complaint = await complaint_of_length(name, block, new_tokens, model, card)
    if complaint is not None:
        raise PromptsTooLong(f"{complaint}: shorten it, or lower max_new_tokens of its decoding")


async def complaint_of_length(
    name: str, block: PromptBlock, new_tokens: int, model: TextModel, card: ModelCard
) -> str | None:
    """What `refuse_long_prompt` refuses, without the advice; None for prompts that fit.

    Raises:
        InputError: the model cannot read the prompts.
    """
    try:
        longest = max(await model.count_tokens(block))
    except GenerationFailed as error:
        raise InputError(f"the model cannot read {name} ({error})") from error
    if longest + new_tokens <= card.context_tokens:
        return None
    return (
        f"{name} with the longest question has {longest:,} tokens; with {new_tokens:,} new tokens that is more than "
        f"the model's context of {card.context_tokens:,}"
    )
