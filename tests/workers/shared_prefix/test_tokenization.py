"""A prompt has the tokens of its whole text, once each; a continuation those of its own text."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, processors
from transformers import PreTrainedTokenizerFast

from tests.tiny_model import random_llama, tokenizer
from tests.workers.engines.reference import engine_of
from workers.failures import GenerationFailed
from workers.prompt import Decoding, PromptBlock
from workers.shared_prefix.tokenization import PromptTokenizer, end_tokens


def with_template(template: str) -> Any:
    """The tiny tokenizer with other special tokens around a text."""
    own = Tokenizer.from_str(tokenizer().backend_tokenizer.to_str())
    own.post_processor = processors.TemplateProcessing(single=template, special_tokens=[("<s>", 0), ("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=own, bos_token="<s>", eos_token="</s>", pad_token="<pad>")  # type: ignore[no-untyped-call]


def sentencepiece() -> Any:
    """A tokenizer that puts a space in front of every text, as Llama 2's; the space is written ▁."""
    words = ["<s>", "</s>", "<unk>", "▁", "A", ":", "▁A", "▁Paris", "Paris", "<0x0A>", "▁a", "a"]
    vocabulary = [(word, -float(len(word) == 1) - 1) for word in words]
    own = Tokenizer(models.Unigram(vocabulary, unk_id=2))
    own.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    own.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    return PreTrainedTokenizerFast(tokenizer_object=own, bos_token="<s>", eos_token="</s>", unk_token="<unk>")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("prefix", ["<s>Below are", "<s>", "<s><s>x"])
def test_a_prompt_that_spells_the_begin_of_text_is_refused(prefix: str) -> None:
    with pytest.raises(GenerationFailed, match="begins with <s>, which the tokenizer adds by itself"):
        PromptTokenizer(tokenizer()).prompts(PromptBlock(prefix, ("why?", "who?")))


def test_a_prompt_that_spells_the_first_of_several_tokens_in_front_is_refused() -> None:
    with pytest.raises(GenerationFailed, match="begins with </s>, which the tokenizer adds by itself"):
        PromptTokenizer(with_template("</s> <s> $A")).prompts(PromptBlock("</s><s>Below are", ("why?",)))


def test_a_prompt_that_spells_its_own_special_tokens_is_read_as_it_is() -> None:
    [ids] = PromptTokenizer(tokenizer()).prompts(PromptBlock("<s>Below are", ("",), bos=False))
    assert ids == tokenizer()("Below are")["input_ids"]


def test_a_begin_of_text_in_the_middle_is_no_second_one() -> None:
    [ids] = PromptTokenizer(tokenizer()).prompts(PromptBlock("Below <s> are", ("",)))
    assert ids == tokenizer()("Below <s> are")["input_ids"]


def test_an_engine_refuses_what_its_tokenizer_refuses() -> None:
    with pytest.raises(GenerationFailed, match="begins with <s>"):
        engine_of(random_llama()).generate(PromptBlock("<s>Below are", ("why?",)), Decoding(4))


@pytest.mark.parametrize("template", ["<s> $A </s>", "$A </s>", "<s> $A </s> </s>"])
def test_special_tokens_behind_a_prompt_are_left_out(template: str) -> None:
    prompts = PromptTokenizer(with_template(template)).prompts(PromptBlock("Which tree", ("?", "</s>", "")))
    for ids, suffix in zip(prompts, ("?", "</s>", ""), strict=True):
        front = [0] if template.startswith("<s>") else []
        assert ids == front + tokenizer()("Which tree" + suffix, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize(("prompt", "continuation"), [("A: ", "Paris"), ("A:", " Paris"), ("A:", "a")])
def test_a_continuation_has_no_space_that_its_text_has_not(prompt: str, continuation: str) -> None:
    words = sentencepiece()
    door = PromptTokenizer(words)
    [before], [whole] = door.tokens([prompt], False), door.tokens([prompt + continuation], False)
    added = door.continuation(continuation, before, whole)
    assert words.decode(before + added) == words.decode(whole)


def test_a_text_ends_where_the_model_or_its_tokenizer_says() -> None:
    model = random_llama()
    for stated in (5, [5, 7], None):
        model.generation_config.eos_token_id = stated
        own = [stated] if isinstance(stated, int) else stated or []
        assert end_tokens(model, tokenizer()) == {*own, 1}
