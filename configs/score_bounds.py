"""The ends of the scale that scores are given on, as far as a config tells."""

from configs.schema.judge import JudgeConfig
from configs.schema.judge_knobs import Bounds
from configs.schema.scoring import ScoringConfig


def score_bounds(scoring: ScoringConfig, judge: JudgeConfig) -> Bounds | None:
    """Return the lowest and the highest score that there can be: those of `scoring.bounds`, or else the judge's own;
    None where neither says."""
    return scoring.bounds or judge.bounds
