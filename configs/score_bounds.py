"""The ends of the scale that a judge gives its scores on, as far as its config tells."""

from configs.schema.judge import (
    AlpacaEvalJudgeConfig,
    EnsembleJudgeConfig,
    JudgeConfig,
    MTBenchJudgeConfig,
    PairwiseJudgeConfig,
    ScaleKnobs,
)
from configs.schema.scoring import ScoringConfig

Bounds = tuple[float, float]


def score_bounds(scoring: ScoringConfig, judge: JudgeConfig) -> Bounds | None:
    """Return the lowest and the highest score that there can be: those of `scoring.bounds`, or else the judge's own;
    None where neither says."""
    return scoring.bounds or judge_bounds(judge)


def judge_bounds(judge: JudgeConfig) -> Bounds | None:
    """Return the lowest and the highest score that this judge gives; None where its config does not tell."""
    match judge:
        case MTBenchJudgeConfig():
            return 1.0, 10.0
        case ScaleKnobs():
            return judge.low, judge.high
        case PairwiseJudgeConfig() | AlpacaEvalJudgeConfig():
            return 0.0, 1.0
        case EnsembleJudgeConfig():
            return _of_members(judge)
    return None


def _of_members(judge: EnsembleJudgeConfig) -> Bounds | None:
    """The weighted mean of the members' ends; unknown where one member's are."""
    weights = [member.weight for member in judge.members]
    ends = [judge_bounds(member.judge) for member in judge.members]
    known = [end for end in ends if end is not None]
    if not known or len(known) < len(ends):
        return None
    low, high = (
        sum(weight * end[side] for weight, end in zip(weights, known, strict=True)) / sum(weights) for side in (0, 1)
    )
    return low, high
