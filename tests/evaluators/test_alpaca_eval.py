import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from evaluators.alpaca_eval import Absent, annotation, length_controlled_win_rate, win_rate
from evaluators.question import Question
from tests.shared_data import shared

STAND_IN = """
def get_length_controlled_winrate(annotations, save_weights_dir):
    assert save_weights_dir is None
    figures = {"length_controlled_winrate": 12.5, "lc_standard_error": 0.5, "n_total": len(annotations)}
    if not annotations:
        raise OSError("the hub cannot be reached")
    return figures
"""


def test_win_rate_and_standard_error_are_the_leaderboards_from_its_own_annotations() -> None:
    annotations = json.loads(shared("alpaca_eval/phi-2.annotations.json").read_text(encoding="utf-8"))
    board = shared("alpaca_eval/weighted_alpaca_eval_gpt4_turbo_leaderboard.csv")
    with board.open(encoding="utf-8", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row[""] == "phi-2")
    found = win_rate(annotations)
    assert found.percent == pytest.approx(float(row["win_rate"]), abs=1e-9)
    assert found.standard_error == pytest.approx(float(row["standard_error"]), abs=1e-9)
    assert found.count == int(row["n_total"])


def test_a_missing_preference_is_in_no_mean_and_an_old_draw_counts_half() -> None:
    found = win_rate([{"preference": 2.0}, {"preference": 0}, {"preference": None}])
    assert (found.percent, found.count) == (75, 2)
    assert found.standard_error == pytest.approx(25)
    assert math.isnan(win_rate([{"preference": 1.25}]).standard_error)
    assert math.isnan(win_rate([{"preference": None}]).percent)


def test_an_answer_of_ours_becomes_an_annotation_of_theirs() -> None:
    question = Question("q", ("Why?",), "koala", baseline="So.")
    ours = annotation(question, "Because.", 0.25, "mine", "theirs")
    assert win_rate([ours]).percent == 25
    assert (ours["output_1"], ours["generator_1"]) == ("So.", "theirs")
    assert (ours["output_2"], ours["generator_2"]) == ("Because.", "mine")
    theirs = json.loads(shared("alpaca_eval/phi-2.annotations.json").read_text(encoding="utf-8"))[0]
    assert set(ours) <= set(theirs)


def _ask(folder: Path, annotations: str) -> str:
    """In a process of its own, where `folder` may hold a package `alpaca_eval`."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from evaluators.alpaca_eval import length_controlled_win_rate\n"
        f"print(length_controlled_win_rate({annotations}))"
    )
    command = [sys.executable, "-c", program, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_length_controlled_rate_is_the_packages_own_or_absent_with_the_reason(tmp_path: Path) -> None:
    package = tmp_path / "alpaca_eval"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "metrics.py").write_text(STAND_IN, encoding="utf-8")
    assert _ask(tmp_path, "[{}, {}]") == "WinRate(percent=12.5, standard_error=0.5, count=2)"
    assert "OSError: the hub cannot be reached" in _ask(tmp_path, "[]")


def test_without_the_package_the_length_controlled_rate_is_absent(tmp_path: Path) -> None:
    (tmp_path / "alpaca_eval.py").touch()
    assert "cannot be imported" in _ask(tmp_path, "[{}]")
    assert isinstance(length_controlled_win_rate([]), Absent)
