"""One table names every kind of judge."""

import importlib
from typing import get_args

from configs.schema.judge import SingleJudgeConfig
from evaluators.judges.table import JUDGES


def test_every_kind_that_a_config_can_name_has_a_class_that_is_made_from_it() -> None:
    kinds = [config.model_fields["kind"].annotation for config in get_args(get_args(SingleJudgeConfig)[0])]
    assert sorted(JUDGES) == sorted(get_args(kind)[0] for kind in kinds)
    for kind, name in JUDGES.items():
        assert callable(getattr(importlib.import_module(f"evaluators.judges.{kind}"), name).from_config)
