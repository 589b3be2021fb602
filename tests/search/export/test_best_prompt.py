"""Which prompt of a run is taken along, and what is said of it."""

import json
from pathlib import Path

import pytest

from configs.errors import InputError
from search.export import caveat, export
from search.export.best_prompt import read_best_prompt
from tests.search.report.made_run import BASE, small_run

SCORES = {(): 5.0, ("a",): 5.5, ("b",): 4.0}


def kept(path: Path, better: float | None) -> Path:
    """A run that exports the base prompt, though demonstration a was found."""
    run = small_run(path / "run", lambda added, _: SCORES[tuple(name for name in added if name not in BASE)])
    run.search("a")
    run.judge_finalists((), ("a",), better=better)
    return run.write()


def test_what_was_found_is_exported_anyway_with_how_sure_it_is(tmp_path: Path) -> None:
    path = kept(tmp_path, better=0.7)
    assert [one["id"] for one in json.loads(export(path, "json"))["demonstrations"]] == [*BASE]
    found = read_best_prompt(path, anyway=True)
    assert [one.id for one in found.demonstrations] == ["a", *BASE]
    assert "70.0 % probable that this prompt beats the base prompt" in caveat(found, "json")
    written = json.loads(export(path, "json", anyway=True))
    assert written["warning"] == found.warning
    assert written["scores"]["held_out_score"]["mean"] == 5.5
    assert written["scores"]["held_out_gain"]["mean"] == 0.5


def test_a_find_that_the_search_itself_puts_below_the_base_prompt_says_so(tmp_path: Path) -> None:
    assert read_best_prompt(kept(tmp_path, better=None), anyway=True).warning.startswith(
        "the search ranks the base prompt above this prompt"
    )


def test_nothing_is_said_of_a_winner_that_is_exported_in_any_case(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", lambda added, _: SCORES[tuple(name for name in added if name not in BASE)])
    run.search("a")
    run.judge_finalists(("a",), ())
    assert read_best_prompt(run.write(), anyway=True).warning == ""


def test_where_nothing_but_the_base_prompt_was_tried_there_is_nothing_to_export_anyway(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", lambda *_: 5.0)
    run.judge_finalists((), ())
    with pytest.raises(InputError, match="has scored no candidate but the base prompt"):
        read_best_prompt(run.write(), anyway=True)
