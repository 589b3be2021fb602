"""How many rows fit is arithmetic; that memory can end all the same is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import DeepseekV3Config, GPT2Config, LlamaConfig

from tests.workers.engines.reference import llama
from workers.failures import GenerationFailed
from workers.shared_prefix import capacity, memory
from workers.shared_prefix.capacity import Capacity
from workers.shared_prefix.memory_plan import MOST_ROWS, Room, layer_shares

LLAMA_8B = LlamaConfig(
    vocab_size=128256,
    hidden_size=4096,
    intermediate_size=14336,
    num_hidden_layers=32,
    num_attention_heads=32,
    num_key_value_heads=8,
)
MODEL = capacity.sizes(LLAMA_8B, 2)
GIB = 2**30


def test_a_token_of_llama_8b_keeps_128_kib() -> None:
    assert MODEL.kept == 128 * 1024


def test_sizes_are_found_where_configs_name_them_otherwise() -> None:
    model = capacity.sizes(GPT2Config(n_embd=64, n_layer=3, n_head=4, vocab_size=100), 4)
    assert model.kept == 2 * 3 * 64 * 4
    assert model.read > 4 * 64 * 4


def test_latent_attention_is_kept_as_keys_and_values_of_every_head() -> None:
    deepseek = DeepseekV3Config(num_hidden_layers=2, num_attention_heads=16, num_key_value_heads=16)
    assert capacity.sizes(deepseek, 2).kept == 2 * 2 * 16 * (128 + 64) * 2


def test_80_questions_behind_a_prefix_fit_24_gib_on_llama_8b() -> None:
    assert capacity.rows_behind_prefix(24 * GIB, own=60 + 256, model=MODEL) >= 80
    assert capacity.rows_behind_prefix(16 * GIB, own=60 + 2048, model=MODEL) < 80


@given(st.integers(-GIB, 100 * GIB), st.integers(1, 4000), st.integers(1, 4000))
def test_rows_fit_what_is_free_and_there_is_always_one(free: int, prompt: int, new: int) -> None:
    own = prompt + new
    rows = capacity.rows_behind_prefix(free, own, MODEL)
    assert rows == 1 or rows * own * MODEL.kept < free
    assert capacity.rows_behind_prefix(free, own + 1, MODEL) <= rows
    whole = capacity.rows_of_whole_prompts(free, prompt, new, MODEL)
    assert whole == 1 or whole * own * MODEL.kept < free
    assert capacity.rows_read_once(free, own, MODEL) >= 1


@given(st.integers(1, 100), st.integers(1, 200))
def test_no_more_rows_than_the_limit(limit: int, fitting: int) -> None:
    rows = Capacity(limit)
    rows.fit(fitting)
    assert rows.rows == min(limit, fitting)


def test_what_was_too_much_once_is_not_tried_again() -> None:
    rows = Capacity(64)
    rows.fit(40)
    rows.halve(running=10)
    rows.fit(40)
    assert rows.rows == 5
    with pytest.raises(GenerationFailed, match="not even one"):
        rows.halve(running=1)


class TwoDevices(torch.nn.Module):
    """One layer of four on a second device, which its parameters only claim."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(1, 1, device=place) for place in ["cpu"] * 3 + ["meta"])
        for index, layer in enumerate(self.layers):
            layer.layer_idx = index  # type: ignore[assignment]
        self.config, self.dtype = llama().config, torch.float32


def room_of(free: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setitem(MOST_ROWS, "meta", 512)
    for shares in ("ROWS", "PREFIXES"):
        monkeypatch.setattr(f"workers.shared_prefix.memory_plan.{shares}", {"cpu": 0.5, "meta": 0.5})
    return Room(TwoDevices(), lambda device: free[device.type])


def test_layers_are_counted_where_they_lie() -> None:
    assert layer_shares(TwoDevices()) == {torch.device("cpu"): 0.75, torch.device("meta"): 0.25}
    assert layer_shares(llama()) == {torch.device("cpu"): 1.0}


def test_the_fullest_device_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    plenty = room_of({"cpu": 10 * GIB, "meta": 10 * GIB}, monkeypatch)
    short = room_of({"cpu": 10 * GIB, "meta": GIB}, monkeypatch)
    assert short.for_prefixes() == 2 * GIB
    assert plenty.for_prefixes() == int(5 * GIB / 0.75)
    assert short.rows(400, 0) < plenty.rows(400, 0)
    assert short.whole_rows(400, 10) < plenty.whole_rows(400, 10)


def test_prefixes_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    room = room_of({"cpu": 10 * GIB, "meta": 10 * GIB}, monkeypatch)
    assert room.rows(400, set_aside=8 * GIB) < room.rows(400, set_aside=0) / 2
    assert room.rows(400, set_aside=100 * GIB) == 1


def test_this_computer_has_memory_free() -> None:
    assert 2**20 < memory.free_bytes(torch.device("cpu")) < 2**50


def test_a_container_s_limit_counts_and_files_that_were_read_do_not(tmp_path: Path) -> None:
    (tmp_path / "memory.current").write_text("4900\n")
    (tmp_path / "memory.stat").write_text("anon 800\ninactive_file 3900\nactive_file 200\n")
    (tmp_path / "memory.max").write_text("5000\n")
    assert memory.free_bytes(torch.device("cpu"), tmp_path) == 4000
    (tmp_path / "memory.max").write_text("500\n")
    assert memory.free_bytes(torch.device("cpu"), tmp_path) == 0
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_bytes(torch.device("cpu"), tmp_path) > 5000
