"""Every kind of judge, by the word that configs use: its module has that name, and is imported when it is wanted."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

from configs.schema.judge import SingleJudgeConfig
from evaluators.judge import Judge
from evaluators.judge_tools.models import Models
from evaluators.judge_tools.ratings import RatingForm

JUDGES = {
    "mt_bench": "MTBenchJudge",
    "rubric": "RubricJudge",
    "pairwise": "PairwiseJudge",
    "alpaca_eval": "AlpacaEvalJudge",
    "reward_model": "RewardModelJudge",
    "reference": "ReferenceJudge",
    "function": "FunctionJudge",
}
"""Class of each kind, with the class method `from_config(config, models)`; a judge that gives ratings in words has
`form_of(fingerprint)` too."""


def make_judges(config: SingleJudgeConfig, models: Models) -> Sequence[Judge]:
    """The judges of one config, usually one. Raises InputError when prompts, keys or modules are missing."""
    return cast(Sequence[Judge], judge_class(config.kind).from_config(config, models))


def rating_form(fingerprint: Mapping[str, Any]) -> RatingForm | None:
    """What ratings look like in the words of the judge with this fingerprint; None where it gives none in words.

    Raises:
        KeyError, ValueError, TypeError, re.error: it is no judge's that is known here.
    """
    form_of = getattr(judge_class(fingerprint["kind"]), "form_of", None)
    return None if form_of is None else form_of(fingerprint)


def judge_class(kind: str) -> Any:
    """The class of the judges of this kind. Raises KeyError where there is no such kind."""
    name = JUDGES[kind]
    return getattr(importlib.import_module(f"evaluators.judges.{kind}"), name)
