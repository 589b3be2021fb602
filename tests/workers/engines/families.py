"""Families of models, each as a tiny config that has what is special about it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
import transformers as hf
from transformers import AutoModelForCausalLM

Way = Literal["shared", "whole", "alone", "refused"]

WINDOW = 32  # tokens; fewer than the test's prompts have


@dataclass(frozen=True, slots=True)
class Family:
    """Attributes:
    name: as people know it.
    config: makes the tiny config, of a kind of transformers.
    way: how it is run.
    """

    name: str
    config: Callable[[], Any]
    way: Way


def _of(kind: str, **knobs: Any) -> Callable[[], Any]:
    """A config of transformers by its class name, with sizes that most of them know."""
    sizes = {
        "vocab_size": 320,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 2,
    }
    return lambda: getattr(hf, kind)(**{**sizes, **knobs})


def _gpt(kind: str, **knobs: Any) -> Callable[[], Any]:
    """Likewise, with the names that GPT-2 gave."""
    sizes = {"vocab_size": 320, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256}
    return lambda: getattr(hf, kind)(**{**sizes, "bos_token_id": 0, "eos_token_id": 1, **knobs})


def _rope(kind: str, **knobs: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 1e4, "factor": 4.0, **knobs}}


_LONG = {"short_factor": [1.0] * 4, "long_factor": [3.0] * 4, "original_max_position_embeddings": 128}
_LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24}
_LOCAL = {"num_local_experts": 2, "num_experts_per_tok": 1}
_DEEP = {
    "num_key_value_heads": 4,
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_nope_head_dim": 16,
    "qk_rope_head_dim": 8,
    "v_head_dim": 16,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 24,
    "n_group": 2,
    "topk_group": 1,
    "first_k_dense_replace": 1,
    "n_shared_experts": 1,
}
_INDEXED = {**_DEEP, "n_group": 1, "index_topk": 32, "index_n_heads": 64, "index_head_dim": 16}
_MAMBA = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8}
_DELTA = {
    "head_dim": 16,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}
_MIXED = ["sliding_attention", "full_attention"] * 2

FAMILIES = [
    Family("Llama 2", _of("LlamaConfig", num_key_value_heads=4), "shared"),
    Family("Llama 3", _of("LlamaConfig"), "shared"),
    Family("Llama 3.1 to 3.3", _of("LlamaConfig", **_rope("llama3", **_LLAMA3)), "shared"),
    Family("Llama, YaRN", _of("LlamaConfig", **_rope("yarn", original_max_position_embeddings=64)), "shared"),
    Family("Llama, linear RoPE", _of("LlamaConfig", **_rope("linear")), "shared"),
    Family("Llama, dynamic NTK", _of("LlamaConfig", **_rope("dynamic")), "shared"),
    Family(
        "Llama 4",
        _of(
            "Llama4TextConfig",
            head_dim=8,
            intermediate_size_mlp=48,
            num_local_experts=2,
            attention_chunk_size=64,
            interleave_moe_layer_step=2,
        ),
        "whole",
    ),
    Family("Mistral 7B v0.1", _of("MistralConfig", sliding_window=WINDOW), "shared"),
    Family("Mistral 7B v0.3, Nemo", _of("MistralConfig", sliding_window=None, head_dim=16), "shared"),
    Family("Mixtral", _of("MixtralConfig", **_LOCAL), "shared"),
    Family("Qwen2, Qwen2.5", _of("Qwen2Config"), "shared"),
    Family(
        "Qwen2.5, window on",
        _of("Qwen2Config", use_sliding_window=True, sliding_window=WINDOW, max_window_layers=2),
        "shared",
    ),
    Family("Qwen2-MoE", _of("Qwen2MoeConfig", shared_expert_intermediate_size=32, **_EXPERTS), "shared"),
    Family("Qwen3", _of("Qwen3Config", head_dim=16), "shared"),
    Family("Qwen3-MoE", _of("Qwen3MoeConfig", head_dim=16, **_EXPERTS), "shared"),
    Family("Qwen3-Next", _of("Qwen3NextConfig", shared_expert_intermediate_size=24, **_EXPERTS, **_DELTA), "whole"),
    Family("Qwen3.5", _of("Qwen3_5TextConfig", **_DELTA), "whole"),
    Family("Gemma", _of("GemmaConfig", head_dim=16), "shared"),
    Family("Gemma 2", _of("Gemma2Config", head_dim=16, sliding_window=WINDOW, query_pre_attn_scalar=16), "shared"),
    Family("Gemma 3", _of("Gemma3TextConfig", head_dim=16, sliding_window=WINDOW, query_pre_attn_scalar=16), "shared"),
    Family(
        "Gemma 3n",
        _of(
            "Gemma3nTextConfig",
            head_dim=16,
            sliding_window=WINDOW,
            vocab_size_per_layer_input=320,
            hidden_size_per_layer_input=8,
            num_kv_shared_layers=2,
            layer_types=_MIXED,
            activation_sparsity_pattern=[0.0] * 4,
            intermediate_size=[48] * 4,
            laurel_rank=8,
        ),
        "shared",
    ),
    Family("Gemma 4", _of("Gemma4TextConfig", head_dim=16, sliding_window=WINDOW), "shared"),
    Family("Phi-1, Phi-2", _of("PhiConfig", num_key_value_heads=4, partial_rotary_factor=0.5), "shared"),
    Family("Phi-3, window", _of("Phi3Config", sliding_window=WINDOW), "shared"),
    Family(
        "Phi-3, Phi-4, longrope",
        _of("Phi3Config", sliding_window=None, original_max_position_embeddings=128, **_rope("longrope", **_LONG)),
        "shared",
    ),
    Family(
        "PhiMoE, longrope",
        _of(
            "PhimoeConfig",
            sliding_window=None,
            num_local_experts=2,
            original_max_position_embeddings=128,
            **_rope("longrope", short_mscale=1.1, long_mscale=1.3, **_LONG),
        ),
        "shared",
    ),
    Family(
        "OLMo 3, longrope in some layers",
        _of(
            "Olmo3Config",
            sliding_window=512,
            layer_types=_MIXED,
            rope_parameters={
                "full_attention": {"rope_type": "longrope", "rope_theta": 1e4, "factor": 4.0, **_LONG},
                "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
            },
        ),
        "shared",
    ),
    Family("GPT-2", _gpt("GPT2Config"), "shared"),
    Family("GPT-BigCode, SantaCoder", _gpt("GPTBigCodeConfig"), "shared"),
    Family("GPT-J", _gpt("GPTJConfig", rotary_dim=4), "whole"),
    Family("CodeGen", _gpt("CodeGenConfig", rotary_dim=4), "whole"),
    Family(
        "GPT-Neo",
        _of(
            "GPTNeoConfig",
            num_layers=4,
            num_heads=4,
            attention_types=[[["global", "local"], 2]],
            window_size=WINDOW,
        ),
        "whole",
    ),
    Family("GPT-NeoX, Pythia", _of("GPTNeoXConfig"), "shared"),
    Family("OPT", _of("OPTConfig", ffn_dim=48, word_embed_proj_dim=32), "shared"),
    Family("BLOOM", _of("BloomConfig", n_layer=2, n_head=4, seq_length=256), "whole"),
    Family("MPT", _of("MptConfig", d_model=32, n_layers=2, n_heads=4, max_seq_len=256), "whole"),
    Family("Falcon 7B", _of("FalconConfig", multi_query=True, parallel_attn=True), "whole"),
    Family("Falcon 40B", _of("FalconConfig", num_kv_heads=2, new_decoder_architecture=True), "whole"),
    Family("XGLM", _of("XGLMConfig", d_model=32, ffn_dim=48, num_layers=2, attention_heads=4), "whole"),
    Family("StableLM", _of("StableLmConfig"), "shared"),
    Family("OLMo", _of("OlmoConfig", clip_qkv=2.0), "shared"),
    Family("OLMo 2", _of("Olmo2Config"), "shared"),
    Family("OLMo 3", _of("Olmo3Config", sliding_window=WINDOW), "shared"),
    Family("OLMoE", _of("OlmoeConfig", num_experts=4, num_experts_per_tok=2), "shared"),
    Family("Granite", _of("GraniteConfig", attention_multiplier=0.2, residual_multiplier=0.5), "shared"),
    Family("Granite MoE", _of("GraniteMoeConfig", attention_multiplier=0.2, **_LOCAL), "shared"),
    Family(
        "Granite 4 hybrid",
        _of(
            "GraniteMoeHybridConfig",
            attention_multiplier=0.2,
            layer_types=["mamba", "attention"] * 2,
            mamba_n_groups=1,
            shared_intermediate_size=32,
            **_LOCAL,
            **_MAMBA,
        ),
        "whole",
    ),
    Family("Command R", _of("CohereConfig", logit_scale=0.5), "shared"),
    Family("Command R7B, A", _of("Cohere2Config", sliding_window=WINDOW, logit_scale=0.5), "shared"),
    Family("StarCoder 2", _of("Starcoder2Config", sliding_window=None), "shared"),
    Family("StarCoder 2, window", _of("Starcoder2Config", sliding_window=WINDOW), "shared"),
    Family("DeepSeek-V2", _of("DeepseekV2Config", **_DEEP), "shared"),
    Family("DeepSeek-V3", _of("DeepseekV3Config", **_DEEP), "shared"),
    Family("DeepSeek-V3.2", _of("DeepseekV32Config", **_INDEXED), "alone"),
    Family("GLM-4", _of("GlmConfig", head_dim=16), "shared"),
    Family("GLM-4-0414", _of("Glm4Config", head_dim=16), "shared"),
    Family("SmolLM 3", _of("SmolLM3Config"), "shared"),
    Family(
        "GPT-OSS",
        _of("GptOssConfig", head_dim=16, sliding_window=WINDOW, rope_parameters={"rope_theta": 1e4}, **_LOCAL),
        "shared",
    ),
    Family(
        "Jamba",
        _of(
            "JambaConfig",
            num_experts=2,
            num_experts_per_tok=1,
            attn_layer_period=2,
            attn_layer_offset=1,
            mamba_d_state=8,
            use_mamba_kernels=False,
        ),
        "whole",
    ),
    Family("Bamba", _of("BambaConfig", attn_layer_indices=[1, 3], **_MAMBA), "whole"),
    Family("Falcon-H1", _of("FalconH1Config", mamba_d_ssm=64, **_MAMBA), "whole"),
    Family(
        "Nemotron-H",
        _of(
            "NemotronHConfig",
            hybrid_override_pattern="M*M*",
            mamba_num_heads=8,
            mamba_head_dim=8,
            ssm_state_size=8,
            n_groups=1,
        ),
        "whole",
    ),
    Family(
        "Zamba 2",
        _of(
            "Zamba2Config",
            num_key_value_heads=4,
            mamba_d_state=8,
            n_mamba_heads=8,
            hybrid_layer_ids=[1, 3],
            num_mem_blocks=1,
            layers_block_type=["mamba", "hybrid"] * 2,
        ),
        "whole",
    ),
    Family("LFM2", _of("Lfm2Config", layer_types=["conv", "full_attention"] * 2), "whole"),
    Family(
        "MiniMax-01",
        _of(
            "MiniMaxConfig",
            head_dim=8,
            layer_types=["linear_attention", "full_attention"] * 2,
            block_size=16,
            **_LOCAL,
        ),
        "alone",
    ),
    Family("MiniMax-M2", _of("MiniMaxM2Config", head_dim=16, **_LOCAL), "shared"),
    Family(
        "MiniMax-M3",
        _of(
            "MiniMaxM3VLTextConfig",
            head_dim=8,
            index_block_size=8,
            index_topk_blocks=4,
            index_local_blocks=1,
            index_n_heads=2,
            index_head_dim=8,
            layer_types=["full_attention", "minimax_m3_sparse"] * 2,
            **_LOCAL,
        ),
        "alone",
    ),
    Family("Doge", _of("DogeConfig", keep_window_size=WINDOW), "alone"),
    Family("DiffLlama", _of("DiffLlamaConfig", head_dim=16), "whole"),
    Family("EXAONE 4", _of("Exaone4Config", sliding_window=WINDOW, sliding_window_pattern=2), "shared"),
    Family("ModernBERT decoder", _of("ModernBertDecoderConfig", local_attention=WINDOW), "shared"),
    Family("Nemotron", _of("NemotronConfig", head_dim=16), "shared"),
    Family("Persimmon", _of("PersimmonConfig"), "shared"),
    Family("ERNIE 4.5", _of("Ernie4_5Config", head_dim=16), "shared"),
    Family("Hunyuan", _of("HunYuanDenseV1Config", head_dim=16), "shared"),
    Family("Seed-OSS", _of("SeedOssConfig", head_dim=16), "shared"),
    Family("BioGPT", _of("BioGptConfig"), "shared"),
    Family("GPT", _gpt("OpenAIGPTConfig"), "refused"),
    Family("Mamba", _of("MambaConfig", state_size=8), "refused"),
    Family("Mamba 2", _of("Mamba2Config", state_size=8, num_heads=8, head_dim=8, n_groups=1), "refused"),
    Family("RWKV", _of("RwkvConfig", context_length=256), "refused"),
    Family("RecurrentGemma", _of("RecurrentGemmaConfig", head_dim=8, lru_width=32), "refused"),
]


def tiny(family: Family) -> Any:
    """The family's model in fp32 with random weights, large enough for outputs that do not repeat themselves."""
    torch.manual_seed(0)
    model: Any = AutoModelForCausalLM
    model = model.from_config(family.config(), dtype=torch.float32).train(False)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            _shake(name.lower(), weight, generator)
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = 1, 2
    return model


def _shake(name: str, weight: torch.Tensor, generator: torch.Generator) -> None:
    noise = torch.randn(weight.shape, generator=generator)
    if weight.dim() < 2 or "conv" in name or "a_log" in name:
        weight.add_(0.1 * noise)  # norms stay near their own values, states of recurrent layers stable
    elif "embed" in name or "wte" in name or "wpe" in name:
        weight.copy_(0.7 * noise)
    else:
        weight.copy_(1.6 * noise / math.sqrt(weight.shape[-1]))
