"""The ledgers of other runs in the same folder: what they hold need not be paid for again."""

from pathlib import Path

from search.run_directory.files import holds_run

_LEDGER = "ledger.sqlite"


def ledgers_of_neighbours(path: Path) -> list[Path]:
    """Ledgers of the run directories beside the one at `path`, the latest written first; none where the folder cannot
    be listed. Ledgers elsewhere, which a config names, are shared by those who name them too."""
    own = path.resolve()
    try:
        folders = [folder for folder in own.parent.iterdir() if folder.resolve() != own]
        files = [folder / _LEDGER for folder in folders if holds_run(folder)]
        written = {file: file.stat().st_mtime for file in files if file.is_file()}
    except OSError:
        return []
    return sorted(written, key=lambda file: (-written[file], file.name))
