"""The turns that count, and their weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from configs.errors import InputError
from configs.plural import show_many
from configs.schema.scoring import ScoringConfig
from evaluators.question import Question

_NAMED = {"turn_1": (1.0,), "turn_2": (0.0, 1.0), "mean": (1.0, 1.0)}


@dataclass(frozen=True, slots=True)
class Objective:
    """A weighted mean over turns.

    Attributes:
        weights: by turn, >= 0, the last one > 0.
    """

    weights: tuple[float, ...] = (1.0,)

    @classmethod
    def of(cls, config: ScoringConfig) -> Self:
        """What the config names or spells out."""
        weights = _NAMED[config.objective] if isinstance(config.objective, str) else config.objective
        return cls(weights)

    @property
    def turns(self) -> int:
        """Turns to be answered."""
        return len(self.weights)

    def counts(self, turn: int) -> bool:
        """Whether answers to this turn, from 0, are to be judged."""
        return self.weights[turn] > 0

    def judged(self, turns: int) -> int:
        """Answers to be judged of a question with so many turns."""
        return sum(weight > 0 for weight in self.weights[:turns])

    def check(self, questions: Sequence[Question]) -> None:
        """Raises InputError where a question has no turn that counts."""
        first = next(turn for turn in range(self.turns) if self.counts(turn))
        short = [question.id for question in questions if len(question.turns) <= first]
        if short:
            raise InputError(
                f"scoring.objective counts from turn {first + 1} on, and "
                f"{show_many(len(short), 'question has', 'questions have')} fewer turns "
                f"(first: {short[0]}): leave them out, or count turn 1"
            )

    def combine(self, scores: Sequence[float | None]) -> float:
        """The weighted mean over the turns that a question has and that count."""
        if len(scores) == 1 and scores[0] is not None:
            return scores[0]
        pairs = [(weight, score) for weight, score in zip(self.weights, scores, strict=False) if score is not None]
        return sum(weight * score for weight, score in pairs) / sum(weight for weight, _ in pairs)
