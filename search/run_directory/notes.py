"""What people write on a run: tags and a note, in its directory, so that they travel with it. They decide nothing."""

import json
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from configs.errors import InputError
from search.run_directory.files import write_json
from search.run_directory.locks import changing
from search.run_directory.run import require_run

_FILE = "notes.json"
_LONGEST_TAG = 40  # characters


@dataclass(frozen=True, slots=True)
class Notes:
    """Tags, sorted, and a note in free words."""

    tags: tuple[str, ...] = ()
    note: str = ""


def read_notes(path: Path) -> Notes:
    """What is written on the run at `path`; nothing where the file is absent or was damaged by hand."""
    try:
        content = json.loads((path / _FILE).read_text(encoding="utf-8"))
        return Notes(tuple(sorted({str(tag) for tag in content["tags"]})), str(content["note"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Notes()


def change_notes(
    path: Path,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    note: str | None = None,
    others: Iterable[Path] = (),
) -> Notes:
    """Add and remove tags, and replace the note unless None is given. Others who do so at the same moment wait.

    Args:
        others: runs that lose the tags that are added.

    Raises:
        InputError: `path` is not a run directory, it or one of `others` cannot be written, or a tag is empty, too long
            or holds a comma. Nothing is changed then.
        RunStopped: the disk is full; then some of `others` may have lost the tags, and no run has gained one.
    """
    require_run(path)
    adding = [tag.strip() for tag in add]
    for tag in adding:
        if not tag or len(tag) > _LONGEST_TAG or not tag.isprintable() or "," in tag:
            raise InputError(f"the tag '{tag}' cannot be used: use 1 to {_LONGEST_TAG} characters without a comma")
    with ExitStack() as held:
        for run in sorted((path, *others), key=Path.resolve):  # who wants the same runs waits, and holds none of them
            held.enter_context(changing(run))
            require_run(run)  # still: it may have been removed
        for other in others:
            _write(other, (), adding)
        return _write(path, adding, [tag.strip() for tag in remove], note)


def _write(path: Path, add: Iterable[str], remove: Iterable[str], note: str | None = None) -> Notes:
    before = read_notes(path)
    tags = ({*before.tags} | {*add}) - {*remove}
    notes = Notes(tuple(sorted(tags)), before.note if note is None else note)
    write_json(path / _FILE, asdict(notes))
    return notes
