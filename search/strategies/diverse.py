"""Demonstrations that are near to the guiding questions and unlike each other: the greedy mode of a determinantal point
process (Ye et al., "Compositional Exemplars for In-context Learning", ICML 2023; Chen et al., NeurIPS 2018)."""

from collections.abc import Sequence

import numpy as np

from search.candidate import Candidate
from search.embedding import Embedding
from search.leaderboard import Leaderboard
from search.space import SearchSpace
from search.strategy import ScoredTrial, Trial

_RELEVANCE = 1.0  # weight of nearness in the logarithm of a demonstration's quality, in its standard deviations
_JITTER = 1e-6


class Diverse:
    """Judges its pick on all guiding questions, and nothing else.

    Args:
        embedding: of the space's pool and questions, in their order.
    """

    def __init__(self, space: SearchSpace, embedding: Embedding) -> None:
        self._space = space
        self._board = Leaderboard()
        self._pick: tuple[str, ...] | None = likeliest(space, embedding)

    def ask(self, room: int) -> Sequence[Trial]:  # noqa: ARG002 -- one pick always fits
        pick, self._pick = self._pick, None
        return [Trial(self._space.compose(pick), self._space.questions)] if pick else []

    def tell(self, scored: ScoredTrial) -> None:
        self._board.tell(scored)

    def planned(self) -> int:
        return 2 * len(self._space.questions)

    def ranking(self) -> Sequence[Candidate]:
        return self._board.ranking()


def likeliest(space: SearchSpace, embedding: Embedding) -> tuple[str, ...]:
    """Greedy steps up the determinant of the chosen rows of quality_i * cosine_ij * quality_j."""
    unit = embedding.demonstrations
    closeness = embedding.closeness()
    quality = np.exp(_RELEVANCE * (closeness - closeness.mean()) / (closeness.std() or 1.0) / 2)
    kernel = quality[:, None] * (unit @ unit.T) * quality + _JITTER * np.eye(len(unit))
    gain, rows = np.diag(kernel).copy(), np.zeros((0, len(unit)))
    chosen: list[int] = []
    required = [space.pool.index(name) for name in space.required]
    while True:
        ranked = required[len(chosen) : len(chosen) + 1] or np.argsort(-gain, kind="stable").tolist()
        names = [space.pool[number] for number in chosen]
        best = next((one for one in ranked if one not in chosen and space.fits([*names, space.pool[one]])), None)
        if best is None:
            return space.arrange(names)
        row = (kernel[best] - rows[:, best] @ rows) / np.sqrt(max(gain[best], _JITTER))
        rows = np.vstack([rows, row])
        gain = gain - row**2
        chosen.append(best)
