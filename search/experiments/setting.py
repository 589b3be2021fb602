"""What all experiments on a pair of models start from."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from configs.errors import InputError
from configs.plural import show_many
from configs.schema.data import PoolConfig, RenderConfig
from configs.schema.decoding import DecodingConfig
from configs.schema.experiment import ExperimentConfig
from configs.schema.model import AnyModelConfig
from search.experiments.cell import Cell, Condition, Hole, Training
from search.experiments.found_sets import FoundSet
from search.problem.pool import Pool, load_pool
from search.prompts.demonstration import Demonstration, numbered
from search.prompts.render import make_renderer
from search.prompts.urial import BasePrompt, form_of, load_base_prompt

CHAT = RenderConfig(template="chat")
EMPTY = BasePrompt("", ())

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setting:
    """A config with the files that it names, read once, when an experiment needs them."""

    config: ExperimentConfig

    @cached_property
    def base_prompt(self) -> BasePrompt:
        return load_base_prompt(self.config.base_prompt, form_of(self.config.render))

    @cached_property
    def pool(self) -> tuple[Demonstration, ...]:
        """The pool without the base prompt's own demonstrations. Raises InputError."""
        renderer = make_renderer(self.config.render, self.config.model)
        pool = self.read_pool(self.config.pool, renderer.holds)
        return tuple(pool.without(self.base_prompt.demonstrations).values())

    def read_pool(self, source: PoolConfig, usable: Callable[[Demonstration], bool]) -> Pool:
        """Demonstrations to show behind the base prompt's rules, after a warning if these lack the system message that
        the demonstrations were written under. Raises InputError.

        Args:
            usable: whether a prompt can hold a demonstration.
        """
        pool = load_pool(source, usable)
        for notice in pool.report.unshown(self.base_prompt.rules):
            _log.warning("%s: %s", source.path or source.hub, notice)
        return pool

    def cell(
        self,
        condition: Condition,
        prompt: BasePrompt,
        *,
        model: AnyModelConfig | None = None,
        chat: bool = False,
        decoding: DecodingConfig | None = None,
        draw: int | None = None,
        training: Training | None = None,
    ) -> Cell:
        """A cell of the base model in the config's decoding, but for what is given.

        Args:
            chat: the model is asked in its own chat template.
        """
        return Cell(
            condition=condition,
            prompt=prompt,
            model=model or self.config.model,
            render=CHAT if chat else self.config.render,
            decoding=decoding or self.config.decoding,
            draw=draw,
            training=training,
        )

    def cell_or_hole(
        self,
        reason: str | None,
        condition: Condition,
        prompt: BasePrompt,
        draw: int | None = None,
        training: Training | None = None,
    ) -> Cell | Hole:
        """The cell; a hole where there is a reason against it."""
        if reason is not None:
            return Hole(condition, reason, draw)
        return self.cell(condition, prompt, draw=draw, training=training)

    def found_cell(self, condition: Condition, found_set: FoundSet, size: int) -> Cell | Hole:
        """The best prompt with so many chosen demonstrations, in the decoding that it was found with; a hole where the
        search has none."""
        reason = found_set.reason_against(size)
        if reason is not None:
            return Hole(condition, reason)
        cell = self.cell(condition, found_set.prompt(size), decoding=found_set.decodings.get(size))
        return replace(cell, chosen_by=found_set.search_questions)

    def prompt(self, demonstrations: Sequence[Demonstration] = (), rules: bool = True) -> BasePrompt:
        """A prompt of these demonstrations behind the base prompt's rules, with ids that differ."""
        return BasePrompt(self.base_prompt.rules if rules else "", numbered(demonstrations))

    def draw(self, number: int, seed: int) -> tuple[Demonstration, ...]:
        """The pool in a random order. The first n of it are the n-shot prompt of this draw, so that prompts of one draw
        are nested and share their prefix."""
        return in_random_order(self.pool, number, seed)

    def reason_against(self, count: int) -> str | None:
        """Why the pool cannot give so many; None where it can."""
        have = len(self.pool)
        if count <= have:
            return None
        return f"the pool has {show_many(have, 'demonstration')}, {show_many(count, 'is', 'are')} asked for"

    def instruct(self) -> AnyModelConfig:
        """Raises InputError where the config names none."""
        if self.config.instruct is None:
            raise InputError("this experiment compares with an instruct model: set `instruct`")
        return self.config.instruct


def in_random_order(demonstrations: Sequence[Demonstration], number: int, seed: int) -> tuple[Demonstration, ...]:
    """The same for the same draw and seed."""
    shuffled = list(demonstrations)
    random.Random(f"{seed}/{number}").shuffle(shuffled)  # noqa: S311 -- no secret
    return tuple(shuffled)
