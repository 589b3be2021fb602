"""Weights that a model was loaded with: all of them from its checkpoint, none drawn at random."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from transformers import PreTrainedModel, initialization

from configs.errors import InputError

PATIENCE = 60.0  # seconds that somebody else's load may take before ours is refused
PAUSE = 0.05  # seconds between two looks
TRIALS = 3  # of a load that another one met

log = logging.getLogger(__name__)

Loaded = TypeVar("Loaded")

_ONE_AT_A_TIME = threading.Lock()
_GROUP = re.compile(r"^(.*?\.\d+)\.")


@contextmanager
def loading_alone() -> Iterator[None]:
    """Hold this while a model of transformers is loaded.

    `from_pretrained` replaces torch's initializers and methods of every model while it runs, and two loads at once put
    back each other's replacements: weights that nobody has set are the result, in this model and in later ones. A load
    that its caller has given up (an interrupted notebook cell) goes on in its thread, and the next one waits for it.
    """
    with _ONE_AT_A_TIME:
        yield


def undisturbed(load: Callable[[], Loaded], patience: float = PATIENCE) -> Loaded:
    """The result of `load`, called while no other model of transformers is being loaded in this process; called again
    where one was, by code that does not hold `loading_alone`.

    Args:
        patience: seconds to wait for somebody else's load.

    Raises:
        InputError: transformers stays as a load that was broken off left it.
    """
    with loading_alone():
        for _ in range(TRIALS):
            _wait_for_others(patience)
            loaded = load()
            if not _is_patched():
                return loaded
    raise InputError(
        "other models are loaded in this process over and over, so this one cannot be loaded safely: load it in a "
        "process of its own (workers.kind=ray)"
    )


def _wait_for_others(patience: float) -> None:
    end = time.monotonic() + patience
    while _is_patched():
        if time.monotonic() > end:
            raise InputError(
                "another load in this process has left the transformers library unable to load weights correctly: "
                "start Python anew (a notebook's kernel too) and run this again"
            )
        time.sleep(PAUSE)


def _is_patched() -> bool:
    """Whether transformers' replacements for the time of a load are in place."""
    methods = (PreTrainedModel.init_weights, PreTrainedModel.tie_weights)
    if any(not method.__qualname__.startswith("PreTrainedModel.") for method in methods):
        return True
    originals = initialization.TORCH_INIT_FUNCTIONS
    return any(getattr(torch.nn.init, name) is not function for name, function in originals.items())


def refuse_incomplete(model: Any, report: dict[str, Any], location: str) -> None:
    """Check that every weight came from the checkpoint and is a number. Tied weights may be there once.

    Args:
        report: what `from_pretrained` says with `output_loading_info`.
        location: of the checkpoint, for messages.

    Raises:
        InputError: weights are missing, of another shape, not finite, or nothing but zeros.
    """
    if missing := sorted(report["missing_keys"]):
        raise InputError(
            f"the checkpoint {location} lacks {_first_of(missing)}, which would be drawn at random: it is incomplete "
            "(download it again), or was saved for another task"
        )
    if mismatched := sorted(report["mismatched_keys"]):
        name, saved, wanted = mismatched[0]
        raise InputError(
            f"the checkpoint {location} does not belong to its config.json: {name} is {_shape(saved)}, "
            f"but the config wants {_shape(wanted)}"
        )
    if unused := sorted(report["unexpected_keys"]):
        log.warning("%s: the model does not use %s of the checkpoint", location, _first_of(unused))
    _refuse_broken(model, location)


def refuse_other_tokenizer(model: Any, tokenizer: Any, location: str) -> None:
    """Check that the model can read the tokens that its tokenizer makes of ordinary text. Added ones (a padding token
    that nobody embedded) are refused where a prompt holds them.

    Raises:
        InputError: the tokenizer has more tokens than the model has embeddings.
    """
    embedded = model.get_input_embeddings().weight.shape[0]
    if tokenizer.vocab_size > embedded:
        raise InputError(
            f"the tokenizer in {location} is not this model's: it has {tokenizer.vocab_size:,} tokens, the model "
            f"embeds {embedded:,}; take the tokenizer's files from where the weights are from"
        )


@torch.inference_mode()
def _refuse_broken(model: Any, location: str) -> None:
    matrices: dict[str, list[tuple[str, bool]]] = {}  # by layer: name, and whether it is all zeros
    for name, weight in model.named_parameters():
        if weight.is_meta or not weight.is_floating_point() or not weight.numel() or weight.itemsize < 2:
            continue  # offloaded, quantized or empty
        low, high = weight.aminmax()
        if not (low.isfinite() and high.isfinite()):  # a NaN anywhere becomes both
            raise InputError(f"the checkpoint {location} is damaged: {name} holds NaN or infinity; download it again")
        if weight.dim() > 1:
            layer = _GROUP.match(name)
            matrices.setdefault(layer[1] if layer else name, []).append((name, not low and not high))
    for group in matrices.values():
        if all(is_zero for _, is_zero in group):
            raise InputError(
                f"the checkpoint {location} is damaged: {group[0][0]} holds nothing but zeros; download it again"
            )
    if zeros := [name for group in matrices.values() for name, is_zero in group if is_zero]:
        log.warning("%s: nothing but zeros in %s", location, _first_of(zeros))


def _first_of(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _shape(sizes: Any) -> str:
    return " x ".join(map(str, sizes))
