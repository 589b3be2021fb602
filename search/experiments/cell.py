"""One place of an experiment's grid, and what is said where it stays empty."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from configs.schema.data import RenderConfig
from configs.schema.decoding import DecodingConfig
from configs.schema.model import AnyModelConfig
from search.prompts.demonstration import Demonstration
from search.prompts.urial import BasePrompt

Label = str | int | float
Condition = Mapping[str, Label]
"""What tells the conditions of an experiment apart, for example `{"prompt": "rules only", "n": 0}`."""


@dataclass(frozen=True, slots=True)
class Training:
    """Training of the model on demonstrations, before it is asked.

    Attributes:
        demonstrations: in order; each is one example.
    """

    method: Literal["full", "lora"]
    demonstrations: tuple[Demonstration, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One prompt put to one model in one decoding.

    Attributes:
        condition: draws of one condition are one row of the table, and differ in `draw` alone.
        draw: number of a random draw, from 1; None where nothing is drawn.
        training: of `model`, before it is asked; None where it is asked as it is.
        chosen_by: ids of the search questions that have chosen demonstrations or decoding; empty where no search has.
    """

    condition: Condition
    prompt: BasePrompt
    model: AnyModelConfig
    render: RenderConfig
    decoding: DecodingConfig
    draw: int | None = None
    training: Training | None = None
    chosen_by: frozenset[str] = frozenset()

    @property
    def asked(self) -> tuple[object, ...]:
        """Equal where the same is asked of the same model; what a greedy decoding ignores makes no difference."""
        ignored = {"top_p": 1.0, "top_k": 0, "seed": 0} if self.decoding.temperature == 0 else {}
        texts = tuple(demonstration.texts for demonstration in self.prompt.demonstrations)
        decoding = self.decoding.model_copy(update=ignored)
        return self.prompt.rules, texts, self.model, self.render, decoding, self.training

    @property
    def is_prompted(self) -> bool:
        """Whether rules or demonstrations are shown to a model that was not trained on any."""
        return self.training is None and bool(self.prompt.rules.strip() or self.prompt.demonstrations)

    @property
    def name(self) -> str:
        """Differs from that of every other cell of the grid."""
        return cell_name(self.condition, self.draw)


@dataclass(frozen=True, slots=True)
class Hole:
    """A cell that cannot run.

    Attributes:
        benchmark: the only one concerned; None where all are.
        reason: a sentence without its stop.
        model: that would be asked; None for the config's own.
    """

    condition: Condition
    reason: str
    draw: int | None = None
    benchmark: str | None = None
    model: AnyModelConfig | None = None

    @property
    def name(self) -> str:
        return cell_name(self.condition, self.draw)


def cell_name(condition: Condition, draw: int | None) -> str:
    """`prompt rules only, n 3, draw 2`."""
    parts = [f"{name} {spell(value)}" for name, value in condition.items()]
    return ", ".join([*parts, *([] if draw is None else [f"draw {draw}"])])


def spell(value: Label) -> str:
    """A label for people."""
    return f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
