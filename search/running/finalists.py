"""The candidates that are judged on held-out questions when a search has ended."""

from collections.abc import Sequence

from search.problem.candidate import Candidate
from search.problem.space import SearchSpace


def finalists(ranking: Sequence[Candidate], space: SearchSpace) -> list[Candidate]:
    """The best two and the base prompt, each once; also the base prompt in the best one's decoding where that is
    another, which tells what the demonstrations did and what the decoding."""
    control = [space.compose((), decoding=candidate.decoding) for candidate in ranking[:1]]
    return list(dict.fromkeys([*ranking[:2], space.compose(()), *control]))


def most_finalists(space: SearchSpace) -> int:
    """How many there are at most."""
    return 4 if space.decodings else 3
