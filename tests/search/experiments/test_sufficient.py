"""The page that says how much of the gap each prompt closes."""

import json
from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError
from search.experiments.catalogue import experiment_named
from search.experiments.found_sets import FoundSet
from search.experiments.gap import shares
from search.experiments.grid import make_grid
from search.experiments.results import ExperimentResults
from search.experiments.run import run_experiment
from tests.search.experiments.toy import QUICKSTART, toy_config, toy_values

pytestmark = pytest.mark.heavy

_PARTS = {"experiments": ["components", "many_shot"]}
_SMALL = {"components": {"counts": [0, 3]}, "many_shot": {"counts": [3], "draws": 2, "unsupervised": False}}


def _run(path: Path, ledger: Path, **changes: Any) -> ExperimentResults:
    config = toy_config(path.parent, ledger, **{"sufficient": _PARTS, **_SMALL, **changes})
    return run_experiment(experiment_named("sufficient"), config, path, images=False)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "ledger.sqlite"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, ledger: Path) -> tuple[ExperimentResults, Path]:
    path = tmp_path_factory.mktemp("sufficient") / "run"
    return _run(path, ledger), path


def test_the_page_says_the_gap_and_the_share_that_each_prompt_closes_turn_by_turn(
    whole: tuple[ExperimentResults, Path],
) -> None:
    results, path = whole
    table = (path / "table.md").read_text(encoding="utf-8")
    for measure in results.measures:
        assert f"{measure.name}: the gap from base to instruct model is +" in table
        assert f"## {measure.name}: share of the gap" in table
        assert f"## {measure.name}: share of the gap by category, best of each experiment" in table
        found = shares(results, measure)
        assert {share.condition["experiment"] for share in found} == {"components", "many_shot"}
        for share in found:
            assert share.share is not None
            assert share.share.low <= share.share.mean <= share.share.high
    assert "is flattered" in table
    content = json.loads((path / "table.json").read_text(encoding="utf-8"))
    assert len(content["shares"]) == sum(len(shares(results, measure)) for measure in results.measures)
    assert "share of the gap from base to instruct model" in (path / "page.html").read_text(encoding="utf-8")


def test_a_share_is_the_gain_over_the_gap(whole: tuple[ExperimentResults, Path]) -> None:
    results, _ = whole
    measure = results.measures[-1]
    references = [row.score for row in results.rows if row.measure == measure][:2]
    base, instruct = (score.mean for score in references if score is not None)
    for share in shares(results, measure):
        assert share.share is not None
        assert share.share.mean == pytest.approx((share.score.mean - base) / (instruct - base))


def test_a_prompt_that_two_experiments_share_stands_once_and_is_paid_once(
    whole: tuple[ExperimentResults, Path], ledger: Path, tmp_path: Path
) -> None:
    results, _ = whole
    conditions = [condition["condition"] for condition in results.conditions]
    assert "examples base prompt, n 3" not in conditions  # components has it
    again = _run(tmp_path / "again", ledger)
    assert again.spend.generated == 0
    assert again.rows == results.rows


def test_a_gap_that_cannot_be_told_from_zero_is_said_aloud(ledger: Path, tmp_path: Path) -> None:
    instruct = tmp_path / "instruct"
    instruct.mkdir()
    for file in (QUICKSTART / "model").iterdir():
        (instruct / file.name).write_bytes(file.read_bytes())
    settings = json.loads((instruct / "tokenizer_config.json").read_text(encoding="utf-8"))
    settings["chat_template"] = "{{ messages[-1]['content'] }} "
    (instruct / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    benchmarks = toy_values()["benchmarks"]
    benchmarks[0]["questions"]["limit"] = 14  # of fewer the luck is that it can be told
    _run(tmp_path / "run", ledger, instruct={"name": str(instruct), "dtype": "float32"}, benchmarks=benchmarks)
    table = (tmp_path / "run" / "table.md").read_text(encoding="utf-8")
    assert "told from zero on 14 questions: no share of it means anything" in table
    assert "no bounds: the gap is not clear" in table


def test_no_instruct_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="set `instruct`"):
        _run(tmp_path / "run", tmp_path / "ledger.sqlite", instruct=None)


def test_holes_of_other_models_are_none_of_the_base_models_page(tmp_path: Path) -> None:
    instruct = {"name": str(QUICKSTART / "instruct"), "dtype": "float32"}
    config = toy_config(
        tmp_path,
        sufficient={"experiments": ["components", "matching", "transfer"]},
        components={"counts": [0, 9]},
        matching={"added": 0},
        transfer={
            "strategies": [{"name": "found", "strategy": {"kind": "random", "trials": 2, "max_demonstrations": 1}}],
            "models": [{"name": "instruct", "model": instruct}],
        },
    )
    found_sets = {"transfer-found": FoundSet(refused="its prompts are too long")}
    holes = make_grid(experiment_named("sufficient"), config, found_sets, tmp_path).holes
    assert {hole.condition["experiment"] for hole in holes} == {"components", "matching", "transfer"}
    assert not [hole.name for hole in holes if "instruct" in str(hole.condition["condition"])]
