"""Trainings beside each other on Ray workers: the same models as one after another, also where a worker is lost."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
import torch
from safetensors.torch import load_file

from configs.schema.workers import RayConfig, WorkersConfig
from search.experiments.cell import Cell
from search.experiments.icl_vs_finetuning import EXPERIMENT
from search.experiments.setting import Setting
from search.experiments.training import TrainedModel, has_several, train, training_workers
from tests.local_ray import local_ray
from tests.search.experiments.toy import toy_config

pytestmark = pytest.mark.heavy

_SLOW = {"lengths": [{"epochs": 8, "batch_size": 2}], "learning_rate": 1e-4, "checkpoints": 11}


def _kill_one(models: Path, killed: list[int], ended: threading.Event) -> None:
    """SIGKILL one of this process's Ray workers that train, once a checkpoint is there, unless all has ended."""
    while not (killed or ended.is_set()):
        if list(models.glob("full-*/checkpoints/checkpoint-*/trainer_state.json")):
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    if process.cmdline()[:1] == ["ray::_perform"] and not killed:
                        process.kill()
                        killed.append(process.pid)
        time.sleep(0.01)


def _same(one: TrainedModel | str, other: TrainedModel | str) -> bool:
    assert isinstance(one, TrainedModel), one
    assert isinstance(other, TrainedModel), other
    first, second = (load_file(Path(made.model.name) / "model.safetensors") for made in (one, other))
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def _one_thread() -> Iterator[None]:
    """As a worker with one core has: another number of threads adds in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_one_thread")
def test_trainings_on_ray_one_of_which_loses_its_worker_make_the_models_of_trainings_one_by_one(
    tmp_path: Path,
) -> None:
    workers = {"kind": "ray", "count": 2, "gpus_per_worker": 0, "cpus_per_worker": 1}
    config = toy_config(tmp_path, icl_vs_finetuning={"counts": [6], "draws": 1}, finetuning=_SLOW, workers=workers)
    entries = EXPERIMENT.cells(Setting(config), {})
    cells = [entry for entry in entries if isinstance(entry, Cell) and entry.training is not None]
    killed: list[int] = []
    ended = threading.Event()
    killer = threading.Thread(target=_kill_one, args=(tmp_path / "ray", killed, ended))
    killer.start()
    with local_ray():
        try:
            made = train(cells, config, tmp_path / "ray")
        finally:
            ended.set()
            killer.join()
        assert killed
        assert train(cells, config, tmp_path / "ray") == made  # nothing is left to do
    alone = config.model_copy(update={"workers": WorkersConfig(kind="local")})
    one_by_one = train(cells, alone, tmp_path / "local")
    assert len(made) == 2
    assert all(_same(made[name], one_by_one[name]) for name in made)


def test_trainings_share_nothing_but_whole_gpus() -> None:
    assert training_workers(WorkersConfig(gpus_per_worker=0.25, count=8)).gpus_per_worker == 1
    assert training_workers(WorkersConfig(gpus_per_worker=4, count=2)).count == "auto"
    on_cpu = WorkersConfig(gpus_per_worker=0, count=3)
    assert training_workers(on_cpu) == on_cpu


def test_one_device_trains_here_and_a_cluster_elsewhere() -> None:
    assert not has_several(WorkersConfig(kind="local"))
    assert not has_several(WorkersConfig(count=1))
    assert not has_several(WorkersConfig(max_count=1))
    assert has_several(WorkersConfig(count=2))
    assert has_several(WorkersConfig(ray=RayConfig(address="head:6379")))
