"""How `screening` divides its budget of answers into stages."""

from typing import Literal

from configs.schema.strategy import ScreeningConfig
from search.problem.space import SearchSpace

_SCREENED = 20  # times the judge's answers
_FINALISTS, _FINAL_SHARE = 2, 2  # a finalist's questions are at most half of the budget
_GROUPS_SHARE, _FEW_CHOSEN = 0.75, 3
_SETS = 6  # trials of sets for each demonstration of one, before groups take more than half of what finalists leave
_LEAST_CANDIDATES = 12  # worth of judged generations, where a tenth of exhaustive greedy's is less

Stage = Literal[
    "groups of demonstrations are screened",
    "sets of the likeliest demonstrations are tried",
    "the best sets race",
    "the finalists meet all search questions",
]
GROUPS: Stage = "groups of demonstrations are screened"
SETS: Stage = "sets of the likeliest demonstrations are tried"
RACE: Stage = "the best sets race"
FINALISTS: Stage = "the finalists meet all search questions"


def stage_at(spent: float, groups: float, race: float) -> Stage:
    """Return what a share of the budget is followed by, where groups and the race take these shares; all in [0, 1]."""
    if spent < groups:
        return GROUPS
    return SETS if spent < 1 - race else RACE


def trials_of(config: ScreeningConfig, space: SearchSpace, answers: int) -> int:
    """Return how many trials, of a block of questions each, so many answers beside the base prompt's are; >= 1."""
    return max(1, answers // min(config.block, len(space.questions)))


def answers_of_groups(config: ScreeningConfig, space: SearchSpace, answers: int) -> int:
    """Return how many of so many answers beside the base prompt's groups of demonstrations are judged by at the most.

    Args:
        space: with the questions that it asks about.
    """
    return int(answers * share_of_groups(config, space, trials_of(config, space, answers)))


def share_of_groups(config: ScreeningConfig, space: SearchSpace, trials: int) -> float:
    """Return which share of so many trials (>= 1) groups take at the most, in [0, 1].

    Groups are dealt of fewer and fewer demonstrations. At the end those of 3 are sets as good as any that could be
    proposed; of 8 there are thousands, so that good ones have to be proposed.

    Args:
        space: with the questions that it asks about.
    """
    if config.screening_share != "auto":
        return config.screening_share
    if space.max_added <= _FEW_CHOSEN:
        return _GROUPS_SHARE
    blocks = -(-len(space.questions) // config.block)
    free = trials - finalists_met_by(trials, blocks) * blocks
    return min(_GROUPS_SHARE, max(free / 2, free - _SETS * space.max_added) / trials)


def finalists_met_by(trials: int, blocks: int) -> int:
    """Return how many finalists may meet all `blocks` of questions: they take half of the trials at the most."""
    return min(_FINALISTS, trials // (_FINAL_SHARE * blocks))


def answers_to_screen(config: ScreeningConfig, space: SearchSpace, answers: int) -> int:
    """Return how many answers a screening judge may judge where the judge that counts has so many.

    Args:
        space: with the questions that it asks about.
    """
    if config.screening_judge_answers != "auto":
        return config.screening_judge_answers
    return min(_SCREENED * answers, _exhaustive_candidates(space) * len(space.questions))


def answers_to_ask_for(config: ScreeningConfig, space: SearchSpace, base_answers: int) -> int:
    """Return how many judged answers the search may take, the base prompt's included.

    Args:
        space: with the questions that it asks about.
        base_answers: of them the base prompt's.
    """
    if config.evaluations != "auto":
        return config.evaluations
    candidates = _exhaustive_candidates(space)
    worth = max(min(candidates, _LEAST_CANDIDATES), candidates // 10)
    return base_answers + len(space.questions) * (worth - 1)


def _exhaustive_candidates(space: SearchSpace) -> int:
    """Return how many candidates exhaustive greedy tries beside the base prompt."""
    return sum(len(space.pool) - step for step in range(space.max_added))
