"""A model has all of its weights from its checkpoint, whatever is loaded beside it, or one sentence says why not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, initialization

from configs.errors import InputError
from configs.schema.model import ModelConfig
from tests.tiny_model import random_llama, save
from workers.engines.transformers_engine import TransformersEngine
from workers.failures import GenerationFailed
from workers.prompt import Continuations, Decoding, PromptBlock
from workers.shared_prefix import weights
from workers.shared_prefix.checkpoint import undisturbed

Change = Callable[[dict[str, torch.Tensor]], object]
DOWN = "model.layers.1.mlp.down_proj.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save(random_llama(context=96), tmp_path / "tiny")


def load(folder: Path) -> Any:
    config = ModelConfig(name=str(folder), device="cpu")
    return weights.load_model(weights.find(config), config, torch.device("cpu"))


def changed(folder: Path, change: Change) -> Path:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize("name", [DOWN, "model.norm.weight", "lm_head.weight", "model.embed_tokens.weight"])
def test_a_missing_tensor_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(InputError, match=rf"lacks {name}, which would be drawn at random"):
        load(changed(folder, lambda tensors: tensors.pop(name)))


def test_a_tensor_of_another_shape_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=rf"{DOWN} is 32 x 16, but the config wants 32 x 64"):
        load(changed(folder, lambda tensors: tensors.update({DOWN: tensors[DOWN][:, :16].contiguous()})))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_weight_that_is_no_number_is_refused(folder: Path, value: float) -> None:
    with pytest.raises(InputError, match=rf"{DOWN} holds NaN or infinity"):
        load(changed(folder, lambda tensors: tensors[DOWN][3, 3:4].fill_(value)))


def test_a_layer_of_nothing_but_zeros_is_refused(folder: Path) -> None:
    def emptied(tensors: dict[str, torch.Tensor]) -> None:
        for name, tensor in tensors.items():
            if ".layers.1." in name:
                tensor.zero_()

    with pytest.raises(InputError, match="holds nothing but zeros"):
        load(changed(folder, emptied))


def test_a_file_cut_short_is_refused(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="model could be loaded"):
        load(folder)


def test_a_shard_that_the_index_names_and_that_is_not_there_is_refused(folder: Path) -> None:
    random_llama(context=96).save_pretrained(folder, max_shard_size="20KB")
    (folder / "model.safetensors").unlink()
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    (folder / sorted(set(index["weight_map"].values()))[-1]).unlink()
    with pytest.raises(InputError, match=r"lacks model-.*fetch what is missing"):
        load(folder)


def test_tied_weights_may_be_there_once(tmp_path: Path) -> None:
    config = random_llama(context=96).config
    tied = LlamaForCausalLM(LlamaConfig(**{**config.to_dict(), "tie_word_embeddings": True}))
    folder = save(tied, tmp_path)
    assert "lm_head.weight" not in load_file(folder / "model.safetensors")
    model = load(folder)
    assert model.lm_head.weight is model.model.embed_tokens.weight


def test_models_loaded_at_the_same_time_have_their_own_weights(folder: Path) -> None:
    expected = load_file(folder / "model.safetensors")
    loaded: list[Any] = []
    threads = [threading.Thread(target=lambda: loaded.append(load(folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 4
    for model in loaded:
        for name, weight in model.state_dict().items():
            assert torch.equal(weight, expected[name])


def test_a_load_that_another_one_met_is_done_again() -> None:
    loads: list[int] = []
    stay = initialization.no_init_weights()  # as another thread's `from_pretrained` enters it

    def load_beside_another() -> int:
        if not loads:
            stay.__enter__()
            threading.Timer(0.2, lambda: stay.__exit__(None, None, None)).start()
        loads.append(len(loads))
        return loads[-1]

    assert undisturbed(load_beside_another) == 1


def test_what_an_interrupted_load_has_left_is_refused() -> None:
    with initialization.no_init_weights(), pytest.raises(InputError, match="start Python anew"):
        undisturbed(lambda: AutoModelForCausalLM, patience=0)


def test_a_tokenizer_with_more_tokens_than_the_model_embeds_is_refused(folder: Path) -> None:
    content = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = content["model"]["vocab"]
    vocabulary |= {f"more{number}": number for number in range(len(vocabulary), 400)}
    (folder / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"has 400 tokens, the model embeds 320; take the tokenizer's files"):
        TransformersEngine.load(ModelConfig(name=str(folder), device="cpu"))


def test_a_text_with_a_token_that_nobody_embedded_fails_and_others_are_answered(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["<pad>", *(f"<more{number}>" for number in range(100))])
    tokenizer.save_pretrained(folder)
    engine = TransformersEngine.load(ModelConfig(name=str(folder), device="cpu"))
    decoding, block = Decoding(max_new_tokens=2), PromptBlock("", ("it is",))
    refused = "a text holds '<more99>', a token that the model has no embedding for"
    with pytest.raises(GenerationFailed, match=refused):
        list(engine.generate(PromptBlock("", ("it is <more99>",)), decoding))
    with pytest.raises(GenerationFailed, match=refused):
        list(engine.score(block, Continuations((" <more99>",))))
    assert list(engine.generate(block, decoding))
