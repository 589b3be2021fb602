"""How answers are decoded."""

from typing import Annotated, Self

from pydantic import (
    Field,
    model_validator,
)

from configs.schema.knobs import Knobs, Seed


class DecodingConfig(Knobs):
    """How tokens are chosen; see `workers.prompt.Decoding`."""

    max_new_tokens: Annotated[int, Field(ge=1)] = 2048
    """Most tokens of an answer."""
    temperature: Annotated[float, Field(ge=0, le=10)] = 0.0
    """0 is greedy."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Nucleus mass, in (0, 1]."""
    top_k: Annotated[int, Field(ge=0)] = 0
    """Most likely tokens kept; 0 keeps all."""
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] = 1.0
    """1 is off. It counts the prompt's tokens too, so the number of demonstrations changes its effect."""
    stop: tuple[Annotated[str, Field(min_length=1)], ...] | None = None
    """An answer ends before the first of these; the template's own stop strings when absent."""
    seed: Seed = 0
    """Seed of sampling; without effect at temperature 0."""


class FurtherDecodingConfig(Knobs):
    """A further decoding that candidates may have. What is absent is as in `decoding`."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    """Yours: what it is called in the journal and in reports; at most 40 characters."""
    max_new_tokens: Annotated[int, Field(ge=1)] | None = None
    """Most tokens of an answer, as in `decoding`; the others are as there, too."""
    temperature: Annotated[float, Field(ge=0, le=10)] | None = None
    """0 is greedy."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Nucleus mass, in (0, 1]."""
    top_k: Annotated[int, Field(ge=0)] | None = None
    """Most likely tokens kept; 0 keeps all."""
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] | None = None
    """1 is off."""

    @model_validator(mode="after")
    def _speakable(self) -> Self:
        plain = all(character.isalnum() or character in "_-. " for character in self.name)
        if not plain or not self.name[0].isalnum() or self.name != self.name.strip():
            raise ValueError(
                f"the name {self.name!r} must begin with a letter or digit and hold only these, ' ', '.', '-', '_'"
            )
        return self
