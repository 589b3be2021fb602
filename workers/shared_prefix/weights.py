"""Models from a folder or the hub, loaded once, with an identity that changes when their content does."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
import transformers
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from configs.errors import InputError
from configs.model_folder import refuse_unfetched
from workers.file_digest import digest_folder
from workers.shared_prefix.checkpoint import refuse_incomplete, undisturbed
from workers.shared_prefix.rope import longrope_limit

if TYPE_CHECKING:  # a GPU machine may have PyTorch and transformers, and not what configs are read with
    from configs.schema.model import NamedWeightsConfig, WeightsConfig

LENGTHS = ("max_position_embeddings", "max_seq_len", "seq_length")  # what configs call the context
UNAPPLIED = (
    "repetition_penalty",
    "no_repeat_ngram_size",
    "min_length",
    "min_new_tokens",
    "suppress_tokens",
    "begin_suppress_tokens",
    "bad_words_ids",
    "sequence_bias",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "exponential_decay_length_penalty",
    "guidance_scale",
    "stop_strings",
    "watermarking_config",
    "token_healing",
)
UNSTATED = 10**9  # tokenizers say 1e30 tokens where nobody wrote their limit down

_SMALL = 20_000_000  # parameters

log = logging.getLogger(__name__)

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Source:
    """A model's files, found.

    Attributes:
        location: a folder, or the name of a hub model.
        commit: of the hub model; None for a folder.
        identity: for the fingerprint; says the content, not the place.
    """

    location: str
    commit: str | None
    identity: str


def find(config: NamedWeightsConfig, knob: str = "model") -> Source:
    """The model's files, found and named; of a hub model only its config is downloaded.

    Args:
        knob: what the config is called, for messages.

    Raises:
        InputError: no such folder or hub model, no access to it, or the hub is out of reach.
    """
    folder = Path(config.name)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise InputError(f"{knob}.name: the folder {config.name} has no config.json, so it holds no model")
        refuse_unfetched(folder)
        return Source(config.name, None, f"{folder.name}@sha256:{digest_folder(folder)}")
    if config.names_folder:
        raise InputError(f"{knob}.name: there is no folder {config.name}; give a model's folder or a hub model's name")
    commit = _hub_commit(config.name, config.revision, knob)
    return Source(config.name, commit, f"{config.name}@{commit}")


def _hub_commit(name: str, revision: str | None, knob: str) -> str:
    wanted = name if revision is None else f"{name} at {revision}"
    try:
        path = hf_hub_download(name, "config.json", revision=revision)
    except GatedRepoError as error:
        raise InputError(
            f"{knob}.name: {wanted} is gated: ask for access on its page and set HF_TOKEN in the environment"
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise InputError(
            f"{knob}.name: the hub has no model {wanted} (a private one needs HF_TOKEN in the environment)"
        ) from error
    except EntryNotFoundError as error:
        if isinstance(error, OSError):  # LocalEntryNotFoundError: neither in the cache nor to be had
            raise InputError(
                f"{knob}.name: {wanted} is neither a folder nor in the local cache, and the hub cannot be reached: "
                "check the name and the network, or download the model and give its folder"
            ) from error
        raise InputError(f"{knob}.name: {wanted} has no config.json, so it is not a model of transformers") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{knob}.name: {wanted} cannot be looked up on the hub: {_first_line(error)}") from error
    return Path(path).parent.name


def device_of(config: WeightsConfig, knob: str = "model") -> torch.device:
    """Raises InputError when a GPU is asked for and there is none."""
    if config.device == "cuda" and not torch.cuda.is_available():
        raise InputError(f"{knob}.device: cuda is set, but torch finds no GPU here: set device to auto or cpu")
    if config.device == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", torch.cuda.current_device())


def load_tokenizer(source: Source) -> Any:
    """Raises InputError when there is none."""
    return _loaded("tokenizer", source, lambda: AutoTokenizer.from_pretrained(source.location, revision=source.commit))


def load_model(source: Source, config: WeightsConfig, device: torch.device) -> Any:
    """A causal language model in evaluation mode on its device. Raises InputError when it cannot be loaded, or not all
    of its weights (see `checkpoint`)."""
    return _loaded("model", source, lambda: _pretrained(AutoModelForCausalLM, source, config, device))


def load_to_train(source: Source, dtype: str, device: torch.device) -> Any:
    """A causal language model whose weights are to be trained further, as `load_model`.

    Args:
        dtype: as `model.dtype`.
    """
    return _loaded("model", source, lambda: _whole(AutoModelForCausalLM, source, dtype, None).to(device))


def load_classifier(source: Source, config: WeightsConfig, device: torch.device) -> Any:
    """A model with a classification head, as `load_model`; transformers would draw a missing head at random."""
    return _loaded(
        "classifier", source, lambda: _pretrained(AutoModelForSequenceClassification, source, config, device)
    )


def _pretrained(kind: Any, source: Source, config: WeightsConfig, device: torch.device) -> Any:
    """The model with all of its weights, in evaluation mode.

    Over several GPUs layers are spread by accelerate's device map, all in this process. Tensor parallelism
    (`tp_plan`) would also share the work of a layer, but transformers runs it in one process a GPU, started by
    torchrun with ranks and a rendezvous (`transformers/distributed/utils.py`): a Ray actor that is restarted alone
    cannot join again, and all ranks would have to be given every block in the same order. What it would win, a shorter
    step, matters less here: with hundreds of rows in a batch the GPUs are busy one after the other.
    """
    model = _whole(kind, source, config.dtype, _device_map(config, device))
    if {"cpu", "disk"} & set(map(str, getattr(model, "hf_device_map", {}).values())):
        raise torch.OutOfMemoryError("some layers are not on a GPU")
    return model.eval()


def _whole(kind: Any, source: Source, dtype: str, device_map: Any) -> Any:
    """The model with all of its weights. Raises InputError where some are missing or broken."""
    disable_progress_bar()  # type: ignore[no-untyped-call]  # it would run across the display of the search
    model, report = undisturbed(
        lambda: kind.from_pretrained(
            source.location,
            revision=source.commit,
            dtype=dtype,
            device_map=device_map,
            ignore_mismatched_sizes=True,  # they are refused below, in one sentence
            output_loading_info=True,
        )
    )
    refuse_incomplete(model, report, source.location)
    return model


def _device_map(config: WeightsConfig, device: torch.device) -> Any:
    if device.type == "cpu":
        return None
    if config.device == "cuda" or torch.cuda.device_count() == 1:
        return {"": device}
    log.warning(
        "the model's layers are spread over %d GPUs; one that fits a GPU runs faster with device=cuda",
        torch.cuda.device_count(),
    )
    return "auto"


def _loaded(kind: str, source: Source, load: Callable[[], Part]) -> Part:
    try:
        return load()
    except torch.OutOfMemoryError as error:
        raise InputError(
            f"the model {source.location} does not fit the GPU's free memory: use a smaller model or a larger GPU, or "
            "give a worker several GPUs (workers.gpus_per_worker)"
        ) from error
    except InputError:
        raise
    except Exception as error:  # damaged files raise whatever the reader they broke raises
        raise InputError(f"no {kind} could be loaded from {source.location}: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def context_of(model: Any, tokenizer: Any, wanted: int | None, knob: str = "model") -> int:
    """Tokens a prompt and its completion may have together.

    Raises:
        InputError: neither the config nor the model says.
    """
    config = model.config.get_text_config(decoder=True)
    own = next((length for name in LENGTHS if (length := getattr(config, name, None))), None)
    if own is None and tokenizer.model_max_length < UNSTATED:
        own = tokenizer.model_max_length
    limits = [limit for limit in (wanted, own) if limit is not None]
    if not limits:
        raise InputError(f"the model does not state its context length: set {knob}.context_tokens")
    limit = longrope_limit(config)
    if limit is not None and limit < min(limits):
        log.warning(
            "the model's longrope rotary embedding changes beyond %s tokens, so that is its context here", limit
        )
        return limit
    return int(min(limits))


def tell_unapplied(model: Any) -> None:
    """Say which settings of the model's generation config shape no token here: `Decoding` alone does. Those of sampling
    are left out, because whoever samples states them."""
    stated = model.generation_config.to_diff_dict()
    if unapplied := [f"{name}={stated[name]}" for name in UNAPPLIED if stated.get(name)]:
        log.warning(
            "the model's generation config asks for %s, which is not applied: only what `decoding` states is",
            ", ".join(unapplied),
        )


def fingerprint(source: Source, engine: str, dtype: torch.dtype) -> str:
    """See `ModelCard.fingerprint`; `engine` names what reads the weights, and its version."""
    return (
        f"{source.identity} {engine} {str(dtype).removeprefix('torch.')} "
        f"torch {torch.__version__} transformers {transformers.__version__}"
    )


def spare_threads(model: Any, environment: Mapping[str, str] = os.environ) -> None:
    """Have a small model on a CPU computed by one thread: its steps are too short to be shared out, and on a busy
    machine threads that wait for each other make them many times slower. Whoever sets `OMP_NUM_THREADS` decides."""
    parameters = sum(parameter.numel() for parameter in model.parameters())
    if model.device.type == "cpu" and parameters < _SMALL and "OMP_NUM_THREADS" not in environment:
        torch.set_num_threads(1)


def spoken(devices: Iterable[torch.device]) -> str:
    """Devices in words."""
    return ", ".join(
        str(device) if device.type == "cpu" else f"{device} {torch.cuda.get_device_name(device)}" for device in devices
    )
