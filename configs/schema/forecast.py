"""What a dry run assumes of lengths and speed, before anything has run."""

from typing import Annotated

from pydantic import Field

from configs.schema.knobs import Knobs


class ForecastConfig(Knobs):
    """What `--dry-run` assumes where nothing is measured yet. Decides nothing else."""

    tokens_per_second: Annotated[float, Field(gt=0)] | None = None
    """New tokens a second, all workers together; `--tokens-per-second` goes before it."""
    answer_tokens: Annotated[float, Field(gt=0)] | None = None
    """Mean tokens of an answer."""
    verdict_tokens: Annotated[float, Field(gt=0)] | None = None
    """Mean tokens that a call of the judge writes, hidden reasoning included."""
    gpus: Annotated[float, Field(ge=0)] | None = None
    """GPUs that all workers hold together, 0 for none, where `workers` leaves that to the machine."""
