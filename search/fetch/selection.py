"""Public files by the names that people give them."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from configs.errors import InputError
from configs.loading import read_presets
from configs.public_files import FOLDER, PUBLIC_FILES, PublicFile


def fetch(names: str | Sequence[str], to: Path | str = FOLDER, mirror: str | None = None) -> list[Path]:
    """Bring public files, as `demosearch fetch` does.

    Args:
        names: of sets of files (`mt_bench`), of presets for what they read, or `all`.
        to: the folder; presets read `data` below the working directory.
        mirror: where to fetch from instead: `MIRROR/HOST/PATH` for what is at `https://HOST/PATH`.

    Returns:
        Where the files are.

    Raises:
        InputError, RunStopped: as `fetch_files`; or a name is unknown.
    """
    from search.fetch.files import fetch_files  # noqa: PLC0415 -- httpx2

    files = public_files([names] if isinstance(names, str) else names)
    return [fetched.path for fetched in fetch_files(files, Path(to), mirror=mirror)]


def public_files(names: Sequence[str]) -> list[PublicFile]:
    """The files of these names, each once.

    Args:
        names: of sets of files, of presets for what they read, or `all`.

    Raises:
        InputError: a name is unknown.
    """
    sets = {**PUBLIC_FILES, "all": tuple(_all()), **_by_preset()}
    files: dict[str, PublicFile] = {}
    for name in names:
        if name not in sets:
            near = get_close_matches(name, sets, n=1, cutoff=0.5)
            hint = f"did you mean '{near[0]}'?" if near else f"choose from {', '.join(sets)}"
            raise InputError(f"'{name}' is neither a set of public files nor a preset that reads some; {hint}")
        files.update((file.path, file) for file in sets[name])
    return list(files.values())


def presets_by_file() -> dict[str, list[str]]:
    """Presets that read the file at each path."""
    presets = _by_preset()
    return {file.path: [name for name, files in presets.items() if file in files] for file in _all()}


def _by_preset() -> dict[str, tuple[PublicFile, ...]]:
    """What each preset reads, where it reads any."""
    named = {name: set(_texts(values)) for name, values in read_presets().items()}
    files = {name: tuple(file for file in _all() if f"{FOLDER}/{file.path}" in texts) for name, texts in named.items()}
    return {name: read for name, read in files.items() if read}


def _all() -> Iterator[PublicFile]:
    for files in PUBLIC_FILES.values():
        yield from files


def _texts(values: Any) -> Iterator[str]:
    if isinstance(values, str):
        yield values
    elif isinstance(values, dict | list):
        for value in values.values() if isinstance(values, dict) else values:
            yield from _texts(value)
