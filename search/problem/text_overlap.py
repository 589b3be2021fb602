"""Texts that share words: the same, one inside another, long passages in common.

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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
_CHUNK = 200_000  # words that are hashed at the same time, 16 bytes each a few times over
_BITS = 20
_BASE = 0x9E3779B97F4A7C15 | 1  # odd, so that it has an inverse modulo 2 ** 64
_INVERSE = pow(_BASE, -1, 2**64)

_QUOTES_AND_DASHES = {ord(quote): None for quote in "'\u2018\u2019\u201b\u02bc\u0060\u00b4\u2032"} | {
    ord(dash): "-" for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
}
_BETWEEN_NUMBERS = re.compile(r"(?<=\d)[.:](?=\d)|(?<=\d)\s*[-*/%]\s*(?=\d)|(?<!\S)-(?=\d)")
_BETWEEN_LETTERS = re.compile(r"(?<!\d) | (?!\d)")
_BEFORE_NUMBER = re.compile(r" \d")
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
_PERHAPS_SIGNS = re.compile(r"[+<=>|~$]|[-.:*/%]\s*\d")


def words_of(text: str) -> Words:
    """The words by which texts are compared; of a text that has none, its characters but white space."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).casefold().translate(_QUOTES_AND_DASHES)
        text = unicodedata.normalize("NFKC", text)
    else:
        text = text.lower().translate(_ASCII)
        if not _PERHAPS_SIGNS.search(text):
            return tuple(text.translate(_ASCII_WORDS).split()) or tuple("".join(text.split()))
    text = _BETWEEN_NUMBERS.sub(lambda match: chr(_PRIVATE + ord(match[0].strip())), text)
    return tuple(text.translate(_FOLDING).split()) or tuple("".join(text.split()))


def is_telling(words: Sequence[str]) -> bool:
    """Whether it is no coincidence to find this text inside another."""
    letters = sum(map(len, words))
    return (len(words) >= _FEWEST and letters >= _FEWEST_LETTERS) or len(words) >= 2 * _FEWEST


@dataclass(frozen=True, slots=True)
class Passages:
    """Passages of some texts, to be found in others.

    Attributes:
        values: a number for each word; None where texts are compared by character.
        tables: passages by their length.
    """

    values: Mapping[str, int] | None
    tables: tuple["_Table", ...]

    @classmethod
    def of_words(cls, sought: Sequence[Words], length: int = PASSAGE) -> Self:
        """All passages of so many words; of a shorter text all of it, if that is telling.

        A passage that more than three texts share, such as the frame of a multiple-choice question, is left out.
        """
        fitting: dict[int, list[int]] = defaultdict(list)
        for at, words in enumerate(sought):
            if is_telling(words):
                fitting[min(len(words), length)].append(at)
        values = _word_values(sought)
        return cls(values, tuple(_Table.of(sought, size, fitting[size], values) for size in sorted(fitting)))

    @classmethod
    def of_letters(cls, sought: Sequence[str], length: int) -> Self:
        """One passage of so many characters of each text, the one that fewest of the others have: enough to find the
        texts that hold all of it. Shorter texts have none."""
        fitting = [at for at, letters in enumerate(sought) if len(letters) >= length]
        return cls(None, (_Table.of(sought, length, fitting, None, rarest=True),))

    def found_in(self, texts: Iterable[Sequence[str]]) -> Iterator[tuple[int, int]]:
        """Pairs (index of the text that a passage is of, index in `texts`), each once; the texts are read once."""
        start = 0
        for chunk in _chunks(texts):
            hashed = _Hashed.of(chunk, self.values)
            pairs: set[tuple[int, int]] = set()
            for table in filter(lambda table: table.owners, self.tables):
                in_chunk = hashed.passages(table.length, table.hashes, table.likely)
                for text, shared in zip(*map(np.ndarray.tolist, in_chunk), strict=True):
                    pairs.update((owner, start + text) for owner in table.owners[shared])
            yield from sorted(pairs)
            start += len(chunk)


def _chunks(texts: Iterable[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    """The texts, so many at a time that they have about `_CHUNK` words; those without words are kept."""
    chunk: list[Sequence[str]] = []
    size = 0
    for text in texts:
        chunk.append(text)
        size += len(text)
        if size >= _CHUNK:
            yield chunk
            chunk, size = [], 0
    if size:
        yield chunk


def _word_values(texts: Sequence[Sequence[str]]) -> dict[str, int]:
    """A random number for each word, in [1, 2 ** 64); always the same."""
    names = sorted({word for text in texts for word in text})
    drawn = np.random.default_rng(0).integers(1, 2**64 - 1, len(names), dtype=np.uint64)
    return dict(zip(names, drawn.tolist(), strict=True))


def _letter_values(text: str) -> Hashes:
    """A number for each character, which is as good as random."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    mixed = (codes + np.uint64(1)) * np.uint64(_BASE)
    mixed ^= mixed >> np.uint64(29)
    return mixed * np.uint64(_BASE)


@dataclass(frozen=True, slots=True)
class _Table:
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
    def of(
        cls,
        texts: Sequence[Sequence[str]],
        length: int,
        fitting: Sequence[int],
        values: Mapping[str, int] | None,
        *,
        rarest: bool = False,
    ) -> Self:
        """The passages of the texts with these indices; `rarest`: one of each, which fewest of the others have."""
        windows: list[tuple[NDArray[np.int64], Hashes]] = []
        start = 0
        for chunk in _chunks([texts[at] for at in fitting]):
            owners, hashes = _Hashed.of(chunk, values).passages(length)
            windows.append((owners + start, hashes))
            start += len(chunk)
        by_passage: dict[int, list[int]] = defaultdict(list)
        if windows:
            owners, hashes = map(np.concatenate, zip(*windows, strict=True))
            for owner, passage in zip(*map(np.ndarray.tolist, _telling(owners, hashes, rarest)), strict=True):
                by_passage[passage].append(fitting[owner])
        sought = np.fromiter(sorted(by_passage), np.uint64, len(by_passage))
        likely = np.zeros(2**_BITS, np.bool_)
        likely[_first_bits(sought)] = True
        return cls(length, by_passage, sought, likely)


def _telling(owners: NDArray[np.int64], hashes: Hashes, rarest: bool) -> tuple[NDArray[np.int64], Hashes]:
    """Each passage of each owner once, without those that are a template; `rarest`: one an owner."""
    order = np.lexsort((hashes, owners))
    owners, hashes = owners[order], hashes[order]
    fresh = np.concatenate([[True], (owners[1:] != owners[:-1]) | (hashes[1:] != hashes[:-1])])[: len(owners)]
    owners, hashes = owners[fresh], hashes[fresh]
    _, which, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    shares = counts[which]
    good = shares <= _TEMPLATE
    owners, hashes, shares = owners[good], hashes[good], shares[good]
    if not rarest:
        return owners, hashes
    order = np.lexsort((shares, owners))
    owners, first = np.unique(owners[order], return_index=True)
    return owners, hashes[order][first]


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
    def of(cls, texts: Sequence[Sequence[str]], values: Mapping[str, int] | None) -> Self:
        """Texts of words with these values, or of characters where there are none."""
        ends = np.cumsum([len(text) for text in texts])
        if values is None:
            numbers = _letter_values("".join(map("".join, texts)))
        else:
            get = values.get
            numbers = np.fromiter((get(word, 0) for text in texts for word in text), np.uint64, int(ends[-1]))
        zero = np.zeros(1, np.uint64)
        sums = np.concatenate([zero, np.cumsum(numbers * _powers(_BASE, len(numbers)), dtype=np.uint64)])
        return cls(ends, sums, np.concatenate([[0], np.cumsum(numbers == 0)]))

    def passages(
        self, length: int, sought: Hashes | None = None, likely: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], Hashes]:
        """Indices of texts and the hash of a passage of each: of all, or of those that are looked for."""
        hashes = (self.sums[length:] - self.sums[:-length]) * _powers(_INVERSE, max(0, len(self.sums) - length))
        good = self.unknown[length:] == self.unknown[:-length]
        if likely is not None:
            good &= likely[_first_bits(hashes)]
        places = np.flatnonzero(good)
        owners = np.searchsorted(self.ends, places, side="right")
        whole = places + length <= self.ends[owners]
        owners, hashes = owners[whole], hashes[places[whole]]
        if sought is not None:
            hit = sought[np.minimum(np.searchsorted(sought, hashes), len(sought) - 1)] == hashes
            owners, hashes = owners[hit], hashes[hit]
        return owners, hashes


def _first_bits(hashes: Hashes) -> Hashes:
    return hashes >> np.uint64(64 - _BITS)


@lru_cache(maxsize=4)
def _powers(base: int, count: int) -> Hashes:
    """base ** 0, base ** 1, ... modulo 2 ** 64."""
    factors = np.full(count, base, np.uint64)
    factors[:1] = 1
    return np.cumprod(factors, dtype=np.uint64)


def letters_of(words: Words) -> str:
    """The words without the spaces between them, so that it does not matter where a text is broken; numbers stay
    apart."""
    text = " ".join(words)
    return _BETWEEN_LETTERS.sub("", text) if _BEFORE_NUMBER.search(text) else text.replace(" ", "")
