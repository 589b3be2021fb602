"""How a model is fine-tuned on demonstrations."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from configs.schema.knobs import Knobs


class LoraConfig(Knobs):
    """Low-rank adapters in place of all weights; merged into the weights when the training is done."""

    rank: Annotated[int, Field(ge=1)] = 16
    """Rank of each adapter."""
    alpha: Annotated[float, Field(gt=0)] = 32.0
    """Scale of each adapter is `alpha / rank`."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of an adapter's inputs that are dropped while training, in [0, 1)."""
    learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    """Learning rate in the place of the full fine-tuning's: adapters need a hundred times as much."""


class TrainingLength(Knobs):
    """How long a training of so many examples takes."""

    up_to: Annotated[int, Field(ge=1)] | None = None
    """Most examples that this holds for; any number when absent."""
    epochs: Annotated[int, Field(ge=1)]
    """How often each example is seen."""
    batch_size: Annotated[int, Field(ge=1)]
    """Examples a step of the optimizer."""


class FinetuningConfig(Knobs):
    """Supervised fine-tuning on answers alone. What is absent is as the paper had it (its table 5)."""

    learning_rate: Annotated[float, Field(gt=0)] = 2e-6
    """Peak of the schedule; the paper's: 2e-6 for Mistral-7B-v0.2, 4e-6 for Llama-3.1-8B."""
    lengths: Annotated[tuple[TrainingLength, ...], Field(min_length=1)] = (
        TrainingLength(up_to=3, epochs=6, batch_size=2),
        TrainingLength(up_to=300, epochs=6, batch_size=8),
        TrainingLength(epochs=15, batch_size=128),
    )
    """The first whose `up_to` holds the number of examples counts."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """What becomes of the learning rate after the warm-up."""
    warmup_share: Annotated[float, Field(ge=0, lt=1)] = 0.03
    """Share of all steps in which the learning rate rises from 0, in [0, 1)."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """AdamW's."""
    max_tokens: Annotated[int, Field(ge=2)] = 2048
    """An example with more tokens is left out and reported, never cut."""
    lora: LoraConfig = LoraConfig()
    """Adapters of the cells that are trained with them."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Precision of the weights that full fine-tuning trains: steps of 2e-6 are lost in bfloat16. On a GPU the
    computation is in bfloat16 in any case. Adapters leave the model in its own `model.dtype`."""
    device_batch_size: Annotated[int, Field(ge=1)] = 2
    """Examples that are in the device's memory at the same time; gradients are added up to `batch_size`."""
    checkpoints: Annotated[int, Field(ge=0)] = 3
    """Checkpoints of a training, evenly spaced, from which a killed one goes on; each holds weights and optimizer (12
    bytes a parameter in full fine-tuning), the one before is removed when it is whole, and the last when the training
    is done."""

    @model_validator(mode="after")
    def _every_number_has_a_length(self) -> Self:
        limits = [length.up_to for length in self.lengths]
        if limits[-1] is not None:
            raise ValueError("the last of lengths has an up_to; leave it out there, so that it holds for any number")
        bounded = limits[:-1]
        if None in bounded or bounded != sorted(set(bounded), key=lambda limit: limit or 0):
            raise ValueError("the up_to of lengths must rise, and only the last may have none")
        return self

    def length_for(self, examples: int) -> TrainingLength:
        """The training of so many examples."""
        return next(length for length in self.lengths if length.up_to is None or examples <= length.up_to)
