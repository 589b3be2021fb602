"""What a benchmark runs: a model with random weights, a prefix and questions of random tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from transformers import LlamaConfig, LlamaForCausalLM

Size = Literal["small", "8b"]

SIZES: dict[Size, dict[str, Any]] = {
    "small": {
        "vocab_size": 4096,
        "hidden_size": 256,
        "intermediate_size": 688,
        "num_hidden_layers": 8,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
    },
    "8b": {  # Llama-3.1-8B
        "vocab_size": 128256,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
    },
}


@dataclass(frozen=True, slots=True)
class GenerationWorkload:
    """Prompts with a common prefix, and what is generated behind them.

    Attributes:
        prefix: tokens that all prompts begin with.
        questions: prompts, each with 40 to 60 tokens of its own.
        new: tokens generated behind each, no less and no more.
        seed: of the prompts.
    """

    prefix: int
    questions: int
    new: int
    seed: int = 1

    def prompts(self, vocabulary: int) -> list[list[int]]:
        generator = torch.Generator().manual_seed(self.seed)

        def draw(count: int) -> list[int]:
            return torch.randint(3, vocabulary, (count,), generator=generator).tolist()

        prefix = draw(self.prefix)
        return [prefix + draw(40 + index * 20 // max(1, self.questions - 1)) for index in range(self.questions)]


def random_model(size: Size, device: torch.device, dtype: torch.dtype) -> Any:
    """The same weights on every call; never ends a text by itself."""
    torch.manual_seed(0)
    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with device:
            rope = {"rope_type": "default", "rope_theta": 500000.0}
            model = LlamaForCausalLM(LlamaConfig(**SIZES[size], max_position_embeddings=2**17, rope_parameters=rope))
    finally:
        torch.set_default_dtype(usual)
    model.generation_config.eos_token_id = None
    return model.train(False)
