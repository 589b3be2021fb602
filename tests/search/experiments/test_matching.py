"""The cells of the experiment on matching answers, before any model is loaded."""

from pathlib import Path

import pytest

from search.experiments.cell import Cell, Hole
from search.experiments.found_sets import FoundSet
from search.experiments.matching import CORRECT, EXPERIMENT, SEARCHED, SHIFTED
from search.experiments.setting import Setting
from tests.search.experiments.toy import toy_config

_STRATEGY = {
    "kind": "optuna",
    "trials": 4,
    "max_demonstrations": 1,
    "decodings": [{"name": "mild", "repetition_penalty": 1.05}],
}


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(toy_config(tmp_path, instruct=None, matching={"added": 0, "strategy": _STRATEGY}))


def _entries(setting: Setting, count: int) -> dict[str, Cell | Hole]:
    """Those of a found set of the base prompt's first demonstrations, by matching."""
    mild = setting.config.decoding.model_copy(update={"repetition_penalty": 1.05})
    shown = setting.base_prompt.demonstrations[:count]
    found = FoundSet(setting.base_prompt.rules, {1: shown}, decodings={1: mild})
    entries = EXPERIMENT.cells(setting, {SEARCHED: found})
    return {
        str(entry.condition["matching"]): entry
        for entry in entries
        if entry.condition["demonstrations"] == "base prompt and 1 found"
    }


def test_a_single_demonstration_cannot_be_shifted(setting: Setting) -> None:
    entries = _entries(setting, 1)
    assert isinstance(entries[CORRECT], Cell)
    shifted = entries[SHIFTED]
    assert isinstance(shifted, Hole)
    assert "two different answers" in shifted.reason


def test_a_shift_gives_each_query_the_answer_of_the_next(setting: Setting) -> None:
    shifted = _entries(setting, 3)[SHIFTED]
    assert isinstance(shifted, Cell)
    own = [shown.answer for shown in setting.base_prompt.demonstrations[:3]]
    assert [shown.answer for shown in shifted.prompt.demonstrations] == [own[1], own[2], own[0]]


def test_a_found_set_is_matched_in_the_decoding_that_it_was_found_with(setting: Setting) -> None:
    cells = [entry for entry in _entries(setting, 3).values() if isinstance(entry, Cell)]
    assert len(cells) == 6
    assert {cell.decoding.repetition_penalty for cell in cells} == {1.05}
