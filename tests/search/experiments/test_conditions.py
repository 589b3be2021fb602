"""Conditions that a config has to ask for: by score, by source, by another domain, in a searched decoding."""

import json
from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError
from search.experiments.catalogue import experiment_named
from search.experiments.results import ExperimentResults
from search.experiments.run import run_experiment
from search.experiments.searches import found_in
from search.experiments.setting import Setting
from search.experiments.single_scores import of_pool
from tests.search.experiments.toy import QUICKSTART, toy_config

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "ledger.sqlite"


def _run(name: str, path: Path, ledger: Path, **changes: Any) -> ExperimentResults:
    config = toy_config(path.parent, ledger, instruct=None, **changes)
    return run_experiment(experiment_named(name), config, path, images=False)


def _pool(folder: Path, count: int) -> dict[str, Any]:
    """The first rows of the quickstart's pool, of two sources in turn."""
    lines = (QUICKSTART / "pool.jsonl").read_text(encoding="utf-8").splitlines()[:count]
    rows = [json.loads(line) | {"source": "odd" if at % 2 else "even"} for at, line in enumerate(lines)]
    file = folder / "pool.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return {"path": str(file), "id_field": "id"}


def test_many_shot_shows_the_best_alone_equal_parts_of_each_source_and_queries_alone(
    ledger: Path, tmp_path: Path
) -> None:
    pool = _pool(tmp_path, 8)
    strategy = {"kind": "exhaustive_greedy", "max_demonstrations": 1, "insert": "back"}
    shots = {"counts": [2, 4], "draws": 1, "source_field": "source"}
    results = _run("many_shot", tmp_path / "run", ledger, pool=pool, many_shot=shots | {"strategy": strategy})
    assert not results.holes
    scored = {(row.condition["examples"], row.condition["n"]) for row in results.rows if row.score is not None}
    assert {(kind, n) for kind in ("best alone", "stratified", "queries alone") for n in (2, 4)} <= scored
    with_base = {n for kind, n in scored if kind == "best alone and base prompt"}
    assert with_base == {4}  # three of them are the base prompt's
    drawn = {"random", "random and base prompt", "stratified", "queries alone"}
    count = sum(kind in drawn for kind, _ in scored)
    table = (tmp_path / "run" / "table.md").read_text(encoding="utf-8")
    assert f"{count} conditions rest on one random draw: the luck of the draw is in no interval" in table

    run = tmp_path / "run" / "searches" / "scored alone"
    setting = Setting(toy_config(tmp_path, ledger, pool=pool, many_shot=shots | {"scores": str(run)}))
    assert len(of_pool(found_in(run).alone, setting.pool)) == len(setting.pool)
    chosen = {row.condition["examples"] for row in results.rows if row.search_questions}
    assert chosen == {"best alone", "best alone and base prompt"}
    of_an_earlier_run = [*experiment_named("many_shot").cells(setting, {})]
    assert of_an_earlier_run == [*experiment_named("many_shot").cells(setting, {"scored alone": found_in(run)})]


def test_a_source_field_that_no_row_has_is_refused_before_anything_runs(ledger: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no row has the field 'kind'; set many_shot\.source_field to one of"):
        _run("many_shot", tmp_path / "run", ledger, many_shot={"counts": [2], "draws": 1, "source_field": "kind"})
    assert not (tmp_path / "run").exists()


def test_matching_takes_answers_of_another_domain_and_a_set_that_a_search_has_found(
    ledger: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.jsonl"
    rows = [{"query": f"What is {n} plus {n}?", "answer": f"It is {2 * n}."} for n in range(5)]
    other.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    search = {"kind": "random", "trials": 2, "max_demonstrations": 1, "insert": "back"}
    matching = {"added": 0, "out_of_domain": {"path": str(other)}, "strategy": search}
    results = _run("matching", tmp_path / "run", ledger, matching=matching)
    kinds = {row.condition["matching"] for row in results.rows if row.score is not None}
    assert "out-of-domain random answers" in kinds
    sets = {row.condition["demonstrations"] for row in results.rows if row.score is not None}
    assert sets == {"base prompt", "base prompt and 1 found"}
    assert not results.holes
    compared = [row for row in results.rows if row.difference is not None]
    assert {row.condition["demonstrations"] for row in compared if row.search_questions} == {"base prompt and 1 found"}
    assert all((row.stays is None) == (row.search_questions > 0) for row in compared)
    untested = sum(row.search_questions > 0 for row in compared)
    page = (tmp_path / "run" / "table.md").read_text(encoding="utf-8")
    assert f"† marks {untested} further differences without a test" in page
    assert page.count(" † |") == untested


def test_decodings_are_searched_together_with_demonstrations_and_put_beside_the_grid(
    ledger: Path, tmp_path: Path
) -> None:
    strategy = {
        "kind": "optuna",
        "trials": 12,
        "max_demonstrations": 1,
        "insert": "back",
        "decodings": [{"name": "mild", "repetition_penalty": 1.05}],
    }
    sweep = {"temperatures": [0.0], "top_ps": [1.0], "repetition_penalties": [1.0], "strategy": strategy}
    results = _run("decoding", tmp_path / "run", ledger, decoding_sweep=sweep)
    searched = [row for row in results.rows if "decoding searched" in str(row.condition["model"])]
    assert {row.condition["model"] for row in searched} == {
        "base with prompt, decoding searched",
        "demonstrations and decoding searched",
    }
    assert {row.condition["repetition penalty"] for row in searched} <= {1.0, 1.05}
    assert all(row.score is not None for row in searched)
    own = results.config.decoding
    for row in searched:
        base = results.row(
            {
                "model": "base with prompt",
                "repetition penalty": own.repetition_penalty,
                "top-p": own.top_p,
                "temperature": own.temperature,
            },
            row.measure,
        )
        assert base is not None
        assert base.score is not None
        assert row.score is not None
        assert row.difference is not None
        assert row.difference.estimate.mean == pytest.approx(row.score.mean - base.score.mean)
        assert row.difference.estimate.n == row.score.n
    table = (tmp_path / "run" / "table.md").read_text(encoding="utf-8")
    assert "what was searched, to the base prompt in the config's decoding" in table
