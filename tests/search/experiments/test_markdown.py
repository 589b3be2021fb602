"""Sentences above an experiment's tables."""

from pathlib import Path
from typing import Any

import pytest

from search.experiments.markdown import overstatement_in_words
from tests.search.experiments.toy import QUICKSTART, toy_config, toy_values

_JUDGE = "by the search's judge"
_QUESTIONS = "on another benchmark's questions, so not by selection alone"


@pytest.mark.parametrize(
    ("has_other_judge", "held_out", "end"),
    [
        (False, None, "by how much"),
        (True, None, f"by how much, but {_JUDGE}"),
        (False, "alpaca_eval", f"by how much, but {_QUESTIONS}"),
        (True, "alpaca_eval", f"by how much, but {_JUDGE} and {_QUESTIONS}"),
        (False, "jsonl", "by how much"),
    ],
)
def test_what_overstates_a_score_beside_selection_is_said(
    has_other_judge: bool, held_out: str | None, end: str, tmp_path: Path
) -> None:
    first = toy_values()["benchmarks"][0]
    greedy: dict[str, Any] = {"questions": first["questions"]}
    if held_out is not None:
        split = {"held_out_path": str(QUICKSTART / "questions.jsonl"), "held_out_benchmark": held_out}
        greedy["questions"] = first["questions"] | {"split": split}
    if has_other_judge:
        greedy["judge"] = first["judge"] | {"high": 9}
    config = toy_config(tmp_path, greedy=greedy)
    words = overstatement_in_words(config, config.benchmarks[0].name)
    assert words.startswith('"overstated by" in the table of searches says')
    assert words.endswith(end)
