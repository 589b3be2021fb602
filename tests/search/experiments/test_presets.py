"""The pairs of the paper: each experiment can be planned without a network, a key or a GPU."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.loading import experiment_preset_names, load_experiment
from configs.schema.experiment import ExperimentConfig
from search.experiments.catalogue import EXPERIMENTS, experiment_named
from search.experiments.cell import Label
from search.experiments.forecast import forecast_experiment
from search.experiments.grid import make_grid
from search.experiments.paper import printed_figure, printed_figures
from search.experiments.results import measures_of
from search.experiments.searches import longest_sets, tasks_of
from search.experiments.setting import Setting
from search.problem.split import load_questions, load_split
from tests.documents import ROOT, furnish

pytestmark = pytest.mark.heavy

PAIRS = [name for name in experiment_preset_names() if name != "experiment_quickstart"]


@pytest.fixture(scope="module", params=PAIRS)
def preset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExperimentConfig]:
    """The preset in a folder with stand-ins for the files that it tells to fetch."""
    folder = tmp_path_factory.mktemp(request.param)
    furnish(folder)
    rows = [
        {"instruction": f"Say {n} words.", "output": "Word. " * (1 + n % 9), "query_type": f"kind {n % 16}"}
        for n in range(350)
    ]
    (folder / "data" / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    outputs = [{"instruction": f"Name {n} things.", "output": f"Thing, {n} times."} for n in range(12)]
    (folder / "data" / "alpaca_eval" / "model_outputs.json").write_text(json.dumps(outputs), encoding="utf-8")
    file = Path(shutil.copy(ROOT / "configs" / f"{request.param}.yaml", folder))
    shutil.copytree(ROOT / "configs" / "two_turn", folder / "two_turn")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OPENAI_API_KEY", raising=False)
        patch.setenv("HF_HUB_OFFLINE", "1")
        # rehearsals of a search in a hundred, and of the hundred proposals of a Gaussian process, take seconds each
        yield load_experiment(file, ["greedy.pool.limit=20", "decoding_sweep.strategy.trials=30"])


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_of_the_paper_is_planned_with_gpu_hours_dollars_and_disk(
    name: str, preset: ExperimentConfig
) -> None:
    forecast = forecast_experiment(experiment_named(name), preset, None)
    rows = {quantity.name: quantity for quantity in forecast.quantities}
    for quantity in ("cells", "generations", "verdicts", "GPU hours", "dollars", "disk, GB"):
        assert rows[quantity].at_most, quantity
    assert any("OPENAI_API_KEY" in note for note in forecast.notes)
    assert any("not on this machine" in note for note in forecast.notes)
    assert {hole.reason.partition(":")[0] for hole in forecast.holes} <= {
        "the pool has 350 demonstrations, 1,000 are asked for",
        "the pool has 350 demonstrations, 2,000 are asked for",
        "the pool has 350 demonstrations, 4,000 are asked for",
        "context too short",
        *(f"the search has scored 20 demonstrations alone, {n} are asked for" for n in _MORE_THAN_SCORED),
    }


_MORE_THAN_SCORED = {count - base for count in (30, 40, 50, 100, 150, 200, 250) for base in (0, 3)}
"""Numbers that the presets' counts ask for beyond the 20 demonstrations of the search here."""


def test_all_questions_of_the_benchmark_guide_the_papers_search_and_others_are_held_out(
    preset: ExperimentConfig,
) -> None:
    for name in ("greedy", "matching", "transfer", "many_shot"):
        for task in tasks_of(experiment_named(name), preset, Path("runs")):
            split, asked = load_split(task.config.questions), preset.benchmarks[0]
            assert split.search == load_questions(asked.questions, asked.side)[0]
            assert len(split.held_out) == 12
            if task.config.strategy.kind == "exhaustive_greedy" and task.config.strategy.max_demonstrations > 1:
                letter = task.config.strategy
                assert (letter.threshold, letter.stop_without_gain, letter.later_verdicts) == (6.2, False, 2)


def test_both_pairs_of_the_paper_have_a_preset(preset: ExperimentConfig) -> None:
    assert preset.paper_model == preset.pair
    assert preset.instruct is not None


_WITHOUT_ROW: dict[str, set[Label]] = {"icl_vs_finetuning": {150, 200, 250}}
"""Numbers of examples that the presets do not show: as many in context as the paper trained nothing on."""


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name != "sufficient"])
def test_the_papers_figures_have_a_row_to_stand_beside(name: str, preset: ExperimentConfig) -> None:
    experiment, runs = experiment_named(name), Path("runs")
    tasks = tasks_of(experiment, preset, runs)
    grid = make_grid(experiment, preset, longest_sets(tasks, Setting(preset), {}), runs, is_dry=True)
    measures = {measure.name for benchmark in grid.benchmarks for measure in measures_of(benchmark)}
    printed = list(printed_figures(name, preset.pair))
    shown = [figure for figure in printed if figure[0] in grid.conditions and figure[1] in measures]
    assert shown
    brought = [figure for figure in printed if str(figure[0].get("examples")).startswith("Evol-Instruct")]  # by a user
    missing = [figure for figure in printed if figure not in (*shown, *brought)]
    if name not in {"aligned", "transfer"}:  # which have figures of further models
        assert {condition["n"] for condition, _, _ in missing} <= _WITHOUT_ROW.get(name, set())
    assert all(printed_figure(name, preset.pair, condition, measure) == value for condition, measure, value in shown)
