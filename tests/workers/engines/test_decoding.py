"""Every field of `Decoding` is really applied."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any, cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, gumbel_r, kstest
from transformers import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from tests.tiny_model import parrot, tokenizer
from tests.workers.engines.reference import engine_of, in_order, llama
from workers.prompt import Completion, Decoding, PromptBlock
from workers.shared_prefix.ahead import UNSURE
from workers.shared_prefix.sampling import TokenChooser, gumbel, penalised, warped

BLOCK = PromptBlock("# Query:\n", ("which?", "the tree", "a"))
SAMPLED = Decoding(12, temperature=1.0)


def said(decoding: Decoding) -> list[Completion]:
    return in_order(engine_of(llama()), BLOCK, decoding)


@pytest.mark.parametrize(
    ("base", "field", "value"),
    [
        (Decoding(12), "max_new_tokens", 5),
        (Decoding(12), "temperature", 1.0),
        (SAMPLED, "temperature", 3.0),
        (SAMPLED, "top_p", 0.3),
        (SAMPLED, "top_k", 2),
        (Decoding(12), "repetition_penalty", 3.0),
        (Decoding(12), "stop", ("e", "t", "a", "\n", "h")),
        (SAMPLED, "seed", 1),
    ],
)
def test_each_field_changes_what_is_said(base: Decoding, field: str, value: Any) -> None:
    assert said(dataclasses.replace(base, **{field: value})) != said(base)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0.3, 1.0, 2.5]),
    st.sampled_from([1.0, 0.9, 0.4, 0.01]),
    st.sampled_from([0, 1, 5, 1000]),
    st.sampled_from([1.0, 1.3, 0.7]),
)
def test_probabilities_are_those_of_transformers(
    seed: int, temperature: float, top_p: float, top_k: int, penalty: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(3, 50, generator=generator) * 3
    history = torch.randint(50, (3, 7), generator=generator)
    seen = torch.zeros(3, 50, dtype=torch.bool).scatter(1, history, True)
    processors = LogitsProcessorList([RepetitionPenaltyLogitsProcessor(penalty), TemperatureLogitsWarper(temperature)])
    if top_k:
        processors.append(TopKLogitsWarper(top_k))
    if top_p < 1:
        processors.append(TopPLogitsWarper(top_p))
    decoding = Decoding(1, temperature=temperature, top_p=top_p, top_k=top_k)
    ours = warped(penalised(logits, seen, penalty), decoding).softmax(-1).double()
    torch.testing.assert_close(
        ours,
        processors(cast(torch.LongTensor, history), cast(torch.FloatTensor, logits)).softmax(-1).double(),
        rtol=1e-5,
        atol=1e-7,
    )


def test_draws_follow_the_probabilities() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0, 1.5, 0.5]])
    counts: Counter[int] = Counter()
    decoding = Decoding(4000, temperature=1.3, top_k=5)
    chooser = TokenChooser(decoding, 6, torch.device("cpu"))
    chooser.enter(["prompt"], [[0]], [0])
    for _ in range(4000):
        token = chooser.choose(logits)
        chooser.take_one(token)
        counts[int(token)] += 1
    expected = warped(logits, decoding)[0].softmax(-1)
    assert counts[3] == 0
    kept = [0, 1, 2, 4, 5]
    assert chisquare([counts[token] for token in kept], expected[kept].double() * 4000).pvalue > 0.01


def test_noise_is_gumbel_s_and_independent_between_rows_steps_and_tokens() -> None:
    keys = torch.tensor([[1, 2], [1, 3], [-5, 2], [2**31 - 1, -(2**31)]], dtype=torch.int32)
    noise = torch.stack([gumbel(keys, torch.full((4,), step), 4096) for step in range(6)]).double()
    assert kstest(noise.flatten(), gumbel_r.cdf).pvalue > 0.01
    together = torch.corrcoef(noise.reshape(24, -1)) - torch.eye(24)
    assert together.abs().max() < 0.08  # 5 standard deviations of what chance gives
    assert torch.corrcoef(torch.stack([noise[..., :-1].flatten(), noise[..., 1:].flatten()]))[0, 1].abs() < 0.016


def test_noise_is_the_same_at_every_place_in_a_batch() -> None:
    keys = torch.randint(-(2**31), 2**31, (9, 2), generator=torch.Generator().manual_seed(0)).to(torch.int32)
    steps = torch.arange(9)
    whole = gumbel(keys, steps, 77)
    for row in range(9):
        torch.testing.assert_close(gumbel(keys[[row]], steps[[row]], 77)[0], whole[row], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_lead_within_rounding_is_no_choice(temperature: float) -> None:
    decoding = Decoding(4, temperature=temperature)
    chooser = TokenChooser(decoding, 3, torch.device("cpu"))
    chooser.enter(["prompt"], [[0]], [0])
    noise = torch.zeros(1, 3) if not temperature else gumbel(chooser._keys, chooser._steps, 3)  # type: ignore[arg-type]
    tie = torch.tensor([[-9.0, 5.0, 5.0]]) - noise
    apart = tie + torch.tensor([[0.0, 0.0, 1e-3]])
    assert chooser.choose(tie).tolist() == [UNSURE]
    assert chooser.choose(apart).tolist() == [2]
    assert chooser.choose_alone(apart) == 2
    assert chooser.choose_alone(tie) in (1, 2)


@pytest.mark.parametrize(
    ("stop", "text"),
    [
        (("🙂",), "xyé"),
        (("é🙂!",), "xy"),
        (("é",), "xy"),
        (("!z", "é"), "xy"),
        (("x",), ""),
        (("zz",), "xyé🙂!z"),
        (("",), "xyé🙂!z"),
        (("🙃",), "xyé🙂!z"),
    ],
)
def test_stop_strings_cut_characters_of_many_bytes_exactly(stop: tuple[str, ...], text: str) -> None:
    completion = in_order(engine_of(parrot(">xyé🙂!z")), PromptBlock("", (">",)), Decoding(50, stop=stop))[0]
    assert completion.text == text
    assert completion.finish == "stop"


def test_a_stop_string_inside_one_token_cuts_within_it() -> None:
    token = max(tokenizer().get_vocab(), key=lambda piece: (piece.isalpha() and piece.isascii(), len(piece)))
    assert len(token) > 3
    completion = in_order(engine_of(parrot(f">{token}!")), PromptBlock("", (">",)), Decoding(9, stop=(token[1:3],)))[0]
    assert completion.text == token[0]
    assert completion.new_tokens == 1


def test_a_character_cut_by_the_length_limit_does_not_hide_a_stop_string() -> None:
    completion = in_order(engine_of(parrot(">x🙂")), PromptBlock("", (">",)), Decoding(3, stop=("x",)))[0]
    assert completion == Completion("", 2, 1, "stop")


def test_every_end_of_text_token_of_the_generation_config_ends_a_completion() -> None:
    model = parrot(">xy!z")
    model.generation_config.eos_token_id = [1, tokenizer().convert_tokens_to_ids("!")]
    completion = in_order(engine_of(model), PromptBlock("", (">",)), Decoding(9))[0]
    assert completion == Completion("xy", 2, 3, "stop")


def test_a_begin_of_text_token_is_added_only_when_asked_for() -> None:
    engine = engine_of(llama())
    assert engine.count_tokens(PromptBlock("<s>", ("a",), bos=False)) == engine.count_tokens(PromptBlock("", ("a",)))
