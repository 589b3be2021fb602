"""What a finished fine-tuning leaves beside its model."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from configs.atomic_file import write_whole

FILE = "finetuned.json"


@dataclass(frozen=True, slots=True)
class FinetunedModel:
    """A model that was fine-tuned, and how.

    Attributes:
        model: folder with weights and tokenizer, which any engine can load.
        examples: trained on.
        too_long: ids of examples that were left out.
        steps: of the optimizer.
        loss: mean over the last step's answer tokens, in nats; None where no step was logged.
        seconds: of the process that finished it, without those of earlier ones that were killed.
    """

    model: Path
    examples: int
    too_long: tuple[str, ...]
    steps: int
    loss: float | None
    seconds: float

    def write(self, folder: Path) -> None:
        """Whole or not at all; from then on the training is finished."""
        content = asdict(self) | {"model": self.model.name}
        write_whole(folder / FILE, json.dumps(content, indent=1))

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """None where no training in `folder` is finished, or its model is gone since."""
        if not (folder / FILE).exists():
            return None
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        model = folder / content["model"]
        if not (model / "config.json").is_file() or not any(model.glob("*.safetensors")):
            return None
        return cls(**{**content, "model": model, "too_long": tuple(content["too_long"])})
