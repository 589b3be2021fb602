"""Train a causal language model on demonstrations: all weights or low-rank adapters, by TRL and PEFT.

Labels are made here and not by TRL, so that the loss is on answers alone in every form of prompt and nothing is cut.
On the CPU the same seed gives the same weights, also when the training was killed and went on from a checkpoint.
"""

from __future__ import annotations

import gc
import logging
import math
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import TrainerCallback

from configs.atomic_file import remove_drafts
from configs.errors import DemosearchError, InputError
from configs.plural import show_many
from configs.schema.finetuning import FinetuningConfig
from configs.schema.model import ModelConfig
from workers.finetune.checkpoints import last_whole_checkpoint
from workers.finetune.examples import EncodedExamples, TrainingExample, encode_examples
from workers.finetune.failures import FinetuningDiverged, FinetuningFailed, FinetuningOutOfMemory
from workers.finetune.lock import alone
from workers.finetune.record import FILE as RECORD
from workers.finetune.record import FinetunedModel
from workers.shared_prefix import weights

Method = Literal["full", "lora"]
OnStep = Callable[[int, int], None]
"""A listener that is told after every step how many are done, and how many there are."""

log = logging.getLogger(__name__)

_NO_MEMORY = re.compile("can't allocate memory|out of memory")  # the CPU's allocator raises a RuntimeError
_NO_DISK = re.compile(r"No space left|PytorchStreamWriter|inline_container|I/O error")  # so do writers of checkpoints


@dataclass(frozen=True, slots=True)
class Finetuning:
    """What is trained, how, and on what.

    Attributes:
        base: the model that is trained further.
        chat_template: saved with the tokenizer, in the place of the base's; None keeps that.
    """

    base: ModelConfig
    config: FinetuningConfig
    method: Method
    examples: tuple[TrainingExample, ...]
    seed: int
    chat_template: str | None = None


def finetune(task: Finetuning, folder: Path, on_step: OnStep = lambda *_: None) -> FinetunedModel:
    """Train, or go on with a training that was killed in this folder, or read what it has left. Another process that
    trains in the same folder is waited for, and what it has left is read.

    Args:
        folder: of this task alone; the model is in it when this returns.

    Raises:
        InputError: TRL or PEFT is not installed.
        FinetuningFailed: this training cannot be done: the examples are too long, memory or disk do not hold it, it
            diverges, or its base model cannot be loaded.
    """
    if (finished := FinetunedModel.read(folder)) is not None:
        return finished
    require_libraries()
    try:
        with alone(folder):
            remove_drafts(folder, (RECORD,))
            return FinetunedModel.read(folder) or _train(task, folder, on_step)
    except FinetuningFailed:
        raise
    except Exception as error:  # whatever torch, transformers, TRL or the disk raise concerns this training alone
        raise _failure(task, error) from error
    finally:
        _free_memory()


def _failure(task: Finetuning, error: Exception) -> FinetuningFailed:
    text = str(error)
    if {type(error), type(error.__cause__)} & {torch.OutOfMemoryError, MemoryError} or _NO_MEMORY.search(text):
        return _out_of_memory(task)
    if isinstance(error, DemosearchError):
        return FinetuningFailed(text)
    log.error("fine-tuning of %s broke off", task.base.name, exc_info=error)
    lines = text.strip().splitlines()
    reason = f"{type(error).__name__}: {lines[0]}" if lines else f"{type(error).__name__} without a message"
    if isinstance(error, OSError) or _NO_DISK.search(text):
        reason += "; free some disk space, and the same command goes on from the last whole checkpoint"
    return FinetuningFailed(f"the training broke off: {reason}")


def require_libraries() -> None:
    """Raises InputError where TRL or PEFT is missing."""
    try:
        import peft  # noqa: F401, PLC0415 -- an extra
        import trl  # noqa: F401, PLC0415
    except ImportError as error:
        raise InputError(
            f"fine-tuning needs {error.name or 'TRL and PEFT'}: pip install 'demosearch[finetune]'"
        ) from error


def _free_memory() -> None:
    """Free memory for the engines that come next on the same device."""
    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()


def _out_of_memory(task: Finetuning) -> FinetuningOutOfMemory:
    return FinetuningOutOfMemory(
        f"out of memory: {task.method} fine-tuning of {task.base.name} on {show_many(len(task.examples), 'example')} "
        "does not "
        "fit the device; lower finetuning.device_batch_size or finetuning.max_tokens, or train adapters (lora)"
    )


def _train(task: Finetuning, folder: Path, on_step: OnStep) -> FinetunedModel:
    began = time.monotonic()
    source, device = weights.find(task.base), weights.device_of(task.base)
    tokenizer = weights.load_tokenizer(source)
    if task.chat_template is not None:
        tokenizer.chat_template = task.chat_template
    encoded = encode_examples(task.examples, tokenizer, task.config.max_tokens)
    if not encoded.rows:
        raise FinetuningFailed(
            f"all {len(encoded.too_long):,} examples are longer than finetuning.max_tokens ({task.config.max_tokens:,})"
        )
    if encoded.too_long:
        log.warning("%d of %d examples are too long and left out", len(encoded.too_long), len(task.examples))
    torch.manual_seed(task.seed)
    dtype = task.config.dtype if task.method == "full" else task.base.dtype
    model = weights.load_to_train(source, dtype, device)
    trainer = _make_trainer(task, model, tokenizer, encoded, folder / "checkpoints", device)
    trainer.add_callback(_Steps(on_step))
    try:
        checkpoint = last_whole_checkpoint(folder / "checkpoints")
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        _refuse_diverged(model)
    except FinetuningDiverged:
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        raise
    _save(trainer, tokenizer, folder, task)
    done = FinetunedModel(
        model=folder / "model",
        examples=len(encoded.rows),
        too_long=encoded.too_long,
        steps=trainer.state.global_step,
        loss=next((row["loss"] for row in reversed(trainer.state.log_history) if "loss" in row), None),
        seconds=time.monotonic() - began,
    )
    done.write(folder)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return done


def _refuse_diverged(model: Any) -> None:
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and not parameter.isfinite().all():
            raise FinetuningDiverged(f"the training diverged: {name} is not finite; {_LOWER}")


_LOWER = "lower finetuning.learning_rate, or finetuning.lora.learning_rate for adapters"


def _make_trainer(
    task: Finetuning, model: Any, tokenizer: Any, encoded: EncodedExamples, folder: Path, device: torch.device
) -> Any:
    from datasets import Dataset  # noqa: PLC0415 -- heavy
    from peft import LoraConfig  # noqa: PLC0415 -- an extra
    from trl.trainer.sft_trainer import SFTTrainer  # noqa: PLC0415 -- an extra

    return SFTTrainer(
        model=model,
        args=_arguments(task, len(encoded.rows), folder, device),
        train_dataset=Dataset.from_list(list(encoded.rows)),
        processing_class=tokenizer,
        peft_config=_adapters(LoraConfig, task) if task.method == "lora" else None,
    )


def _arguments(task: Finetuning, count: int, folder: Path, device: torch.device) -> Any:
    """How `count` examples are trained on, checkpoints in `folder`."""
    from trl.trainer.sft_config import SFTConfig  # noqa: PLC0415 -- an extra

    config = task.config
    length = config.length_for(count)
    batch = min(length.batch_size, count)
    device_batch = _divisor(batch, config.device_batch_size)
    steps = length.epochs * -(-count // batch)
    on_cpu = device.type == "cpu"
    arguments = SFTConfig(
        output_dir=str(folder),
        learning_rate=config.learning_rate if task.method == "full" else config.lora.learning_rate,
        num_train_epochs=length.epochs,
        per_device_train_batch_size=device_batch,
        gradient_accumulation_steps=batch // device_batch,
        lr_scheduler_type=config.schedule,
        warmup_steps=round(config.warmup_share * steps),
        weight_decay=config.weight_decay,
        save_strategy="steps" if config.checkpoints else "no",
        save_steps=max(1, steps // (config.checkpoints + 1)),
        save_total_limit=1,
        seed=task.seed,
        data_seed=task.seed,
        use_cpu=on_cpu,
        bf16=not on_cpu,
        activation_checkpointing=not on_cpu,
        dataloader_pin_memory=not on_cpu,
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would hide that the training diverges
        report_to="none",
        disable_tqdm=True,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    arguments._n_gpu = min(1, arguments.n_gpu)  # else each visible GPU takes a batch, and a step is so much larger
    return arguments


def _adapters(kind: Any, task: Finetuning) -> Any:
    lora = task.config.lora
    return kind(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _divisor(batch: int, most: int) -> int:
    """The largest divisor of a batch that a device takes at the same time."""
    return next(size for size in range(min(batch, most), 0, -1) if batch % size == 0)


def _save(trainer: Any, tokenizer: Any, folder: Path, task: Finetuning) -> None:
    """Save under the model's name only when it is whole, in the precision in which engines will load it, where that is
    stated."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if task.method == "lora":
        model = model.merge_and_unload()
    if task.base.dtype != "auto":
        model = model.to(getattr(torch, task.base.dtype))
    draft = folder / "model.half"
    shutil.rmtree(draft, ignore_errors=True)
    model.save_pretrained(draft)
    tokenizer.save_pretrained(draft)
    shutil.rmtree(folder / "model", ignore_errors=True)
    draft.rename(folder / "model")


class _Steps(TrainerCallback):
    """Tells how far the training is, and ends one that diverges."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002 -- the library's
        self._on_step(state.global_step, state.max_steps)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:  # noqa: ARG002
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            raise FinetuningDiverged(f"the training diverged: its loss is {loss} at step {state.global_step}; {_LOWER}")
