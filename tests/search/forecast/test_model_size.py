"""How large a model is, without its weights."""

import json
from pathlib import Path

import pytest
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file

from configs.schema.model import ModelConfig
from search.forecast.model_size import size_of
from tests.tiny_model import random_llama, save

pytestmark = pytest.mark.heavy


def test_parameters_and_adapters_are_counted_as_in_the_weights_and_by_peft(tmp_path: Path) -> None:
    model = random_llama()
    save(model, tmp_path / "tiny")
    size = size_of(ModelConfig(name=str(tmp_path / "tiny")), None)
    assert size is not None
    assert size.parameters == sum(
        weights.numel() for weights in load_file(tmp_path / "tiny/model.safetensors").values()
    )
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    assert 4 * size.adapted == sum(one.numel() for one in adapted.parameters() if one.requires_grad)


def test_the_size_of_a_model_of_seven_billion_follows_from_its_config_alone(tmp_path: Path) -> None:
    published = {
        "model_type": "mistral",
        "architectures": ["MistralForCausalLM"],
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "num_key_value_heads": 8,
        "vocab_size": 32000,
        "dtype": "bfloat16",
    }
    (tmp_path / "config.json").write_text(json.dumps(published), encoding="utf-8")
    size = size_of(ModelConfig(name=str(tmp_path)), None)
    assert size is not None
    assert size.parameters == 7_241_732_096  # as its weights have
    assert 16 * size.adapted == 41_943_040  # adapters of rank 16
    assert (size.bytes_a_parameter("auto"), size.bytes_a_parameter("float32")) == (2, 4)


def test_what_is_declared_goes_before_the_config_and_what_nobody_says_is_not_known(tmp_path: Path) -> None:
    save(random_llama(), tmp_path / "tiny")
    declared = size_of(ModelConfig(name=str(tmp_path / "tiny")), 7)
    assert declared is not None
    assert declared.parameters == 7e9
    assert size_of(ModelConfig(name="no-one/model"), None) is None
    (tmp_path / "config.json").write_text('{"model_type": "no such thing"}', encoding="utf-8")
    assert size_of(ModelConfig(name=str(tmp_path)), None) is None
