"""A model is found, named and loaded, or one sentence says why not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import MambaConfig, MambaForCausalLM

from configs.errors import InputError
from configs.schema.model import ModelConfig
from tests.tiny_model import random_llama, save
from workers.engines.transformers_engine import VERSION, TransformersEngine
from workers.prompt import PromptBlock
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
    with pytest.raises(InputError, match="does not support an attention"):
        TransformersEngine.load(config(save(MambaForCausalLM(sizes), tmp_path)))


def test_a_missing_folder_is_refused_without_asking_the_hub(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        TransformersEngine.load(config(tmp_path / "nowhere"))


def test_a_hub_out_of_reach_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="hub cannot be reached"):
        TransformersEngine.load(config("no-such-organisation/no-such-model"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="sees no GPU"):
        TransformersEngine.load(config(folder, device="cuda"))


def test_an_empty_prompt_is_answered_behind_the_begin_of_text(folder: Path) -> None:
    engine = TransformersEngine.load(config(folder))
    assert engine.count_tokens(PromptBlock("", ("",))) == (1,)
