"""A model's folder, looked at before anything is loaded: whether all of its files were fetched."""

from pathlib import Path

from configs.errors import InputError
from configs.text_files import is_file, parse_json, read_text, refuse_placeholder, shown_path

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""Files of weights, in the order in which transformers looks for them."""

_KINDS_OF_WEIGHTS = frozenset({".safetensors", ".bin", ".pt", ".pth", ".gguf"})
"""How files of weights end that servers read under other names."""


def refuse_unfetched(folder: Path) -> None:
    """Raises InputError where something else stands in the place of a file that is read, as a pointer of Git LFS does,
    or weights are missing: all of them, or a shard that their index names."""
    read = [*sorted(folder.glob("*.json")), *_weights(folder)]
    if not is_file(folder / "tokenizer.json"):
        read.append(folder / "tokenizer.model")
    for path in filter(is_file, read):
        refuse_placeholder(path)


def _weights(folder: Path) -> list[Path]:
    for name in _WEIGHTS:
        index = folder / f"{name}.index.json"
        if is_file(folder / name):
            return [folder / name]
        if is_file(index):
            return _shards(index)
    if not any(path.suffix in _KINDS_OF_WEIGHTS and is_file(path) for path in folder.glob("*")):
        raise InputError(f"{folder} holds no weights; fetch what is missing")
    return []


def _shards(index: Path) -> list[Path]:
    try:
        names = sorted(set(parse_json(read_text(index))["weight_map"].values()))
        shards = [index.parent / name for name in names]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{index}: no index of weights ({error}); fetch it again") from error
    if not shards:
        raise InputError(f"{index}: no index of weights (it names none); fetch it again")
    missing = [shown_path(Path(shard.name)) for shard in shards if not is_file(shard)]
    if missing:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise InputError(f"{index.parent} lacks {missing[0]}{more}, which {index.name} names; fetch what is missing")
    return shards
