"""Retrieval as a baseline: demonstrations are picked by their texts alone."""

from collections.abc import Sequence

import numpy as np

from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.parts.embedding import Embedding
from search.strategies.parts.leaderboard import Leaderboard

_RELEVANCE = 1.0  # weight of nearness in the logarithm of a demonstration's quality, in its standard deviations
_JITTER = 1e-6


class Retrieval:
    """Judges its pick on all search questions, and nothing else.

    Args:
        pick: what is chosen, in order; none when empty.
    """

    def __init__(self, space: SearchSpace, pick: tuple[str, ...]) -> None:
        self._space = space
        self._board = Leaderboard()
        self._picks = [space.compose(pick)] if pick else []
        self._planned = 1 + len(self._picks)

    def ask(self, room: int) -> Sequence[Trial]:  # noqa: ARG002 -- one pick always fits
        picks, self._picks = self._picks, []
        return [Trial(pick, self._space.questions) for pick in picks]

    def tell(self, scored: ScoredTrial) -> None:
        self._board.tell(scored)

    def planned(self) -> int:
        return self._planned * len(self._space.questions)

    def ranking(self) -> Sequence[Candidate]:
        return self._board.ranking()


def nearest(space: SearchSpace, embedding: Embedding) -> tuple[str, ...]:
    """The demonstrations with the highest mean cosine to the questions, as many as are allowed, the nearest last; what
    is required always.
    """
    closeness = embedding.closeness()
    chosen = list(space.required)
    for number in np.argsort(-closeness, kind="stable").tolist():
        if space.fits([*chosen, space.pool[number]]):
            chosen.append(space.pool[number])
    place = {name: number for number, name in enumerate(space.pool)}
    return space.arrange(sorted(chosen, key=lambda name: (closeness[place[name]], name)))


def likeliest(space: SearchSpace, embedding: Embedding) -> tuple[str, ...]:
    """Near to the questions and unlike each other: greedy steps up the determinant of the chosen rows of
    quality_i * cosine_ij * quality_j, the mode of a determinantal point process (Ye et al., "Compositional Exemplars
    for In-context Learning", ICML 2023; Chen et al., NeurIPS 2018)."""
    unit = embedding.demonstrations
    closeness = embedding.closeness()
    quality = np.exp(_RELEVANCE * (closeness - closeness.mean()) / (closeness.std() or 1.0) / 2)
    scaled = quality[:, None] * unit
    gain, rows = (scaled**2).sum(axis=1) + _JITTER, np.zeros((0, len(unit)))
    chosen: list[int] = []
    required = [space.pool.index(name) for name in space.required]
    while True:
        ranked = required[len(chosen) : len(chosen) + 1] or np.argsort(-gain, kind="stable").tolist()
        names = [space.pool[number] for number in chosen]
        best = next(
            (
                candidate
                for candidate in ranked
                if candidate not in chosen and space.fits([*names, space.pool[candidate]])
            ),
            None,
        )
        if best is None:
            return space.arrange(names)
        kernel = scaled @ scaled[best]
        kernel[best] += _JITTER
        row = (kernel - rows[:, best] @ rows) / np.sqrt(max(gain[best], _JITTER))
        rows = np.vstack([rows, row])
        gain = gain - row**2
        chosen.append(best)
