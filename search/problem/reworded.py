"""Questions asked in almost the same words: in another order, with a word more or less, with typing errors.

Only words that carry meaning are compared, as a set. Sets that may be as near as that are found by sums of their words'
hashes: without any word, without each of them, without each two.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, islice, permutations

from search.problem.text_overlap import Words, words_of

_COMPARED = range(5, 61)  # words of a text
_FEWEST = 3  # words that carry meaning
_TYPO_LETTERS = 5
_TYPOS = 2
_MOST_PAIRED = 12  # words of a set of which each two are left out
_TEMPLATE = 50  # sets that are the same but for a word or two: forms in which other things are asked
_FUNCTION_WORDS = frozenset(
    words_of(
        "a an the is are was were am be been do does did to of in on at for from by with and or as it its this that "
        "these those you your i me my we us our can could would will please s then also just"
    )
)
_CONTRACTED = {
    f"{word}s": word for word in ("what", "who", "how", "where", "when", "why", "it", "that", "there", "here")
}


def reworded(asked: Sequence[Words], texts: Sequence[Words]) -> Iterator[tuple[int, int]]:
    """Pairs (index in `asked`, index in `texts`) of texts that are not the same, but have the same words that carry
    meaning, in any order: all, or but for one that only one of them has, or but for a typing error in one or two.

    Numbers differ where they differ, and so do words of fewer than five letters. Texts of 5 to 60 words are compared.
    """
    contents = [_content(words) for words in asked]
    without: list[dict[int, list[int]]] = [defaultdict(list) for _ in range(_TYPOS + 1)]
    for at, content in enumerate(contents):
        for sums, owners in zip(_sums(content), without, strict=True):
            for total in sums:
                owners[total].append(at)
    for at, words in enumerate(texts):
        content = _content(words)
        whole, one_less, two_less = _sums(content)
        near = set(_owners(without[0], [*whole, *one_less]))
        near.update(_owners(without[1], [*whole, *one_less]), _owners(without[2], two_less))
        yield from (
            (question, at)
            for question in sorted(near)
            if asked[question] != words and _near(contents[question], content)
        )


def _owners(by_sum: dict[int, list[int]], sums: list[int]) -> Iterator[int]:
    for total in by_sum.keys() & sums:
        owners = by_sum[total]
        if len(owners) <= _TEMPLATE:
            yield from owners


def _content(words: Words) -> frozenset[str]:
    """Words that carry meaning; none of a text that is too short or too long."""
    if len(words) not in _COMPARED:
        return frozenset()
    content = frozenset(_CONTRACTED.get(word, word) for word in words) - _FUNCTION_WORDS
    return content if len(content) >= _FEWEST else frozenset()


def _sums(content: frozenset[str]) -> tuple[list[int], list[int], list[int]]:
    """Sums of the words' hashes: of all, without each of them, without each two."""
    if not content:
        return [], [], []
    hashes = [hash(word) for word in content]
    total = sum(hashes)
    one_less = [total - left_out for left_out in hashes]
    pairs = combinations(hashes, 2) if len(hashes) <= _MOST_PAIRED else ()
    return [total], one_less, [total - first - second for first, second in pairs]


def _near(content: frozenset[str], other: frozenset[str]) -> bool:
    left, right = content - other, other - content
    if len(left) + len(right) <= 1:
        return True
    return len(left) == len(right) <= _TYPOS and any(all(map(_is_typo, left, order)) for order in permutations(right))


def _common(word: str, other: str) -> int:
    """Letters that both begin with."""
    pairs = enumerate(zip(word, other, strict=False))
    return next(islice((at for at, (left, right) in pairs if left != right), 1), min(len(word), len(other)))


def _is_typo(first: str, second: str) -> bool:
    """Whether a letter is missing, added, another, or changed places with its neighbour."""
    if min(len(first), len(second)) < _TYPO_LETTERS or not (first + second).isalpha():
        return False
    start = _common(first, second)
    left, right = first[start:], second[start:]
    end = _common(left[::-1], right[::-1])
    left, right = left[: len(left) - end], right[: len(right) - end]
    return max(len(left), len(right)) <= 1 or (len(left) == len(right) == 2 and left == right[::-1])
