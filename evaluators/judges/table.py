"""Every kind of judge, by the word that configs use: its module has that name, and is imported when it is wanted."""

import importlib
from collections.abc import Sequence
from typing import cast

from configs.schema.judge import SingleJudgeConfig
from evaluators.judge import Judge
from evaluators.judge_tools.models import Models

JUDGES = {
    "mt_bench": "MTBenchJudge",
    "rubric": "RubricJudge",
    "pairwise": "PairwiseJudge",
    "alpaca_eval": "AlpacaEvalJudge",
    "reward_model": "RewardModelJudge",
    "reference": "ReferenceJudge",
    "function": "FunctionJudge",
}
"""Class of each kind, with a class method `from_config(config, models)`."""


def make_judges(config: SingleJudgeConfig, models: Models) -> Sequence[Judge]:
    """The judges of one config, usually one. Raises InputError when prompts, keys or modules are missing."""
    module = importlib.import_module(f"evaluators.judges.{config.kind}")
    return cast(Sequence[Judge], getattr(module, JUDGES[config.kind]).from_config(config, models))
