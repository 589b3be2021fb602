"""The cells of the experiment on decoding, before any model is loaded."""

from pathlib import Path

import pytest

from search.experiments.cell import Cell
from search.experiments.decoding import BOTH_SEARCHED, DECODING_SEARCHED, EXPERIMENT, PROMPTED, SEARCHED
from search.experiments.found_sets import FoundSet
from search.experiments.setting import Setting
from tests.search.experiments.toy import toy_config

_STRATEGY = {"kind": "optuna", "trials": 4, "decodings": [{"name": "mild", "repetition_penalty": 1.05}]}


@pytest.mark.parametrize("temperatures", [[0.0], [0.7]], ids=["in the grid", "beside the grid"])
def test_what_was_searched_is_compared_with_the_base_prompt_in_the_configs_decoding(
    temperatures: list[float], tmp_path: Path
) -> None:
    sweep = {
        "temperatures": temperatures,
        "top_ps": [1.0],
        "repetition_penalties": [1.0],
        "strategy": _STRATEGY,
    }
    setting = Setting(toy_config(tmp_path, decoding_sweep=sweep))
    shown = setting.base_prompt.demonstrations
    found = FoundSet(setting.base_prompt.rules, {0: shown, 1: shown})
    cells = [cell for cell in EXPERIMENT.cells(setting, {SEARCHED: found}) if isinstance(cell, Cell)]
    conditions = [dict(cell.condition) for cell in cells]
    assert EXPERIMENT.reference is not None
    for name in (DECODING_SEARCHED, BOTH_SEARCHED):
        at = next(at for at, condition in enumerate(conditions) if condition["model"] == name)
        reference = EXPERIMENT.reference.condition(setting.config, conditions[at])
        assert reference is not None
        assert conditions.count(dict(reference)) == 1
        first = conditions.index(dict(reference))
        assert first < at
        assert cells[first].prompt == setting.base_prompt
        assert cells[first].decoding == setting.config.decoding
    others = [condition for condition in conditions if condition["model"] in {"base", PROMPTED, "instruct"}]
    assert not any(EXPERIMENT.reference.condition(setting.config, condition) for condition in others)
