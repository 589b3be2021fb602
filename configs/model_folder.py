"""A model's folder, looked at before anything is loaded: whether all of its files were fetched."""

from pathlib import Path

from configs.errors import InputError
from configs.text_files import parse_json, read_text, refuse_placeholder

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""Files of weights, in the order in which transformers looks for them."""


def refuse_unfetched(folder: Path) -> None:
    """Raises InputError where something else stands in the place of a file that is read, as a pointer of Git LFS does,
    or a shard is missing that the index of the weights names."""
    read = [*sorted(folder.glob("*.json")), *_weights(folder)]
    if not (folder / "tokenizer.json").is_file():
        read.append(folder / "tokenizer.model")
    for path in filter(Path.is_file, read):
        refuse_placeholder(path)


def _weights(folder: Path) -> list[Path]:
    for name in _WEIGHTS:
        index = folder / f"{name}.index.json"
        if (folder / name).is_file():
            return [folder / name]
        if index.is_file():
            return _shards(index)
    return []


def _shards(index: Path) -> list[Path]:
    try:
        names = sorted(set(parse_json(read_text(index))["weight_map"].values()))
        shards = [index.parent / name for name in names]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{index}: no index of weights ({error}); fetch it again") from error
    missing = [shard.name for shard in shards if not shard.is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise InputError(f"{index.parent} lacks {missing[0]}{more}, which {index.name} names; fetch what is missing")
    return shards
