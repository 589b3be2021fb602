"""A model is found, named and loaded, or one sentence says why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, MambaConfig, MambaForCausalLM

from configs.errors import InputError
from configs.schema.model import ModelConfig
from tests.tiny_model import random_llama, save
from tests.workers.engines.family import Family, config_of, tiny
from tests.workers.engines.reference import engine_of
from workers.engines.transformers_engine import VERSION, TransformersEngine
from workers.failures import PromptTooLong
from workers.prompt import Decoding, PromptBlock
from workers.shared_prefix import weights


def config(name: object, **knobs: object) -> ModelConfig:
    return ModelConfig.model_validate({"name": str(name), "device": "cpu", **knobs})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save(random_llama(context=96), tmp_path / "tiny")


def test_the_card_names_what_can_change_a_completion(folder: Path) -> None:
    card = TransformersEngine.load(config(folder)).card
    for part in ("tiny@sha256:", VERSION, "float32", f"torch {torch.__version__}", "transformers "):
        assert part in card.fingerprint
    assert str(folder.parent) not in card.fingerprint
    assert card.context_tokens == 96
    assert card.device == "cpu"


def test_a_small_model_on_a_cpu_has_one_thread_unless_the_user_has_said_how_many() -> None:
    model, before = random_llama(context=96), torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        weights.spare_threads(model, {"OMP_NUM_THREADS": "2"})
        assert torch.get_num_threads() == 2
        weights.spare_threads(model, {})
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_the_context_can_be_made_smaller_but_not_larger(folder: Path) -> None:
    assert TransformersEngine.load(config(folder, context_tokens=50)).card.context_tokens == 50
    assert TransformersEngine.load(config(folder, context_tokens=500)).card.context_tokens == 96


def test_the_dtype_is_applied_and_named(folder: Path) -> None:
    engine = TransformersEngine.load(config(folder, dtype="bfloat16"))
    assert "bfloat16" in engine.card.fingerprint
    assert engine._model.dtype == torch.bfloat16


def test_the_fingerprint_follows_the_content_not_the_place(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "tiny"
    save(random_llama(context=96), copy)
    assert weights.find(config(copy)).identity == weights.find(config(folder)).identity
    save(random_llama(seed=1, context=96), copy)
    assert weights.find(config(copy)).identity != weights.find(config(folder)).identity


def test_hidden_files_do_not_change_the_fingerprint(folder: Path) -> None:
    before = weights.find(config(folder)).identity
    (folder / ".cache").mkdir()
    (folder / ".cache" / "lock").write_text("x")
    assert weights.find(config(folder)).identity == before


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    random_llama().save_pretrained(tmp_path)
    with pytest.raises(InputError, match="no tokenizer could be loaded"):
        TransformersEngine.load(config(tmp_path))


def test_a_folder_that_holds_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no config\.json"):
        TransformersEngine.load(config(tmp_path))


def test_a_damaged_model_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(InputError, match="no model could be loaded"):
        TransformersEngine.load(config(folder))


def test_a_model_without_attention_is_refused(tmp_path: Path) -> None:
    sizes = MambaConfig(vocab_size=320, hidden_size=16, num_hidden_layers=1, state_size=4)
    with pytest.raises(InputError, match="cannot be continued token by token here: choose another model"):
        TransformersEngine.load(config(save(MambaForCausalLM(sizes), tmp_path), context_tokens=96))


def test_a_longrope_model_has_the_context_of_its_short_factors(tmp_path: Path) -> None:
    sizes = random_llama(context=96).config.to_dict()
    factors = {"short_factor": [1.0] * 4, "long_factor": [3.0] * 4, "original_max_position_embeddings": 64}
    rope = {"rope_type": "longrope", "rope_theta": 1e4, **factors}
    folder = save(LlamaForCausalLM(LlamaConfig(**{**sizes, "rope_parameters": rope})), tmp_path)
    engine = TransformersEngine.load(config(folder))
    assert engine.card.context_tokens == 64
    with pytest.raises(PromptTooLong):
        engine.generate(PromptBlock("a" * 60, ("",)), Decoding(16))


def test_a_model_that_drops_keys_within_its_context_is_refused() -> None:
    doge = tiny(Family("Doge", config_of("DogeConfig", keep_window_size=64), "refused"))
    with pytest.raises(InputError, match=r"drops keys beyond 64 tokens.*set model\.context_tokens to 64 or less"):
        engine_of(doge, context=65)
    assert engine_of(doge, context=64)._capacity.rows == 1


def test_settings_of_the_model_that_are_not_applied_are_said(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "repetition_penalty": 1.1, "suppress_tokens": [5]}))
    TransformersEngine.load(config(folder))
    assert "repetition_penalty=1.1, suppress_tokens=[5]" in caplog.text


def test_a_missing_folder_is_refused_without_asking_the_hub(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        TransformersEngine.load(config(tmp_path / "nowhere"))


def test_a_hub_out_of_reach_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="hub cannot be reached"):
        TransformersEngine.load(config("no-such-organisation/no-such-model"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="finds no GPU"):
        TransformersEngine.load(config(folder, device="cuda"))


def test_an_empty_prompt_is_answered_behind_the_begin_of_text(folder: Path) -> None:
    engine = TransformersEngine.load(config(folder))
    assert engine.count_tokens(PromptBlock("", ("",))) == (1,)
