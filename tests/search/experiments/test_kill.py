"""SIGKILL in the middle of every experiment: the same command goes on to the table of the one that was never killed.

The judge is a function of the user's own, which comes in through the config and kills its process at a certain call: so
a kill hits whatever is judged then, a search or a cell. `icl_vs_finetuning` is killed in a training in `test_run.py`.
"""

import multiprocessing
import signal
from multiprocessing.context import ForkServerContext
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from configs.loading import load_experiment
from search.experiments.catalogue import EXPERIMENTS, experiment_named
from search.experiments.results import ExperimentResults
from search.experiments.run import run_experiment
from tests.search.experiments.toy import QUICKSTART, toy_file, toy_values

pytestmark = pytest.mark.heavy

JUDGE = '''
import os
import signal
from difflib import SequenceMatcher
from pathlib import Path

HERE = Path(__file__).parent


def similar(question, answers):
    """Counts its calls, and kills its process at the one that the file `kill_at` says."""
    with (HERE / "calls").open("ab") as calls:
        calls.write(b".")
        calls.flush()
        told = calls.tell()
    kill_at = HERE / "kill at".replace(" ", "_")  # a file named outright would be a part of the judge
    if kill_at.exists() and told >= int(kill_at.read_text()):
        os.kill(os.getpid(), signal.SIGKILL)
    return 10 * SequenceMatcher(None, answers[-1], question.reference(len(answers) - 1)).ratio()
'''
_HEAVY = (
    "workers.engines.transformers_engine",
    "transformers.models.llama.modeling_llama",
    "sklearn.feature_extraction.text",
    "tests.search.experiments.toy",
)
_STRATEGY = {"kind": "random", "trials": 2, "max_demonstrations": 1, "insert": "back"}
SMALL: dict[str, Any] = {
    "greedy": {"strategies": [{"name": "random", "strategy": _STRATEGY}]},
    "components": {"counts": [0, 3]},
    "many_shot": {"counts": [3], "draws": 1},
    "decoding_sweep": {"temperatures": [0.0], "top_ps": [1.0], "repetition_penalties": [1.0, 1.15]},
    "matching": {"added": 0},
    "multi_turn": {"added": [1], "draws": 1, "pool": {"path": str(QUICKSTART / "two_turn_pool.jsonl")}},
    "transfer": {
        "strategies": [{"name": "found", "strategy": _STRATEGY}],
        "models": [{"name": "instruct", "model": {"name": str(QUICKSTART / "instruct"), "dtype": "float32"}}],
    },
    "sufficient": {"experiments": ["components", "greedy"]},
}


@pytest.fixture(scope="module")
def forkserver() -> ForkServerContext:
    """Processes that have loaded the libraries when they are born."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["search.experiments.run", "search.experiments.catalogue", *_HEAVY])
    return context


def run(name: str, file: Path, path: Path) -> ExperimentResults:
    return run_experiment(experiment_named(name), load_experiment(file), path, images=False)


def _config(folder: Path) -> Path:
    """Three questions, short answers, and the judge above."""
    (folder / "killing.py").write_text(JUDGE, encoding="utf-8")
    first = toy_values()["benchmarks"][0]
    first["questions"]["limit"] = 3
    judge = {"kind": "function", "function": "killing:similar", "folder": str(folder)}
    benchmarks = [first | {"judge": judge, "side": "all"}]
    return toy_file(folder, benchmarks=benchmarks, decoding={"max_new_tokens": 16}, **SMALL)


KILLS = {name: (1 / 2,) for name in EXPERIMENTS if name != "icl_vs_finetuning"} | {"greedy": (1 / 5, 3 / 5, 4 / 5)}
"""After which shares of all verdicts; those of `greedy` hit its search, its end and a cell."""


@pytest.mark.parametrize("name", KILLS)
def test_an_experiment_that_is_killed_and_resumed_gives_the_same_table(
    name: str, forkserver: ForkServerContext, tmp_path: Path
) -> None:
    file, calls, kill_at = _config(tmp_path), tmp_path / "calls", tmp_path / "kill_at"
    whole = run(name, file, tmp_path / "whole")
    needed = calls.stat().st_size
    calls.unlink()
    for share in KILLS[name]:
        kill_at.write_text(str(round(share * needed)), encoding="utf-8")
        process = forkserver.Process(target=run, args=(name, file, tmp_path / "killed"))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert not (tmp_path / "killed" / "table.csv").exists()
    kill_at.unlink()
    resumed = run(name, file, tmp_path / "killed")
    paid = attrgetter("generated", "judged", "dollars")
    assert paid(resumed.spend) == paid(whole.spend)
    assert resumed.rows == whole.rows
    for table in ("table.csv", "table.md", "table.json"):
        assert (tmp_path / "killed" / table).read_bytes() == (tmp_path / "whole" / table).read_bytes()
