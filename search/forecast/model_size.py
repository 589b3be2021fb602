"""How large a model is, before any weights are loaded."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from configs.schema.model import ModelConfig

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True, slots=True)
class ModelSize:
    """A model's weights in numbers.

    Attributes:
        parameters: of all weights, tied ones once.
        adapted: inputs and outputs of all linear layers but the last, added up: an adapter of rank r has r times as
            many parameters.
        own_bytes: of a parameter in the precision that the model's config states.
    """

    parameters: float
    adapted: float
    own_bytes: int

    def bytes_a_parameter(self, dtype: str) -> int:
        """Bytes of a parameter in this `model.dtype`."""
        return _BYTES.get(dtype, self.own_bytes)


def size_of(model: ModelConfig, billions: float | None) -> ModelSize | None:
    """The size of a model, by its config or as declared.

    Args:
        billions: of parameters, in the place of what its config says. Adapters are then taken to be a fiftieth of one
            per cent of them a rank, as in models of seven billion.

    Returns:
        None where neither is known; nothing is fetched.
    """
    if billions is not None:
        return ModelSize(billions * 1e9, billions * 1e9 * 4e-4, 2)
    return _size_by_config(model.name, model.revision)


@lru_cache(maxsize=8)
def _size_by_config(name: str, revision: str | None) -> ModelSize | None:
    """Count the weights of the model whose config is on this machine, without memory for them."""
    import torch  # noqa: PLC0415 -- heavy
    from transformers import AutoConfig, AutoModelForCausalLM  # noqa: PLC0415 -- heavy
    from transformers.pytorch_utils import Conv1D  # noqa: PLC0415 -- heavy

    try:
        config: Any = AutoConfig.from_pretrained(name, revision=revision, local_files_only=True)
        with torch.device("meta"):
            model: Any = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    except Exception:  # whatever the model's own code raises; its size is then not known
        return None
    last = model.get_output_embeddings()
    linear = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear | Conv1D) and layer is not last]
    return ModelSize(
        parameters=sum(weights.numel() for weights in model.parameters()),
        adapted=sum(sum(layer.weight.shape) for layer in linear),
        own_bytes=getattr(config.get_text_config(decoder=True).dtype, "itemsize", 4),
    )
