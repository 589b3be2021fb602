"""Real training steps on a tiny model."""

import logging
import resource
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file, save_file

from configs.schema.finetuning import FinetuningConfig, TrainingLength
from configs.schema.model import ModelConfig
from tests.tiny_model import random_llama, save
from workers.finetune.examples import TrainingExample
from workers.finetune.failures import FinetuningFailed
from workers.finetune.record import FinetunedModel
from workers.finetune.train import Finetuning, finetune

pytestmark = pytest.mark.heavy

SHORT = FinetuningConfig(
    learning_rate=5e-3, lengths=(TrainingLength(epochs=3, batch_size=2),), checkpoints=3, max_tokens=64
)
EXAMPLES = tuple(TrainingExample(f"e{n}", f"\n# Query:\nsay {n}\n", f"the word is {n}") for n in range(4))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> ModelConfig:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save(random_llama(), folder)
    return ModelConfig(name=str(folder), dtype="float32", device="cpu")


def _task(base: ModelConfig) -> Finetuning:
    return Finetuning(base=base, config=SHORT, method="full", examples=EXAMPLES, seed=3)


@pytest.fixture(scope="module")
def trained(base: ModelConfig, tmp_path_factory: pytest.TempPathFactory) -> FinetunedModel:
    """A finished training, which nobody changes."""
    return finetune(_task(base), tmp_path_factory.mktemp("trainings") / "whole")


def _copy(trained: FinetunedModel, folder: Path) -> FinetunedModel:
    """The finished training in another folder, where it may be changed."""
    shutil.copytree(trained.model.parent, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("lock"))
    copied = FinetunedModel.read(folder)
    assert copied is not None
    return copied


def _weights(model: Path) -> dict[str, torch.Tensor]:
    return load_file(model / "model.safetensors")


def _same(first: Path, second: Path) -> bool:
    one, other = _weights(first), _weights(second)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_full_fine_tuning_makes_the_answers_likelier(
    base: ModelConfig, trained: FinetunedModel, tmp_path: Path
) -> None:
    assert (trained.examples, trained.steps, trained.too_long) == (4, 6, ())
    assert trained.loss is not None
    first = finetune(replace(_task(base), config=SHORT.model_copy(update={"learning_rate": 1e-12})), tmp_path / "still")
    assert first.loss is not None
    assert trained.loss < first.loss - 0.1


def test_a_killed_training_that_goes_on_is_the_training_that_was_never_killed(
    base: ModelConfig, trained: FinetunedModel, tmp_path: Path
) -> None:
    def die(done: int, _: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(_task(base), tmp_path / "killed", die)
    half = tmp_path / "killed" / "checkpoints" / "checkpoint-9"  # as a kill during a write leaves one
    half.mkdir()
    (half / "trainer_state.json").write_text('{"global_st')
    steps: list[int] = []
    resumed = finetune(_task(base), tmp_path / "killed", lambda done, _: steps.append(done))
    assert steps[0] > 1, "it began anew"
    assert _same(trained.model, resumed.model)
    assert not (tmp_path / "killed" / "checkpoints").exists()


def test_adapters_are_merged_into_a_model_that_any_engine_loads(base: ModelConfig, tmp_path: Path) -> None:
    done = finetune(replace(_task(base), method="lora"), tmp_path)
    before, after = _weights(Path(base.name)), _weights(done.model)
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_a_finished_training_is_read_and_not_repeated(
    base: ModelConfig, trained: FinetunedModel, tmp_path: Path
) -> None:
    done = _copy(trained, tmp_path)
    written = (done.model / "model.safetensors").stat().st_mtime_ns
    assert finetune(_task(base), tmp_path) == done == FinetunedModel.read(tmp_path)
    assert (done.model / "model.safetensors").stat().st_mtime_ns == written


@pytest.mark.parametrize("gone", ["config.json", "model.safetensors"])
def test_a_finished_training_whose_model_is_gone_is_repeated(
    gone: str, base: ModelConfig, trained: FinetunedModel, tmp_path: Path
) -> None:
    (_copy(trained, tmp_path).model / gone).unlink()
    assert FinetunedModel.read(tmp_path) is None
    assert _same(finetune(_task(base), tmp_path).model, trained.model)


def test_too_long_examples_are_left_out_and_reported(base: ModelConfig, tmp_path: Path) -> None:
    long = TrainingExample("long", "word " * 200, "answer")
    done = finetune(replace(_task(base), examples=(*EXAMPLES, long)), tmp_path)
    assert (done.examples, done.too_long) == (4, ("long",))


def test_a_training_without_an_example_that_fits_fails_with_the_limit(base: ModelConfig, tmp_path: Path) -> None:
    long = TrainingExample("long", "word " * 200, "answer")
    with pytest.raises(FinetuningFailed, match="64"):
        finetune(replace(_task(base), examples=(long,)), tmp_path)
    assert FinetunedModel.read(tmp_path) is None


def test_a_training_that_diverges_fails_and_says_what_to_lower(base: ModelConfig, tmp_path: Path) -> None:
    wild = SHORT.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(FinetuningFailed, match=r"diverged: .* lower finetuning.learning_rate"):
        finetune(replace(_task(base), config=wild), tmp_path)
    assert FinetunedModel.read(tmp_path) is None
    assert not (tmp_path / "checkpoints").exists()


@pytest.fixture
def small_disk() -> Iterator[None]:
    """As a full disk does, the system refuses to let a file grow beyond 20 kB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_disk")
def test_a_disk_that_does_not_take_a_checkpoint_is_a_failure_of_this_training_alone(
    base: ModelConfig, tmp_path: Path
) -> None:
    with pytest.raises(FinetuningFailed, match="free some disk space, and the same command goes on"):
        finetune(_task(base), tmp_path)
    assert FinetunedModel.read(tmp_path) is None


@pytest.mark.parametrize("damage", ["cut", "lacking"])
def test_a_base_model_whose_weights_are_damaged_is_a_failure_of_its_trainings_alone(
    damage: str, base: ModelConfig, tmp_path: Path
) -> None:
    broken = shutil.copytree(base.name, tmp_path / "broken")
    weights = broken / "model.safetensors"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-100])
    else:
        tensors = load_file(weights)
        save_file(dict(list(tensors.items())[1:]), weights, metadata={"format": "pt"})
    task = replace(_task(base), base=base.model_copy(update={"name": str(broken)}))
    with pytest.raises(FinetuningFailed, match=r"broken"):
        finetune(task, tmp_path / "made")
    assert FinetunedModel.read(tmp_path / "made") is None


class _WhenWaiting(logging.Handler):
    """Does something when it is told that a training waits for another process."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act = act

    def emit(self, record: logging.LogRecord) -> None:
        assert "another process trains in" in record.getMessage()
        self._act()


def test_two_processes_do_not_train_in_one_folder_and_the_one_that_waits_reads_what_the_other_made(
    base: ModelConfig, trained: FinetunedModel, tmp_path: Path
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    other = FileLock(folder / "lock", thread_local=False)
    other.acquire()

    def finish() -> None:
        _copy(trained, folder)
        other.release()

    log, handler, steps = logging.getLogger("workers.finetune.lock"), _WhenWaiting(finish), list[int]()
    log.addHandler(handler)
    try:
        with ThreadPoolExecutor() as threads:
            done = threads.submit(finetune, _task(base), folder, lambda step, _: steps.append(step)).result()
    finally:
        log.removeHandler(handler)
    assert not steps
    assert _same(done.model, trained.model)
    assert done.model.parent == folder


def test_memory_that_does_not_hold_a_training_is_a_failure_of_this_training_alone(
    base: ModelConfig, tmp_path: Path
) -> None:
    def exhausted(*_: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(FinetuningFailed, match=r"out of memory.*device_batch_size"):
        finetune(_task(base), tmp_path, exhausted)
