"""The demonstrations nearest to the guiding questions, the nearest last: retrieval as a baseline."""

from collections.abc import Sequence

import numpy as np

from search.candidate import Candidate
from search.embedding import Embedding
from search.leaderboard import Leaderboard
from search.space import SearchSpace
from search.strategy import ScoredTrial, Trial


class Similar:
    """Judges its pick on all guiding questions, and nothing else.

    Args:
        embedding: of the space's pool and questions, in their order.
    """

    def __init__(self, space: SearchSpace, embedding: Embedding) -> None:
        self._space = space
        self._board = Leaderboard()
        self._pick: tuple[str, ...] | None = nearest(space, embedding)

    def ask(self, room: int) -> Sequence[Trial]:  # noqa: ARG002 -- one pick always fits
        pick, self._pick = self._pick, None
        return [Trial(self._space.compose(pick), self._space.questions)] if pick else []

    def tell(self, scored: ScoredTrial) -> None:
        self._board.tell(scored)

    def planned(self) -> int:
        return 2 * len(self._space.questions)

    def ranking(self) -> Sequence[Candidate]:
        return self._board.ranking()


def nearest(space: SearchSpace, embedding: Embedding) -> tuple[str, ...]:
    """As many as are allowed, by mean cosine to the questions; what is required always."""
    closeness = embedding.closeness()
    chosen = list(space.required)
    for number in np.argsort(-closeness, kind="stable").tolist():
        if space.fits([*chosen, space.pool[number]]):
            chosen.append(space.pool[number])
    place = {name: number for number, name in enumerate(space.pool)}
    return space.arrange(sorted(chosen, key=lambda name: (closeness[place[name]], name)))
