"""The cells of the experiment on matching answers, before any model is loaded."""

from pathlib import Path

import pytest

from search.experiments.cell import Cell, Hole
from search.experiments.found_sets import FoundSet
from search.experiments.matching import CORRECT, EXPERIMENT, IN_DOMAIN, OUT_OF_DOMAIN, SEARCHED, SHIFTED
from search.experiments.setting import Setting
from tests.search.experiments.toy import QUICKSTART, toy_config

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


def _drawn_cells(folder: Path, draws: int) -> dict[str, Cell]:
    matching = {"added": 3, "draws": draws, "out_of_domain": {"path": str(QUICKSTART / "sums.jsonl")}}
    entries = EXPERIMENT.cells(Setting(toy_config(folder, matching=matching)), {})
    return {entry.name: entry for entry in entries if isinstance(entry, Cell)}


def test_every_draw_has_random_answers_and_added_demonstrations_of_its_own(tmp_path: Path) -> None:
    cells = _drawn_cells(tmp_path, 3)
    added = "base prompt and 3 drawn"
    for of, kind in (("base prompt", IN_DOMAIN), ("base prompt", OUT_OF_DOMAIN), (added, CORRECT), (added, IN_DOMAIN)):
        names = [f"demonstrations {of}, matching {kind}, draw {draw}" for draw in (1, 2, 3)]
        assert len({cells[name].prompt for name in names}) == 3
    assert f"demonstrations base prompt, matching {CORRECT}" in cells
    assert [name for name in cells if name.startswith(f"demonstrations {added}, matching no dem")] == [
        f"demonstrations {added}, matching no demonstrations"
    ]


def test_a_further_draw_leaves_the_first_as_it_is(tmp_path: Path) -> None:
    one, three = (_drawn_cells(tmp_path, draws) for draws in (1, 3))
    assert one.items() <= three.items()


def test_answers_of_a_draw_stand_behind_the_demonstrations_of_the_same_draw(tmp_path: Path) -> None:
    cells = _drawn_cells(tmp_path, 2)
    for draw in (1, 2):
        correct, foreign = (
            cells[f"demonstrations base prompt and 3 drawn, matching {kind}, draw {draw}"].prompt.demonstrations
            for kind in (CORRECT, IN_DOMAIN)
        )
        assert [shown.query for shown in correct] == [shown.query for shown in foreign]
        assert not {shown.answer for shown in correct} & {shown.answer for shown in foreign}
