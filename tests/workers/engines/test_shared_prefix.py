"""What prompts have in common is computed once and read for all of them, and no completion changes."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    DiffLlamaConfig,
    DiffLlamaForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from configs.errors import InputError
from tests.tiny_model import random_llama, random_mistral
from tests.workers.engines.reference import engine_of, generated, in_order, llama
from workers.engines.transformers_engine import TransformersEngine
from workers.prompt import Decoding, PromptBlock
from workers.shared_prefix.graph import RunStep
from workers.shared_prefix.shared_rows import SharedRows

RULES = "Answer what is asked.\n"
QUESTIONS = tuple(f"# Query:\n{query}\n" for query in ("a", "why?", "Which tree grows fastest?", "é", "the", "12"))
PENALISED = Decoding(12, repetition_penalty=1.2, stop=("th",))


def expected(model: Any, block: PromptBlock, decoding: Decoding) -> list[object]:
    return [generated(model, block.prompt(index), decoding) for index in range(len(block.suffixes))]


def read(engine: TransformersEngine) -> int:
    assert engine._tree is not None
    return engine._tree.tokens_read


demonstrations = st.lists(st.sampled_from(["Query a, answer b.\n", "Query c!\n", "Query é?\n", "x"]), max_size=4)


@settings(max_examples=8, deadline=None)
@given(st.lists(demonstrations, min_size=1, max_size=4), st.integers(1, 6), st.sampled_from([0, 20_000, 2**30]))
def test_prefixes_that_fork_from_each_other_change_no_completion(
    candidates: list[list[str]], batch_size: int, prefix_bytes: int
) -> None:
    engine = engine_of(llama(4), batch_size, prefix_bytes=prefix_bytes)
    for candidate in candidates:
        block = PromptBlock(RULES + "".join(candidate), QUESTIONS[: batch_size + 2])
        assert in_order(engine, block, PENALISED) == expected(llama(4), block, PENALISED)


def test_a_candidate_that_extends_its_parent_reads_only_the_new_demonstration() -> None:
    engine = engine_of(llama())
    parent = PromptBlock(RULES * 5, QUESTIONS)
    child = PromptBlock(RULES * 5 + "One demonstration.\n", QUESTIONS)
    in_order(engine, parent, PENALISED)
    before = read(engine)
    in_order(engine, parent, PENALISED)
    assert read(engine) == before
    in_order(engine, child, PENALISED)
    assert 0 < read(engine) - before <= len(b"One demonstration.\n") + len(b"# Query:\n")


def test_a_single_question_leaves_nothing_of_its_own_in_the_tree() -> None:
    engine = engine_of(llama())
    in_order(engine, PromptBlock(RULES, (QUESTIONS[2],)), PENALISED)
    assert read(engine) <= engine.count_tokens(PromptBlock(RULES, ("",)))[0]


class Replay:
    """A recorded step without a GPU: it works on its own copies of the inputs, as a CUDA graph does."""

    made = 0

    def __init__(self, step: RunStep, tokens: torch.Tensor, lengths: torch.Tensor) -> None:
        Replay.made += 1
        self._step, self._tokens, self._lengths = step, tokens.clone(), lengths.clone()

    def __call__(self, tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        self._tokens.copy_(tokens)
        self._lengths.copy_(lengths)
        return self._step(self._tokens, self._lengths)


@pytest.mark.parametrize("batch_size", [3, 32])
def test_recorded_steps_change_no_completion(batch_size: int) -> None:
    block = PromptBlock(RULES, QUESTIONS * 2)
    decoding = Decoding(24, repetition_penalty=1.1, stop=("e", "\n"))
    Replay.made = 0
    engine = engine_of(llama(), batch_size, record=Replay)
    assert in_order(engine, block, decoding) == expected(llama(), block, decoding)
    assert Replay.made > 0


def test_waiting_questions_enter_while_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    step = SharedRows.step

    def counted(rows: SharedRows, tokens: torch.Tensor) -> torch.Tensor:
        sizes.append(len(tokens))
        return step(rows, tokens)

    monkeypatch.setattr(SharedRows, "step", counted)
    block = PromptBlock(RULES, tuple(f"{number}?" for number in range(24)))
    decoding = Decoding(30, stop=("e", "a", "t"))
    engine = engine_of(llama(), batch_size=4)
    sizes.clear()
    completions = in_order(engine, block, decoding)
    assert len({completion.new_tokens for completion in completions}) > 3
    assert sum(sizes) == sum(completion.new_tokens for completion in completions)
    assert len(sizes) < 1.6 * sum(sizes) / 4


def _tiny(**more: Any) -> dict[str, Any]:
    return {
        "vocab_size": 320,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 512,
        "initializer_range": 0.3,
        "eos_token_id": 1,
        **more,
    }


GROUPED = {"num_key_value_heads": 2}
LONG_ROPE = {"rope_type": "longrope", "rope_theta": 1e4, "original_max_position_embeddings": 64}
FAMILIES: dict[str, tuple[Any, Any, bool]] = {
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**_tiny(**GROUPED)), True),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**_tiny(**GROUPED, head_dim=16)), True),
    "mixtral": (MixtralForCausalLM, MixtralConfig(**_tiny(**GROUPED, num_local_experts=2)), True),
    "gpt_neox": (GPTNeoXForCausalLM, GPTNeoXConfig(**_tiny()), True),
    "gpt2": (GPT2LMHeadModel, GPT2Config(**_tiny()), True),
    "gemma2": (Gemma2ForCausalLM, Gemma2Config(**_tiny(**GROUPED, head_dim=8, sliding_window=16)), True),
    "sliding window": (type(random_mistral(8)), random_mistral(8).config, True),
    "diffllama": (DiffLlamaForCausalLM, DiffLlamaConfig(**_tiny(**GROUPED)), False),
    "wide window": (type(random_mistral(512)), random_mistral(512).config, True),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_models_share_prefixes_or_say_why_not_and_are_exact_either_way(
    family: str, caplog: pytest.LogCaptureFixture
) -> None:
    kind, config, shares = FAMILIES[family]
    torch.manual_seed(1)
    model = kind(config).train(False)
    with caplog.at_level(logging.WARNING):
        engine = engine_of(model)
    assert (engine._tree is not None) is shares, caplog.text
    assert ("cannot share prefixes" in caplog.text) is not shares
    block = PromptBlock(RULES * 2, QUESTIONS)
    assert in_order(engine, block, PENALISED) == expected(model, block, PENALISED)


def test_a_longrope_model_is_refused_where_texts_could_cross_its_factors() -> None:
    model = random_llama()
    model.config.rope_parameters = LONG_ROPE
    with pytest.raises(InputError, match=r"changes beyond 64 tokens: set model\.context_tokens to 64 or less"):
        engine_of(model, context=65)
    assert engine_of(model, context=64)._tree is not None


def test_a_rotary_embedding_that_nobody_knows_takes_the_plain_path(caplog: pytest.LogCaptureFixture) -> None:
    model = random_llama()
    model.config.rope_parameters = {"rope_type": "newest", "rope_theta": 1e4}
    assert engine_of(model)._tree is None
    assert "newest" in caplog.text


def test_half_precision_runs_on_the_shared_path() -> None:
    engine = engine_of(random_llama().to(torch.bfloat16))
    assert engine._tree is not None
    assert len(in_order(engine, PromptBlock(RULES, QUESTIONS), PENALISED)) == len(QUESTIONS)


def test_a_prefix_that_fills_the_memory_is_read_once_more_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(llama())
    block = PromptBlock(RULES, QUESTIONS)
    tree = engine._tree
    assert tree is not None
    acquire, failures = tree.acquire, [torch.OutOfMemoryError("CUDA out of memory")]

    def full_once(*prefixes: Any) -> Any:
        if failures:
            raise failures.pop()
        return acquire(*prefixes)

    monkeypatch.setattr(tree, "acquire", full_once)
    assert in_order(engine, block, PENALISED) == expected(llama(), block, PENALISED)
