"""The candidates that are judged on held-out questions when a search has ended."""

from collections.abc import Sequence

from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.split import HeldOut
from search.problem.trial import Trial


def finalists(ranking: Sequence[Candidate], space: SearchSpace) -> list[Candidate]:
    """The best two and the base prompt, each once; also the base prompt in the best one's decoding where that is
    another, which tells what the demonstrations did and what the decoding."""
    control = [space.compose((), decoding=candidate.decoding) for candidate in ranking[:1]]
    return list(dict.fromkeys([*ranking[:2], space.compose(()), *control]))


def most_finalists(space: SearchSpace) -> int:
    """How many there are at most."""
    return 4 if space.decodings else 3


def final_trials(candidates: Sequence[Candidate], held_out: HeldOut) -> list[Trial]:
    """What these are asked when a search has ended: the judge's questions, then the screening judge's."""
    trials = [Trial(candidate, held_out.judged) for candidate in candidates]
    if held_out.screened:
        trials += [Trial(candidate, held_out.screened, screening=True) for candidate in candidates]
    return trials
