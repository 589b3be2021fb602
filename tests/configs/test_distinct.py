"""Lists whose entries must differ, refused in one sentence before anything is made of them."""

from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError
from tests.search.experiments.toy import toy_config

_STRATEGY = {"name": "a", "strategy": {"kind": "random", "trials": 2}}
_PAIR = {"name": "a", "model": {"name": "some/model"}}


@pytest.mark.parametrize(
    ("group", "knob", "values", "message"),
    [
        ("components", "counts", [3, 3], "3 is listed twice"),
        ("many_shot", "counts", [0, 3, 0], "0 is listed twice"),
        ("icl_vs_finetuning", "counts", [3, 3], "3 is listed twice"),
        ("icl_vs_finetuning", "methods", ["lora", "lora"], "lora is listed twice"),
        ("multi_turn", "added", [3, 6, 3], "3 is listed twice"),
        ("decoding_sweep", "temperatures", [0, 0.0], "0 is listed twice"),
        ("decoding_sweep", "temperatures", [0.3, 0.30000001], "0.3 is listed twice"),
        ("decoding_sweep", "top_ps", [1.0, 1.0], "1 is listed twice"),
        ("decoding_sweep", "repetition_penalties", [1.15, 1.15], "1.15 is listed twice"),
        ("sufficient", "experiments", ["greedy", "greedy"], "greedy is listed twice"),
        ("greedy", "strategies", [_STRATEGY, _STRATEGY], "two strategies are called 'a'"),
        ("transfer", "strategies", [_STRATEGY, _STRATEGY], "two sets are called 'a'"),
        ("aligned", "pairs", [_PAIR, _PAIR], "two pairs are called 'a'"),
    ],
)
def test_what_is_listed_twice_is_refused_in_one_sentence(
    group: str, knob: str, values: list[Any], message: str, tmp_path: Path
) -> None:
    changes: dict[str, Any] = {group: {knob: values}}
    with pytest.raises(InputError) as refused:
        toy_config(tmp_path, **changes)
    assert message in str(refused.value)
    assert group in str(refused.value)


def test_numbers_that_tables_show_apart_are_taken(tmp_path: Path) -> None:
    config = toy_config(tmp_path, decoding_sweep={"temperatures": [0.3, 0.31]})
    assert config.decoding_sweep.temperatures == (0.3, 0.31)
