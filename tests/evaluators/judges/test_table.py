"""One table names every kind of judge."""

from typing import get_args

from configs.schema.judge import SingleJudgeConfig
from configs.schema.judge_knobs import WritingJudgeKnobs
from evaluators.judges.table import JUDGES, judge_class

CONFIGS = {
    get_args(config.model_fields["kind"].annotation)[0]: config for config in get_args(get_args(SingleJudgeConfig)[0])
}


def test_every_kind_that_a_config_can_name_has_a_class_that_is_made_from_it() -> None:
    assert sorted(JUDGES) == sorted(CONFIGS)
    assert all(callable(judge_class(kind).from_config) for kind in JUDGES)


def test_a_judge_whose_words_are_read_in_several_ways_says_what_its_ratings_look_like() -> None:
    written = {kind for kind, config in CONFIGS.items() if issubclass(config, WritingJudgeKnobs)}
    assert {kind for kind in JUDGES if hasattr(judge_class(kind), "form_of")} == written
