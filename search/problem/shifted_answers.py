"""A cheap test whether answers slid against their queries: the defect that ruins a prompt without a trace.

In the paper a circular shift of six answers took Llama-3.1-8B from 7.81 to 2.13, and no loader would notice. Answers
share rare words with their own query; so each query's overlap with its own answer is compared with its overlap with the
neighbours' answers, pair by pair.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from statistics import fmean, stdev

_WORD = re.compile(r"\w{3,}")
_ROWS = 500  # more would cost seconds and say no more
_CLEAR = 2.0  # standard errors, and in cosine:
_LARGE = 0.05


def shift_of(pairs: Sequence[tuple[str, str]]) -> int:
    """By how many rows the answers seem shifted: 1 (query `i` matches answer `i + 1`), -1, or 0 for not at all."""
    pairs = pairs[:_ROWS]
    if len(pairs) < 3:
        return 0
    queries, answers = _weighted([query for query, _ in pairs], [answer for _, answer in pairs])
    for shift in (1, -1):
        gains = [
            _cosine(query, answers[(at + shift) % len(pairs)]) - _cosine(query, answers[at])
            for at, query in enumerate(queries)
        ]
        if _clearly_positive(gains):
            return shift
    return 0


def _clearly_positive(gains: Sequence[float]) -> bool:
    error = stdev(gains) / math.sqrt(len(gains))
    return fmean(gains) > max(_CLEAR * error, _LARGE)


def _weighted(*groups: Sequence[str]) -> list[list[dict[str, float]]]:
    """Words with their TF-IDF weights, each text of length one."""
    counted = [[Counter(_WORD.findall(text.lower())) for text in group] for group in groups]
    texts = [text for group in counted for text in group]
    seen_in = Counter(word for text in texts for word in text)
    return [
        [_unit({w: n * math.log(len(texts) / seen_in[w]) for w, n in text.items()}) for text in group]
        for group in counted
    ]


def _unit(weights: dict[str, float]) -> dict[str, float]:
    length = math.hypot(*weights.values()) or 1.0
    return {word: weight / length for word, weight in weights.items()}


def _cosine(one: dict[str, float], other: dict[str, float]) -> float:
    return sum(weight * other.get(word, 0.0) for word, weight in one.items())
