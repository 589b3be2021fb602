"""A stop string is found at the very token that completes it, whatever pieces of characters the tokens are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from workers.shared_prefix.detokenizer import Stops, Transcript

BITS = "ab €é😀😁ñ漢\nQ"
WORDS = [bit.encode() for bit in ("stop", "ab", "b ", " a", "\n\n", "a\n", "é")]
HALVES = ["€".encode()[:2], "€".encode()[1:], "€".encode()[2:] + b"a", "😀".encode()[:3], "😀".encode()[3:] + b"b"]


def byte_level() -> Any:
    """As GPT-2's and Llama-3's: tokens are bytes, some of them several."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable} | {byte: chr(256 + at) for at, byte in enumerate(others)}
    vocabulary = {letters[byte]: byte for byte in range(256)}
    for raw in (*WORDS, *HALVES):
        vocabulary["".join(letters[byte] for byte in raw)] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocabulary | {"<s>": len(vocabulary)}, []))
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>")  # type: ignore[no-untyped-call]


def byte_fallback() -> Any:
    """As Llama-2's and Mistral's: words, bytes of rare characters, and a space that is lost in front."""
    words = ["<s>", "▁", "▁a", "▁b", "▁stop", "b▁", "a", "b", "ab", "é", "▁é", "€", "stop", "Q"]
    vocabulary = {word: at for at, word in enumerate([f"<0x{byte:02X}>" for byte in range(256)] + words)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], byte_fallback=True))
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    tokenizer.decoder = decoders.Sequence(steps)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>")  # type: ignore[no-untyped-call]


BYTE_LEVEL, BYTE_FALLBACK = byte_level(), byte_fallback()


def tokens_of(tokenizer: Any, text: str) -> list[int]:
    """One token a character where there is one, else its bytes; begins with `<s>`."""
    known = tokenizer.get_vocab()
    if tokenizer is BYTE_LEVEL:
        return [known["<s>"], *text.encode()]
    spelt = ([character] if character in known else _bytes(character) for character in text.replace(" ", "▁"))
    return [known["<s>"], *(known[token] for tokens in spelt for token in tokens)]


def _bytes(character: str) -> list[str]:
    return [f"<0x{byte:02X}>" for byte in character.encode()]


def agree(tokenizer: Any, prompt: str, output: list[int], stops: tuple[str, ...]) -> None:
    """With the rule that needs no thought: decode everything after every token."""
    before = tokens_of(tokenizer, prompt)
    transcript, whole, first = Transcript(tokenizer, before, Stops(tokenizer, stops)), "", None
    for count, token in enumerate(output, 1):
        whole = _decoded(tokenizer, before + output[:count])[len(_decoded(tokenizer, before)) :]
        first = min((at for stop in stops if (at := whole.find(stop)) >= 0), default=None)
        assert transcript.push(token) == transcript.has_stop() == (first is not None)
        if first is not None:
            break
    assert transcript.text() == whole[:first]


def _decoded(tokenizer: Any, tokens: list[int]) -> str:
    return str(tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))


texts = st.text(BITS, max_size=14)
stop_strings = st.lists(st.text(BITS, min_size=1, max_size=3), min_size=1, max_size=3).map(tuple)


@pytest.mark.parametrize("tokenizer", [BYTE_LEVEL, BYTE_FALLBACK], ids=["byte level", "byte fallback"])
@given(prompt=texts, said=texts, stops=stop_strings)
@example(prompt="a", said="😁😀😀😀b", stops=("😀😀😀",))
@example(prompt="a😁😁", said="😀b", stops=("😀",))
@example(prompt="a", said="ñ漢ñ漢ñ漢", stops=("漢ñ漢",))
def test_texts_spelt_in_bytes_stop_where_they_should(
    tokenizer: Any, prompt: str, said: str, stops: tuple[str, ...]
) -> None:
    agree(tokenizer, prompt, tokens_of(tokenizer, said)[1:], stops)


@pytest.mark.parametrize("tokenizer", [BYTE_LEVEL, BYTE_FALLBACK], ids=["byte level", "byte fallback"])
@given(data=st.data(), prompt=texts, stops=stop_strings)
def test_tokens_in_any_order_stop_where_they_should(
    tokenizer: Any, data: st.DataObject, prompt: str, stops: tuple[str, ...]
) -> None:
    likely = st.sampled_from(sorted({*tokens_of(tokenizer, BITS), *range(256, len(tokenizer))}))
    prompt += "a"  # for half a character behind a rare one makes rubbish of both
    agree(tokenizer, prompt, data.draw(st.lists(likely | st.integers(0, len(tokenizer) - 1), max_size=20)), stops)
