"""A model's files are known again, and told from all others, without being read whole."""

from collections.abc import Callable
from pathlib import Path

import pytest

from workers.file_digest import BLOCK, BLOCKS, EDGE, _pieces, digest_file, digest_folder

LONG = 2 * EDGE + 3 * BLOCKS * BLOCK


def of_zeros(path: Path, size: int) -> Path:
    """A file without content on the disk."""
    with path.open("wb") as file:
        file.truncate(size)
    return path


def changed(path: Path, place: int, content: bytes = b"x") -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


@pytest.mark.parametrize("digest", [digest_file, lambda path: digest_folder(path.parent)], ids=["file", "folder"])
def test_a_byte_anywhere_in_a_file_makes_another_digest(digest: Callable[[Path], str], tmp_path: Path) -> None:
    path = of_zeros(tmp_path / "weights.gguf", 3 * EDGE)
    digests = {digest(path)}
    for place in (0, EDGE, EDGE + 70_000, 3 * EDGE // 2, 2 * EDGE - 1, 3 * EDGE - 1):
        changed(path, place)
        digests.add(digest(path))
    assert len(digests) == 7


def test_a_change_between_the_ends_of_a_long_file_makes_another_digest(tmp_path: Path) -> None:
    """As of a second fine-tune of one quantisation, whose header and size are the same."""
    path = of_zeros(tmp_path / "weights.gguf", LONG)
    before = digest_file(path)
    changed(path, LONG // 2, b"x" * 3 * BLOCK)
    assert digest_file(path) != before


def test_many_long_files_are_read_as_little_as_one(tmp_path: Path) -> None:
    path = of_zeros(tmp_path / "model-00001-of-00064.safetensors", LONG)
    assert sum(map(len, _pieces(path, BLOCKS // 64))) <= 2 * EDGE + (BLOCKS // 64 + 1) * BLOCK
