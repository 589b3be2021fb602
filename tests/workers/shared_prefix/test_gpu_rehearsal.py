"""What a GPU will be told is right in shape, type and strides, operator by operator, and is little; see `fake_gpu`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from tests.workers.engines.families import FAMILIES
from tests.workers.shared_prefix.fake_gpu import DEVICE, Calls, fake_gpu, moved
from workers.prompt import Decoding
from workers.shared_prefix import kernels
from workers.shared_prefix.fused_step import StepForward, as_loaded, fused
from workers.shared_prefix.graph import RunStep
from workers.shared_prefix.kernels import Kernels
from workers.shared_prefix.paged_kernels import paged_flash
from workers.shared_prefix.paged_rows import PagedRows, RecordedSteps
from workers.shared_prefix.paged_step import Size, Tables, paged_step
from workers.shared_prefix.pages import Pages
from workers.shared_prefix.prefix_tree import PrefixTree
from workers.shared_prefix.sampling import TokenChooser
from workers.shared_prefix.segments import Prefix
from workers.shared_prefix.shared_rows import SharedRows

pytestmark = pytest.mark.filterwarnings("ignore:Accessing the data pointer of FakeTensor")

KERNELS = Kernels(kernels.cuda_flash, kernels.cuda_flash, kernels.cuda_efficient, paged_flash)
PROMPTS = [[*range(3, 3 + length)] for length in (4000, 4000, 4003)]
HEADS, KEY_HEADS, WIDTH, WORDS = 8, 2, 64, 1000


def llama(
    layers: int, dtype: torch.dtype = torch.bfloat16, kind: tuple[Any, Any] = (LlamaConfig, LlamaForCausalLM)
) -> Any:
    config = kind[0](
        head_dim=WIDTH,
        hidden_size=HEADS * WIDTH,
        intermediate_size=1024,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_HEADS,
        vocab_size=WORDS,
        max_position_embeddings=65536,
    )
    return moved(kind[1](config).train(False), dtype)


def not_recorded(step: RunStep, tokens: torch.Tensor, lengths: torch.Tensor) -> RunStep:
    assert tokens.shape == lengths.shape
    assert tokens.dtype == lengths.dtype == torch.long
    return step


def check_flash(arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    """What FlashAttention refuses, as its source says (`flash_api.cpp`, `mha_varlen_fwd`)."""
    q, keys, values, begins, begins_of_keys, most, longest, *_ = arguments
    used, table = options["seqused_k"], options["block_table"]
    sequences = len(begins) - 1
    assert q.dtype == keys.dtype == values.dtype == torch.bfloat16
    assert {t.dtype for t in (begins, begins_of_keys, used, table)} == {torch.int32}
    assert all(t.is_contiguous() for t in (begins, begins_of_keys, used))
    assert all(t.stride(-1) == 1 for t in (q, keys, values, table))
    assert keys.shape == values.shape
    assert keys.shape[1] % 256 == 0
    assert q.shape[1:] == keys.shape[2:]
    assert q.shape[2] % 8 == 0
    assert (len(used), len(table), len(begins_of_keys)) == (sequences, sequences, sequences + 1)
    assert longest == table.shape[1] * keys.shape[1]
    assert 0 < most <= len(q)


def test_rows_in_pages_enter_step_grow_and_go() -> None:
    with fake_gpu():
        model = llama(2)
        tree = PrefixTree(model, KERNELS, budget=2**40)
        steps = RecordedSteps(model, paged_flash, Pages(64, 256), not_recorded, in_few(model))
        rows = PagedRows(model, KERNELS, tree, steps)
        with Calls() as calls:
            for prefix in PROMPTS[1:]:
                assert rows.stand_behind(prefix)
                rows.enter([prefix + [9] * own for own in (250, 3, 0)])
        check_nobody_waits(calls)
        with Calls() as calls:
            for _ in range(9):
                logits = rows.step(torch.zeros(6, dtype=torch.long, device=DEVICE))
        assert (logits.shape, logits.dtype, logits.device) == ((6, WORDS), torch.bfloat16, DEVICE)
        flash = [(arguments, options) for name, arguments, options in calls.made if name == "_flash_attention_forward"]
        assert len(flash) == 9 * 2 * 3  # steps, layers, and rows themselves and two levels of their prefixes
        for arguments, options in flash:
            check_flash(arguments, options)
        with Calls() as calls:
            rows.keep([1, 4])
            assert rows.step(torch.zeros(2, dtype=torch.long, device=DEVICE)).shape == (2, WORDS)
        check_nobody_waits(calls)


def check_nobody_waits(calls: Calls) -> None:
    """Rows have come or gone, and what has to be sent to the device for that is sent behind the step under way."""
    transfers = [options for name, _, options in calls.made if name == "_to_copy" and options.get("device") == DEVICE]
    assert transfers
    assert all(options["non_blocking"] for options in transfers)
    copies = [arguments for name, arguments, _ in calls.made if name == "copy_"]
    assert {source.device for _, source, *_ in copies} <= {DEVICE}


def test_rows_whose_tokens_are_drawn_and_penalised_join_without_waiting() -> None:
    decoding = Decoding(8, temperature=1.0, repetition_penalty=1.1)
    with fake_gpu():
        chooser = TokenChooser(decoding, WORDS, DEVICE)
        with Calls() as calls:
            chooser.enter(["a", "b"], [[3, 4], [5]], [0, 0])
    sent = [options for name, _, options in calls.made if name == "_to_copy"]
    assert [options.get("non_blocking") for options in sent] == [True] * 3


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_rows_without_pages_enter_step_and_go_behind_two_prefixes(dtype: torch.dtype) -> None:
    usual = (
        KERNELS
        if dtype == torch.bfloat16
        else Kernels(kernels.cuda_efficient, kernels.cuda_efficient, kernels.cuda_efficient)
    )
    with fake_gpu():
        model = llama(2, dtype)
        rows = SharedRows(model, usual, PrefixTree(model, usual, budget=2**40), not_recorded, in_few(model))
        for prefix in PROMPTS[1:]:
            assert rows.stand_behind(prefix)
            rows.enter([prefix + [9] * own for own in (250, 3, 0)])
        logits = rows.step(torch.zeros(6, dtype=torch.long, device=DEVICE))
        assert (logits.shape, logits.dtype, logits.device) == ((6, WORDS), dtype, DEVICE)
        rows.keep([1, 4])
        assert rows.step(torch.zeros(2, dtype=torch.long, device=DEVICE)).shape == (2, WORDS)
        assert rows.logits([PROMPTS[2] + [9, 9], PROMPTS[2] + [9]], 4003).shape == (2, 2, WORDS)


@pytest.mark.parametrize("name", ["Mistral 7B v0.1", "Gemma 2"])
def test_windows_and_caps_enter_and_step_without_waiting_for_the_host(name: str) -> None:
    """A fake tensor has no number to look at, so nothing here would break a recording."""
    family = next(family for family in FAMILIES if family.name == name)
    with fake_gpu():
        auto: Any = AutoModelForCausalLM
        model = moved(auto.from_config(family.config()).train(False), torch.bfloat16)
        rows = SharedRows(model, KERNELS, PrefixTree(model, KERNELS, budget=2**40), not_recorded)
        for prefix in PROMPTS[1:]:
            assert rows.stand_behind(prefix[-200:])
            rows.enter([prefix[-200:] + [9] * own for own in (50, 3, 0)])
        logits = rows.step(torch.zeros(6, dtype=torch.long, device=DEVICE))
        assert (logits.dtype, logits.device, len(logits)) == (torch.bfloat16, DEVICE, 6)


def started_in_a_layer(
    forward_of: Callable[[Any], StepForward], model_of: Callable[[int], Any], levels: int
) -> Counter[str]:
    """Kernels that a layer of a step adds, by operator."""
    counts = list[Counter[str]]()
    for layers in (2, 3):
        with fake_gpu():
            model, pages = model_of(layers), Pages(64, 256)
            for layer in range(layers):
                pages.put(layer, *_one_token())
            tables = Tables(Size(96, 2, ((4, 32),) * levels), DEVICE)
            numbers = torch.zeros(96, dtype=torch.long, device=DEVICE)
            forward = forward_of(model)
            with Calls() as calls:
                logits = paged_step(forward, pages, paged_flash, tables, numbers, numbers)
            assert logits.shape == (96, WORDS)
            counts.append(calls.counts)
    return counts[1] - counts[0]


def _one_token() -> tuple[torch.Tensor, torch.Tensor]:
    keys_and_values = torch.zeros(1, 2, KEY_HEADS, WIDTH, dtype=torch.bfloat16, device=DEVICE)
    return torch.zeros(1, dtype=torch.long, device=DEVICE), keys_and_values


def in_few(model: Any) -> StepForward:
    forward = fused(model)
    assert forward is not None
    return forward


ATTENTION = Counter(
    index_copy_=1, clone=1, _flash_attention_forward=2, stack=1, nan_to_num=1, _softmax=1, mul=1, addcmul=1
)


def test_a_layer_of_a_step_starts_twenty_kernels() -> None:
    """Operators of a step of three layers, less those of two; each is a kernel, views and empty tensors are none."""
    started = started_in_a_layer(in_few, llama, levels=1)
    of_the_model = Counter(_fused_rms_norm=2, mm=2, mul=2, addcmul_=2, addmm_=2, silu=1)
    assert started == of_the_model + ATTENTION
    assert started.total() == 20
    assert started_in_a_layer(in_few, llama, levels=2) - started == Counter(_flash_attention_forward=1, addcmul=1)


def test_norms_of_heads_cost_two_kernels_and_biases_none() -> None:
    few = started_in_a_layer(in_few, llama, levels=1)
    with_norms = started_in_a_layer(in_few, partial(llama, kind=(Qwen3Config, Qwen3ForCausalLM)), levels=1)
    assert with_norms - few == Counter(_fused_rms_norm=1, mul=1)
    with_biases = started_in_a_layer(in_few, partial(llama, kind=(Qwen2Config, Qwen2ForCausalLM)), levels=1)
    assert (with_biases.total(), with_biases["addmm"]) == (few.total(), 1)


def test_a_layer_as_transformers_computes_it_starts_47() -> None:
    of_the_model = Counter(mm=6, bmm=1, mul=9, add=6, _to_copy=4, cat=2, pow=2, mean=2, rsqrt=2, neg=2, silu=1)
    started = started_in_a_layer(as_loaded, llama, levels=1)
    assert started - of_the_model == ATTENTION + Counter(stack=1)
    assert started.total() == 47


def test_weights_that_are_moved_side_by_side_are_in_memory_once() -> None:
    with fake_gpu():
        model = llama(2)
        fused(model)
        attention = model.model.layers[0].self_attn
        storages = {it.weight.untyped_storage()._cdata for it in (attention.q_proj, attention.k_proj, attention.v_proj)}
    assert len(storages) == 1


def test_prefixes_are_read_in_one_piece_however_the_tree_keeps_them() -> None:
    """A level costs one call, whether its tokens were read at once or candidate by candidate."""
    with fake_gpu():
        model = llama(2)
        tree = PrefixTree(model, KERNELS, budget=2**40)
        for length in (1000, 2000, 3000):
            tree.acquire(PROMPTS[0][:length])
        prefix: Prefix = tree.acquire(PROMPTS[0])
        assert len(prefix[0]) == 4
        rows = PagedRows(model, KERNELS, tree, RecordedSteps(model, paged_flash, Pages(64, 256), not_recorded))
        rows.stand_behind(PROMPTS[0])
        rows.enter([[*PROMPTS[0], 9]])
        with Calls() as calls:
            rows.step(torch.zeros(1, dtype=torch.long, device=DEVICE))
        assert calls.counts["_flash_attention_forward"] == 2 * 2
