"""The pairs of the paper: each experiment can be planned without a network, a key or a GPU."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.loading import experiment_preset_names, load_experiment
from configs.schema.experiment import ExperimentConfig
from search.experiments.catalogue import EXPERIMENTS, experiment_named
from search.experiments.forecast import forecast_experiment
from tests.documents import ROOT, furnish

pytestmark = pytest.mark.heavy

PAIRS = [name for name in experiment_preset_names() if name != "experiment_quickstart"]


@pytest.fixture(scope="module", params=PAIRS)
def preset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExperimentConfig]:
    """The preset in a folder with stand-ins for the files that it tells to fetch."""
    folder = tmp_path_factory.mktemp(request.param)
    furnish(folder)
    rows = [{"instruction": f"Say {n} words.", "output": "Word. " * (1 + n % 9)} for n in range(350)]
    (folder / "data" / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    file = Path(shutil.copy(ROOT / "configs" / f"{request.param}.yaml", folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OPENAI_API_KEY", raising=False)
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield load_experiment(file, ["greedy.pool.limit=20"])  # a rehearsal of the search in a hundred takes seconds


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


def test_both_pairs_of_the_paper_have_a_preset(preset: ExperimentConfig) -> None:
    assert preset.paper_model == preset.pair
    assert preset.instruct is not None
