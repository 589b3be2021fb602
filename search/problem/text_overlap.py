"""Texts that share words: the same, one inside another, long passages in common, one word apart.

Texts are compared as sequences of words, whatever their case, white space, punctuation, quotation marks, dashes,
invisible characters and Unicode form (NFC, NFD, NFKC). Operators and signs between numbers are words, so that `2 - 2`
is not `2 + 2`. Scripts without spaces (Chinese, Japanese, Thai and others) are compared character by character.

Passages are found with rolling hashes over all texts at once, so that time grows with the number of words and not with
the number of pairs. A passage is 13 words, as in the decontamination of GPT-3 (Brown et al. 2020, appendix C), or the
whole text where that is shorter.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Self

import numpy as np
from numpy.typing import NDArray

Words = tuple[str, ...]
Hashes = NDArray[np.uint64]

PASSAGE = 13
"""Words of a passage that two texts have in common only if one was taken from the other."""
_FEWEST, _FEWEST_LETTERS = 3, 10
"""Words and letters of a whole text, from which on finding it inside another is no coincidence."""
_TEMPLATE = 3  # texts that have a passage in common; where more do, it is the form of the questions
_EDITED = range(5, 41)  # words of a text of which one may be another
_TYPO_LETTERS = 5
_CHUNK = 1_000_000  # words that are hashed at the same time, 16 bytes each a few times over
_BITS = 20
_BASE = 0x9E3779B97F4A7C15 | 1  # odd, so that it has an inverse modulo 2 ** 64
_INVERSE = pow(_BASE, -1, 2**64)

_QUOTES_AND_DASHES = {ord(quote): None for quote in "'\u2018\u2019\u201b\u02bc\u0060\u00b4\u2032"} | {
    ord(dash): "-" for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
}
_BETWEEN_NUMBERS = re.compile(r"(?<=\d)[.:](?=\d)|(?<=\d)\s*[-*/%]\s*(?=\d)|(?<!\S)-(?=\d)")
_PRIVATE = 0xE000  # where an operator's code moves, so that it is told from punctuation
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


class _Folding(dict[int, str]):
    """What becomes of a character, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = _folded(chr(code))
        return self[code]


def _folded(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or "\ufe00" <= character <= "\ufe0f" or character == "\u034f":
        return ""
    if category in ("Sm", "Sc", "So") or _SPACELESS.match(character):
        return f" {character} "
    return character if category[0] in "LMN" or category == "Co" else " "


_FOLDING = _Folding()
_ASCII = {ord("'"): None, ord("`"): None}
_ASCII_WORDS = {code: _folded(chr(code)) for code in range(128) if len(_folded(chr(code))) == 1}  # the usual, fast case
_SIGNS = re.compile(r"[+<=>|~$]|\d\s*[-.:*/%]\s*\d|(?<!\S)-\d")


def words_of(text: str) -> Words:
    """The words by which texts are compared; of a text that has none, its characters but white space."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).casefold().translate(_QUOTES_AND_DASHES)
        text = unicodedata.normalize("NFKC", text)
    else:
        text = text.lower().translate(_ASCII)
        if not _SIGNS.search(text):
            return tuple(text.translate(_ASCII_WORDS).split()) or tuple("".join(text.split()))
    text = _BETWEEN_NUMBERS.sub(lambda match: chr(_PRIVATE + ord(match[0].strip())), text)
    return tuple(text.translate(_FOLDING).split()) or tuple("".join(text.split()))


def is_telling(words: Words) -> bool:
    """Whether it is no coincidence to find this text inside another."""
    letters = sum(map(len, words))
    return (len(words) >= _FEWEST and letters >= _FEWEST_LETTERS) or len(words) >= 2 * _FEWEST


def shared_passages(sought: Sequence[Words], texts: Iterable[Words]) -> Iterator[tuple[int, int]]:
    """Pairs (index in `sought`, index in `texts`), each once: a passage of the one stands in the other.

    Args:
        sought: each is a passage where it has at most `PASSAGE` words; those too short to be telling are in no pair.
            A passage that more than three of them have in common, such as the frame of a multiple-choice question, is
            not looked for.
        texts: read once, a million words at a time.
    """
    values = _word_values(sought)
    tables = [table for length in range(_FEWEST, PASSAGE + 1) if (table := _Passages.of(sought, length, values)).owners]
    start = 0
    for chunk in _chunks(texts):
        hashed = _Hashed.of(chunk, values)
        pairs: set[tuple[int, int]] = set()
        for table in tables:
            for text, passage in hashed.passages(table.length, table.hashes, table.likely):
                pairs.update((owner, start + text) for owner in table.owners[passage])
        yield from sorted(pairs)
        start += len(chunk)


def _chunks(texts: Iterable[Words]) -> Iterator[list[Words]]:
    """The texts, so many at a time that they have about `_CHUNK` words; those without words are kept."""
    chunk: list[Words] = []
    size = 0
    for text in texts:
        chunk.append(text)
        size += len(text)
        if size >= _CHUNK:
            yield chunk
            chunk, size = [], 0
    if size:
        yield chunk


def _word_values(texts: Sequence[Words]) -> dict[str, int]:
    """A random number for each word, in [1, 2 ** 64); always the same."""
    names = sorted({word for text in texts for word in text})
    drawn = np.random.default_rng(0).integers(1, 2**64 - 1, len(names), dtype=np.uint64)
    return dict(zip(names, drawn.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class _Passages:
    """The passages of one length that are looked for.

    Attributes:
        owners: indices of the texts that have it, by a passage's hash.
        hashes: the hashes, sorted.
        likely: whether any hash begins with these 20 bits, so that most others need no search.
    """

    length: int
    owners: dict[int, list[int]]
    hashes: Hashes
    likely: NDArray[np.bool_]

    @classmethod
    def of(cls, texts: Sequence[Words], length: int, values: dict[str, int]) -> Self:
        fitting = [at for at, text in enumerate(texts) if min(len(text), PASSAGE) == length and is_telling(text)]
        owners: dict[int, list[int]] = defaultdict(list)
        start = 0
        for chunk in _chunks([texts[at] for at in fitting]):
            for text, passage in set(_Hashed.of(chunk, values).passages(length)):
                owners[passage].append(fitting[start + text])
            start += len(chunk)
        owners = {passage: own for passage, own in owners.items() if len(own) <= _TEMPLATE}
        hashes = np.fromiter(sorted(owners), np.uint64, len(owners))
        likely = np.zeros(2**_BITS, np.bool_)
        likely[_first_bits(hashes)] = True
        return cls(length, owners, hashes, likely)


@dataclass(frozen=True, slots=True)
class _Hashed:
    """Texts behind one another, as numbers.

    Attributes:
        ends: where each text ends, in words.
        sums: of all word values before a word, each times a power of `_BASE` by its place.
        unknown: how many words before a word are in no passage.
    """

    ends: NDArray[np.int64]
    sums: Hashes
    unknown: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[Words], values: dict[str, int]) -> Self:
        ends = np.cumsum([len(text) for text in texts])
        get = values.get
        numbers = np.fromiter((get(word, 0) for text in texts for word in text), np.uint64, int(ends[-1]))
        zero = np.zeros(1, np.uint64)
        sums = np.concatenate([zero, np.cumsum(numbers * _powers(_BASE, len(numbers)), dtype=np.uint64)])
        return cls(ends, sums, np.concatenate([[0], np.cumsum(numbers == 0)]))

    def passages(
        self, length: int, sought: Hashes | None = None, likely: NDArray[np.bool_] | None = None
    ) -> Iterator[tuple[int, int]]:
        """Index of a text and the hash of a passage of it: of all, or of those that are looked for."""
        hashes = (self.sums[length:] - self.sums[:-length]) * _powers(_INVERSE, max(0, len(self.sums) - length))
        good = self.unknown[length:] == self.unknown[:-length]
        if likely is not None:
            good &= likely[_first_bits(hashes)]
        places = np.flatnonzero(good)
        owners = np.searchsorted(self.ends, places, side="right")
        places = places[places + length <= self.ends[owners]]
        hashes = hashes[places]
        if sought is not None:
            hit = sought[np.minimum(np.searchsorted(sought, hashes), len(sought) - 1)] == hashes
            places, hashes = places[hit], hashes[hit]
        yield from zip(np.searchsorted(self.ends, places, side="right").tolist(), hashes.tolist(), strict=True)


def _first_bits(hashes: Hashes) -> Hashes:
    return hashes >> np.uint64(64 - _BITS)


@lru_cache(maxsize=4)
def _powers(base: int, count: int) -> Hashes:
    """base ** 0, base ** 1, ... modulo 2 ** 64."""
    factors = np.full(count, base, np.uint64)
    factors[:1] = 1
    return np.cumprod(factors, dtype=np.uint64)


def holds(text: Words, part: Words) -> bool:
    """Whether the whole of `part` stands in `text`."""
    return f" {' '.join(part)} " in f" {' '.join(text)} "


def one_word_apart(sought: Sequence[Words], texts: Sequence[Words]) -> Iterator[tuple[int, int]]:
    """Pairs (index in `sought`, index in `texts`): one has a word more, or one word is spelled with a typing error.

    Numbers differ where they differ, and so do words of fewer than five letters. Texts of 5 to 40 words are compared.
    """
    whole: dict[int, list[int]] = defaultdict(list)
    shorter: dict[int, set[int]] = defaultdict(set)
    for at, words in enumerate(sought):
        if len(words) in _EDITED:
            total = sum(map(hash, words))
            whole[total].append(at)
            for word in words:
                shorter[total - hash(word)].add(at)
    for at, words in enumerate(texts):
        if len(words) in _EDITED:
            total = sum(map(hash, words))
            near = set(shorter.get(total, ()))
            for word in words:
                near.update(whole.get(total - hash(word), ()), shorter.get(total - hash(word), ()))
            yield from ((text, at) for text in sorted(near) if _differ_in_a_word(sought[text], words))


def _differ_in_a_word(words: Words, other: Words) -> bool:
    if words == other:
        return False
    start = _common(words, other)
    end = _common(words[start:][::-1], other[start:][::-1])
    left, right = words[start : len(words) - end], other[start : len(other) - end]
    if len(left) + len(right) == 1:
        return True
    return len(left) == len(right) == 1 and _is_typo(left[0], right[0])


def _common(words: Words | str, other: Words | str) -> int:
    """Items that both begin with."""
    pairs = enumerate(zip(words, other, strict=False))
    return next(islice((at for at, (left, right) in pairs if left != right), 1), min(len(words), len(other)))


def _is_typo(first: str, second: str) -> bool:
    """Whether a letter is missing, added, another, or changed places with its neighbour."""
    if min(len(first), len(second)) < _TYPO_LETTERS or not (first + second).isalpha():
        return False
    start = _common(first, second)
    left, right = first[start:], second[start:]
    end = _common(left[::-1], right[::-1])
    left, right = left[: len(left) - end], right[: len(right) - end]
    return max(len(left), len(right)) <= 1 or (len(left) == len(right) == 2 and left == right[::-1])
