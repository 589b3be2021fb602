"""Public files into a folder: each as a whole, checked, and never over a file of another content."""

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx2

from configs.atomic_file import write_whole
from configs.errors import InputError
from configs.public_files import PublicFile
from search.fetch.download import PAUSES, Unusable, download, open_client

Advance = Callable[[PublicFile, int], None]
"""A listener that is told of a file how many of its bytes have come."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A public file that is on this machine now.

    Attributes:
        path: where the file is now.
        was_there: whether nothing had to be fetched.
    """

    file: PublicFile
    path: Path
    was_there: bool


def fetch_files(
    files: Sequence[PublicFile],
    folder: Path,
    *,
    mirror: str | None = None,
    advance: Advance = lambda _, __: None,
    pauses: Sequence[float] = PAUSES,
) -> Iterator[Fetched]:
    """Bring these files into a folder, one after the other; those that are there already are left alone.

    Args:
        mirror: where to fetch from instead: `MIRROR/HOST/PATH` for what is at `https://HOST/PATH`.
        pauses: seconds before each further try of a download that was cut.

    Raises:
        InputError: another file is in the way; nothing has been fetched.
        RunStopped: a file cannot be fetched or written, or is not the one that was published. Those before it are
            there, and what came of it is kept for the next call.
    """
    there = {file.path for file in files if _is_there(file, folder / file.path)}
    with open_client() as client:
        for file in files:
            path = folder / file.path
            if file.path not in there:
                with _partial(path) as partial:
                    address = _address(file.url, mirror)
                    _complete(client, address, file, partial, advance, pauses)
                    partial.seek(0)
                    _write(file, path, partial.read())
            yield Fetched(file, path, file.path in there)


def _is_there(file: PublicFile, path: Path) -> bool:
    """Whether the file is there; one that was brought as its publishers send it is written as presets read it.

    Raises:
        InputError: another one is.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise InputError(
            f"{path} is in the way ({error.strerror}): move it, or choose another folder with --to"
        ) from None
    digest = hashlib.sha256(content).hexdigest()
    if digest == file.sha256 and file.written_sha256 is not None:
        _write(file, path, content)
    elif digest != (file.written_sha256 or file.sha256):
        raise InputError(f"{path} differs from the published file: move it away, or choose another folder with --to")
    return True


@contextmanager
def _partial(path: Path) -> Iterator[BinaryIO]:
    """What has come of a file so far, for this process alone; it goes when the file is written."""
    partial = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("a+b") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield opened
            partial.unlink()
    except BlockingIOError:
        raise InputError(f"{path} is being fetched by another process: wait for it") from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}): free some disk space, or choose another folder "
            "with --to"
        ) from None
    finally:
        with suppress(OSError):
            if partial.stat().st_size == 0:
                partial.unlink()


def _address(url: str, mirror: str | None) -> str:
    if mirror is None:
        return url
    if not mirror.startswith(("http://", "https://")):
        raise InputError(f"--mirror '{mirror}' is not an address: write it as https://HOST/PATH")
    return f"{mirror.rstrip('/')}/{url.removeprefix('https://')}"


def _complete(
    client: httpx2.Client,
    url: str,
    file: PublicFile,
    partial: BinaryIO,
    advance: Advance,
    pauses: Sequence[float],
) -> None:
    """Download until the content is the published one; once more from its beginning where the end of an earlier call
    does not fit what came now."""
    begun = partial.seek(0, 2) > 0
    for _ in range(1 + begun):
        download(client, url, partial, file.size, advance=lambda size: advance(file, size), pauses=pauses)
        partial.seek(0)
        digest = hashlib.sha256(partial.read()).hexdigest()
        if digest == file.sha256:
            return
        partial.seek(0)
        partial.truncate()
    raise Unusable(
        f"{url} does not send the published file (its SHA-256 is {digest}, not {file.sha256}), so nothing was written: "
        "open the address in a browser, since a proxy or a mirror may send a page of its own"
    )


def _write(file: PublicFile, path: Path, content: bytes) -> None:
    if file.written_sha256 is None:
        write_whole(path, content)
    else:
        write_whole(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in json.loads(content)))
