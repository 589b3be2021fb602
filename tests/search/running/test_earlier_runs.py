"""What earlier searches say of demonstrations."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.errors import InputError
from search.problem.material import Material
from search.problem.space import SearchSpace
from search.prompts.demonstration import Demonstration
from search.results.search_results import read_search_results
from search.running.earlier_runs import check_earlier_runs, earlier_effects, known_effects
from search.running.scored_prompt import ScoredPrompt
from tests.search.report.made_run import MadeRun, Names

MATERIAL = Material(
    rules="",
    base=(),
    pool=tuple(Demonstration(f"my {name}", f"query {name}", f"answer {name}") for name in "zcba"),
    search=(),
    held_out=(),
    digests={},
)
SPACE = SearchSpace((), tuple(one.id for one in MATERIAL.pool), ("q",), 0, 2)


def score(names: Names, question: str) -> float:
    """`b` helps and `c` harms."""
    return 5 + int(question[1:]) % 3 + 2 * ("b" in names) - 2 * ("c" in names)


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    run = MadeRun(tmp_path / "earlier", {f"g{n}": "" for n in range(6)}, {"h1": ""}, score)
    run.start()
    run.search()
    for names in ("a", "b", "c"):
        run.search(names)
    return run.write(ended=False)


def test_demonstrations_with_the_same_texts_have_the_effects_that_the_earlier_run_saw(
    earlier: Path, tmp_path: Path
) -> None:
    effects = earlier_effects([earlier], SPACE, MATERIAL, tmp_path)
    assert effects is not None
    of = dict(zip(SPACE.pool, effects[:, 0].tolist(), strict=True))
    assert of["my b"] > of["my a"] > of["my c"]
    assert of["my z"] == 0


def test_a_resumed_search_meets_the_numbers_that_it_began_with(earlier: Path, tmp_path: Path) -> None:
    first = earlier_effects([earlier], SPACE, MATERIAL, tmp_path)
    (earlier / "journal.jsonl").unlink()
    again = earlier_effects([earlier], SPACE, MATERIAL, tmp_path)
    check_earlier_runs([earlier], SPACE, MATERIAL, tmp_path)
    assert first is not None
    assert again is not None
    assert np.array_equal(again, first)


def test_without_earlier_runs_nothing_is_known(tmp_path: Path) -> None:
    assert earlier_effects([], SPACE, MATERIAL, tmp_path) is None


@pytest.mark.parametrize("change", [{"answer": "another"}, {"further": (("and", "then"),)}])
def test_a_run_on_other_demonstrations_is_refused(earlier: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    others = replace(MATERIAL, pool=tuple(replace(one, **change) for one in MATERIAL.pool))
    with pytest.raises(InputError, match=r"strategy.hints.runs: .*earlier has scored 0 demonstrations of this pool"):
        check_earlier_runs([earlier], SPACE, others, tmp_path)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("", "is neither the run directory of a search nor a ledger"),
        ("evaluation", "is an evaluation, not a search: name its ledger"),
        ("missing", "does not exist"),
        ("missing/ledger.sqlite", "does not exist"),
    ],
)
def test_what_is_no_run_and_no_ledger_is_refused_by_the_knob(tmp_path: Path, name: str, wrong: str) -> None:
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "config.json").write_text('{"run": "x", "evaluation": {}}')
    with pytest.raises(InputError, match=rf"^strategy.hints.runs: {tmp_path / name} {wrong}"):
        check_earlier_runs([tmp_path / name], SPACE, MATERIAL, tmp_path)


def test_the_ledger_of_a_search_tells_what_the_search_does(earlier: Path, tmp_path: Path) -> None:
    effects = earlier_effects([earlier, earlier / "ledger.sqlite"], SPACE, MATERIAL, tmp_path)
    assert effects is not None
    of = dict(zip(SPACE.pool, effects[:, 1].tolist(), strict=True))
    assert of["my b"] > of["my a"] > of["my c"]
    assert of["my z"] == 0


@pytest.mark.parametrize("name", ["", "ledger.sqlite"])
def test_questions_that_are_held_out_here_tell_nothing(earlier: Path, tmp_path: Path, name: str) -> None:
    results = read_search_results(earlier)
    assert results.material is not None
    with pytest.raises(InputError, match="on questions that are not held out here"):
        check_earlier_runs([earlier / name], SPACE, replace(MATERIAL, held_out=results.material.search), tmp_path)


def test_a_file_that_is_no_ledger_is_refused(earlier: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^strategy.hints.runs: the ledger"):
        check_earlier_runs([earlier / "journal.jsonl"], SPACE, MATERIAL, tmp_path)


def test_each_source_of_a_large_ledger_is_heard_and_what_no_used_question_scored_is_unknown() -> None:
    shown = [(f"query {number}", f"answer {number}") for number in range(7)]
    prompts = [
        ScoredPrompt((shown[number],), {f"{source}\0judge\0q{place:03}": float(number + place % 5) for place in asked})
        for source, numbers, asked in [
            ("a model", (0, 1), range(400)),
            ("the other", (2, 3, 4, 5), range(400)),
            ("the other", (6,), range(300, 400)),
        ]
        for number in numbers
    ]
    effects = known_effects(prompts)
    assert [*effects] == shown[:6]
    assert effects[shown[2]] + 2 < effects[shown[3]] + 1.5 < effects[shown[4]] + 1 < effects[shown[5]] + 0.5
    assert effects[shown[0]] < effects[shown[1]]
