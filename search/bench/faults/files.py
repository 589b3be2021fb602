"""What a power cut leaves of files that are replaced as a whole.

The system calls by which `configs.atomic_file` makes a file durable are watched: a draft that is renamed before it was
synchronised may be empty or torn under its new name, and a name that was given is sure only when its folder is
synchronised.
"""

import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DRAFT = re.compile(r"\.((?:config|manifest|material|state)\.json|report\.md)\.\d+")


@dataclass(frozen=True, slots=True)
class _Version:
    """Content that a file has or had; None where there was no file."""

    content: bytes | None
    synchronised: bool = True


class ReplacedFiles:
    """Files of a folder that are replaced as a whole: those whose names are in `_DRAFT`.

    Args:
        before_call: told of each call that makes something durable; may raise.
        after_call: told of the same when it has been made; may raise.
        synchronises: whether the disk does what it is told to; a disk that does not is as good as code that forgets to
            tell it.
    """

    def __init__(
        self,
        folder: Path,
        before_call: Callable[[str], None],
        after_call: Callable[[], None],
        synchronises: bool = True,
    ) -> None:
        self._folder = folder.resolve()
        self._before_call, self._after_call, self._synchronises = before_call, after_call, synchronises
        self._synchronised: dict[str, bytes] = {}  # drafts
        self._versions: dict[str, list[_Version]] = {}  # the first is durable, later ones may be

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch the process's system calls while this is open; there is no other door to them."""
        fsync, replace = os.fsync, os.replace

        def watched_fsync(descriptor: int) -> None:
            path = self._open_as(descriptor)
            if path is None or (path == self._folder and not self._versions):
                fsync(descriptor)
                return
            self._before_call(f"fsync {path.name}")
            if self._synchronises and path != self._folder:
                self._synchronised[path.name] = path.read_bytes()
            elif self._synchronises:
                self._versions = {name: versions[-1:] for name, versions in self._versions.items()}
            self._after_call()

        def watched_replace(source: Any, target: Any, **options: Any) -> None:
            draft, path = Path(source), Path(target)
            if not self._is_draft(draft):
                replace(source, target, **options)
                return
            self._before_call(f"rename {path.name}")
            before = path.read_bytes() if path.exists() else None
            content = draft.read_bytes()
            is_synchronised = self._synchronised.pop(draft.name, None) == content
            self._versions.setdefault(path.name, [_Version(before)]).append(_Version(content, is_synchronised))
            replace(source, target, **options)
            self._after_call()

        os.fsync, os.replace = watched_fsync, watched_replace  # type: ignore[assignment]
        try:
            yield
        finally:
            os.fsync, os.replace = fsync, replace

    def left(self, files: dict[str, bytes], draw: random.Random) -> dict[str, bytes]:
        """What a power cut now leaves of the folder that holds these files."""
        left = dict(files)
        for name in files:
            if _DRAFT.fullmatch(name) and name not in self._synchronised:
                left[name] = files[name][: draw.randint(0, len(files[name]))]
        for name, versions in self._versions.items():
            version = draw.choice(versions)
            left.pop(name, None)
            if version.content is not None:
                torn = draw.choice((0, len(version.content) // 2, len(version.content)))
                left[name] = version.content if version.synchronised else version.content[:torn]
        return left

    def _open_as(self, descriptor: int) -> Path | None:
        """Return which draft, or the folder, is open under this descriptor; None for anything else."""
        if not self._folder.is_dir():
            return None
        drafts = (path for path in self._folder.iterdir() if self._is_draft(path))
        is_open = os.fstat(descriptor)
        return next((path for path in (self._folder, *drafts) if os.path.samestat(path.stat(), is_open)), None)

    def _is_draft(self, path: Path) -> bool:
        return path.parent.resolve() == self._folder and _DRAFT.fullmatch(path.name) is not None
