"""A model's folder whose files were fetched in part."""

import json
from pathlib import Path

import pytest

from configs.errors import InputError
from configs.model_folder import refuse_unfetched

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
INDEX = json.dumps({"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}})


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"model.safetensors": POINTER}, "model.safetensors: a pointer of Git LFS, not the file"),
        ({"model.safetensors": "x", "tokenizer.model": POINTER}, "tokenizer.model: a pointer of Git LFS"),
        ({"model.safetensors": Path("/proc/self/mem")}, "model.safetensors: cannot be read"),
        ({"pytorch_model.bin": "<!DOCTYPE html><p>404"}, "pytorch_model.bin: a web page"),
        (
            {"model.safetensors.index.json": INDEX, "model-1-of-2.safetensors": "x"},
            "lacks model-2-of-2.safetensors, which model.safetensors.index.json names",
        ),
        ({"model.safetensors.index.json": INDEX}, "lacks model-1-of-2.safetensors and 1 more"),
        (
            {
                "model.safetensors.index.json": INDEX,
                "model-1-of-2.safetensors": POINTER,
                "model-2-of-2.safetensors": "x",
            },
            "1-of-2.safetensors: a pointer",
        ),
        ({"model.safetensors.index.json": "{"}, "no index of weights"),
        ({"model.safetensors.index.json": "[]"}, "no index of weights"),
        ({"model.safetensors.index.json": '{"weight_map": {}}'}, "no index of weights"),
        (
            {"model.safetensors.index.json": INDEX.replace("model-1", "1" * 300)},
            r"lacks 1+\.\.\.1+-of-2.safetensors and 1",
        ),
        ({"config.json": "{}", "optimizer.md": "x"}, "holds no weights; fetch"),
    ],
)
def test_a_file_that_was_not_fetched_is_named(tmp_path: Path, files: dict[str, str | Path], complaint: str) -> None:
    for name, content in files.items():
        if isinstance(content, Path):
            (tmp_path / name).symlink_to(content)
        else:
            (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        refuse_unfetched(tmp_path)


@pytest.mark.parametrize(
    "files",
    [
        {"pytorch_model.bin": "PK\x03\x04", "README.md": POINTER, "page.html": "<html>"},
        dict.fromkeys(("model.safetensors.index.json", "model-1-of-2.safetensors", "model-2-of-2.safetensors"), INDEX),
        {"pytorch_model.bin.index.json": INDEX, "model.safetensors": "x", "model-1-of-2.safetensors": POINTER},
        {"model.safetensors": "x", "pytorch_model.bin": POINTER, "consolidated.safetensors": POINTER},
        {"consolidated.safetensors": "x", "tokenizer.json": "{}", "tokenizer.model": POINTER},
    ],
)
def test_a_folder_with_all_that_is_read_passes(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    refuse_unfetched(tmp_path)
