"""How far verdicts on one and the same answer lie apart.

Verdicts meet their like as hashes that are sorted: SQLite takes twice as long to group a million of them.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np

from evaluators.ledger.file import reading


@dataclass(frozen=True, slots=True)
class JudgeNoise:
    """How far verdicts of one judge on one and the same answer lie apart.

    Attributes:
        answers: that it was asked about more than once.
        spread: standard deviation of a single verdict, in points, pooled over them.
    """

    fingerprint: str
    answers: int
    spread: float


def read_judge_noise(path: Path) -> list[JudgeNoise]:
    """The noise of every judge that was asked about an answer more than once, whoever paid for it."""
    judged: dict[bytes, list[tuple[int, float]]] = defaultdict(list)  # an answer's number, and a score
    with reading(path) as ledger:
        if ledger is None:
            return []
        asked = ledger.execute("SELECT judge, question, generation FROM verdicts NOT INDEXED")
        hashes = np.fromiter(map(hash, asked), np.int64)
        ordered = np.sort(hashes)
        if not np.any(ordered[1:] == ordered[:-1]):
            return []
        _, answers, verdicts = np.unique(hashes, return_inverse=True, return_counts=True)
        again = verdicts[answers] > 1
        scored = compress(ledger.execute("SELECT judge, score FROM verdicts NOT INDEXED"), again.tolist())
        for answer, (judge, score) in zip(answers[again].tolist(), scored, strict=True):
            judged[judge].append((answer, score))
        names = dict(ledger.execute("SELECT digest, fingerprint FROM judges").fetchall())
    noise = [_noise_of(names.get(judge) or "unknown", pairs) for judge, pairs in judged.items()]
    return sorted(noise, key=lambda noise: -noise.answers)


def _noise_of(fingerprint: str, judged: Sequence[tuple[int, float]]) -> JudgeNoise:
    numbers, scores = (np.array(column) for column in zip(*judged, strict=True))
    _, answers, verdicts = np.unique(numbers, return_inverse=True, return_counts=True)
    means = np.bincount(answers, scores) / verdicts
    square = float(((scores - means[answers]) ** 2).sum())
    return JudgeNoise(fingerprint, len(verdicts), (square / (len(scores) - len(verdicts))) ** 0.5)
