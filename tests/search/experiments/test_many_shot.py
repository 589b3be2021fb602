"""The cells of the experiment on the number of demonstrations, before any model is loaded."""

from pathlib import Path

from search.experiments.cell import Cell
from search.experiments.many_shot import EXPERIMENT
from search.experiments.setting import Setting
from tests.search.experiments.toy import toy_config


def test_queries_alone_are_the_random_draws_without_their_answers(tmp_path: Path) -> None:
    config = toy_config(tmp_path, many_shot={"counts": [2, 4], "draws": 3})
    cells = {cell.name: cell.prompt for cell in EXPERIMENT.cells(Setting(config), {}) if isinstance(cell, Cell)}
    for count in (2, 4):
        for draw in (1, 2, 3):
            alone = cells[f"examples queries alone, n {count}, draw {draw}"]
            assert not alone.demonstrations
            for shown in cells[f"examples random, n {count}, draw {draw}"].demonstrations:
                assert shown.query in alone.rules
                assert shown.answer not in alone.rules
