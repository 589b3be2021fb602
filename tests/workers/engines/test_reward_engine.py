"""A reward is what the model's head says of a text, whatever is read with it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    PreTrainedTokenizerFast,
)

from configs.errors import InputError
from configs.schema.model import RewardModelConfig
from tests.kits.engine_kit import RewardEngineKit
from tests.tiny_model import random_classifier, random_llama, save, tokenizer
from workers.engines.reward_engine import TransformersRewardEngine
from workers.failures import GenerationFailed, PromptTooLong
from workers.prompt import PAIR, PromptBlock, Reward
from workers.text_model import ModelCard

TEXTS = ("a", "Which tree grows fastest?", "why?\n" * 9, "é🙂", "x" * 60, "The one that was planted first. Thank you!")
PAIRS = tuple(f"{question}{PAIR}{answer}" for question in TEXTS[:3] for answer in TEXTS[2:5])
CARD = ModelCard("test", 128, "cpu")
words = st.text(st.sampled_from("abc the?\n`#éß🙂"), min_size=1, max_size=40)


@cache
def cross_encoder(labels: int = 1) -> Any:
    config = BertConfig(
        vocab_size=320,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=128,
        initializer_range=0.3,
        pad_token_id=2,
    )
    config.num_labels = labels
    torch.manual_seed(0)
    return BertForSequenceClassification(config).train(False)


@cache
def pair_tokenizer() -> PreTrainedTokenizerFast:
    """As Bert's: a text and its answer are told apart by type ids."""
    backend = type(tokenizer().backend_tokenizer).from_str(tokenizer().backend_tokenizer.to_str())
    template = {"single": "<s> $A </s>", "pair": "<s> $A </s> $B:1 </s>:1"}
    backend.post_processor = processors.TemplateProcessing(**template, special_tokens=[("<s>", 0), ("</s>", 1)])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        model_max_length=100,
    )


def rewards(engine: TransformersRewardEngine, block: PromptBlock) -> list[Reward]:
    pairs = list(engine.rate(block))
    assert sorted(index for index, _ in pairs) == list(range(len(block.suffixes)))
    return [reward for _, reward in sorted(pairs, key=lambda pair: pair[0])]


def close(found: list[Reward], expected: list[float]) -> None:
    assert [reward.score for reward in found] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def by_hand(model: Any, inputs: Any, label: int = 0) -> float:
    with torch.inference_mode():
        return float(model(**inputs).logits[0, label])


@settings(max_examples=20, deadline=None)
@given(st.lists(words, min_size=1, max_size=7), st.sampled_from([1, 3, None]), st.booleans())
def test_a_batch_gives_each_text_the_score_it_has_alone(texts: list[str], batch_size: int | None, bos: bool) -> None:
    engine = TransformersRewardEngine(random_classifier(), tokenizer(), CARD, batch_size)
    expected = [
        by_hand(random_classifier(), tokenizer()("ask: " + text, add_special_tokens=bos, return_tensors="pt"))
        for text in texts
    ]
    close(rewards(engine, PromptBlock("ask: ", tuple(texts), bos)), expected)


@pytest.mark.parametrize("batch_size", [1, 4, None])
def test_pairs_are_read_as_the_tokenizer_joins_them(batch_size: int | None) -> None:
    engine = TransformersRewardEngine(cross_encoder(), pair_tokenizer(), CARD, batch_size, pairs=True)
    inputs = [pair_tokenizer()(*pair.split(PAIR), return_tensors="pt") for pair in PAIRS]
    assert all(1 in given["token_type_ids"] for given in inputs)
    found = rewards(engine, PromptBlock("", PAIRS))
    close(found, [by_hand(cross_encoder(), given) for given in inputs])
    assert [reward.tokens for reward in found] == [given["input_ids"].shape[1] for given in inputs]


def test_where_the_prefix_ends_makes_no_difference_to_a_pair() -> None:
    engine = TransformersRewardEngine(cross_encoder(), pair_tokenizer(), CARD, pairs=True)
    close(
        rewards(engine, PromptBlock(f"why?{PAIR}", ("a", "b"))),
        [reward.score for reward in rewards(engine, PromptBlock("wh", (f"y?{PAIR}a", f"y?{PAIR}b")))],
    )


@pytest.mark.parametrize("text", ["no separator", f"a{PAIR}b{PAIR}c"])
def test_a_text_that_is_no_pair_is_refused(text: str) -> None:
    engine = TransformersRewardEngine(cross_encoder(), pair_tokenizer(), CARD, pairs=True)
    with pytest.raises(GenerationFailed, match="reads pairs"):
        engine.rate(PromptBlock("", (text,)))


def test_a_model_that_names_no_padding_is_batched_all_the_same() -> None:
    """Its own rule for a text alone: the last token counts, whatever it is."""
    model, engine = random_classifier(pad=None), None
    texts = ("why?</s>", "a", "The tree!</s>")
    expected = [by_hand(model, tokenizer()(text, return_tensors="pt")) for text in texts]
    engine = TransformersRewardEngine(model, tokenizer(), CARD)
    close(rewards(engine, PromptBlock("", texts)), expected)


def test_the_label_asked_for_is_the_score() -> None:
    block = PromptBlock("", TEXTS)
    expected = [by_hand(random_classifier(3), tokenizer()(text, return_tensors="pt"), label=2) for text in TEXTS]
    close(rewards(TransformersRewardEngine(random_classifier(3), tokenizer(), CARD, label=2), block), expected)


def test_no_text_has_no_reward() -> None:
    engine = TransformersRewardEngine(random_classifier(), tokenizer(), CARD)
    assert engine.count_tokens(PromptBlock("x", ())) == ()
    assert list(engine.rate(PromptBlock("x", ()))) == []


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(GenerationFailed, match="no tokens"):
        TransformersRewardEngine(random_classifier(), tokenizer(), CARD).rate(PromptBlock("", ("a", ""), bos=False))


def test_a_text_that_is_too_long_is_refused_before_any_is_rated() -> None:
    with pytest.raises(PromptTooLong) as caught:
        TransformersRewardEngine(random_classifier(), tokenizer(), CARD).rate(PromptBlock("", ("a", "🙂" * 60)))
    assert caught.value.prompt_tokens == 241


class Full(torch.nn.Module):
    """A model for which at most `room` texts fit the memory."""

    def __init__(self, model: Any, room: int) -> None:
        super().__init__()
        self._model, self._room, self.batches = model, room, list[int]()
        self.config, self.dtype, self.device = model.config, model.dtype, model.device

    def forward(self, input_ids: torch.Tensor, **inputs: Any) -> Any:
        self.batches.append(len(input_ids))
        if len(input_ids) > self._room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self._model(input_ids=input_ids, **inputs)


def test_running_out_of_memory_halves_the_batch_and_is_remembered() -> None:
    expected = [
        reward.score
        for reward in rewards(TransformersRewardEngine(random_classifier(), tokenizer(), CARD), PromptBlock("", TEXTS))
    ]
    model = Full(random_classifier(), room=2)
    engine = TransformersRewardEngine(model, tokenizer(), CARD, 5)
    close(rewards(engine, PromptBlock("", TEXTS)), expected)
    close(rewards(engine, PromptBlock("", TEXTS)), expected)
    assert model.batches == [5, 2, 2, 2, 2, 2, 2]


def test_a_text_that_does_not_fit_alone_fails_its_block() -> None:
    with pytest.raises(GenerationFailed, match="not even one text"):
        list(TransformersRewardEngine(Full(random_classifier(), 0), tokenizer(), CARD).rate(PromptBlock("", TEXTS)))


class TestCausalRewardModel(RewardEngineKit):
    @pytest.fixture(params=[1, 2, None])
    def engine(self, request: pytest.FixtureRequest) -> TransformersRewardEngine:
        return TransformersRewardEngine(random_classifier(), tokenizer(), CARD, request.param)


def config(name: object, **knobs: object) -> RewardModelConfig:
    return RewardModelConfig.model_validate({"name": str(name), "device": "cpu", **knobs})


def saved(model: Any, reads: Any, folder: Path) -> Path:
    model.save_pretrained(folder)
    reads.save_pretrained(folder)
    return folder


def test_a_saved_model_rates_as_before(tmp_path: Path) -> None:
    engine = TransformersRewardEngine.load(
        config(saved(random_classifier(), tokenizer(), tmp_path / "judge"), context_tokens=90)
    )
    for part in ("judge@sha256:", "reward-engine", "reads chat label 0", "float32", "transformers "):
        assert part in engine.card.fingerprint
    assert engine.card.context_tokens == 90
    block = PromptBlock("", TEXTS)
    close(
        rewards(engine, block), [by_hand(random_classifier(), tokenizer()(text, return_tensors="pt")) for text in TEXTS]
    )


def test_the_tokenizer_s_limit_counts_too(tmp_path: Path) -> None:
    folder = saved(cross_encoder(2), pair_tokenizer(), tmp_path)
    engine = TransformersRewardEngine.load(config(folder, reads="pair", label=1))
    assert engine.card.context_tokens == 100
    assert "reads pair label 1" in engine.card.fingerprint
    expected = [
        by_hand(cross_encoder(2), pair_tokenizer()(*pair.split(PAIR), return_tensors="pt"), 1) for pair in PAIRS
    ]
    close(rewards(engine, PromptBlock("", PAIRS)), expected)


def test_a_label_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has 1 outputs"):
        TransformersRewardEngine.load(config(saved(random_classifier(), tokenizer(), tmp_path), label=1))


def test_a_model_without_a_trained_head_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lacks score\.weight"):
        TransformersRewardEngine.load(config(save(random_llama(), tmp_path)))
