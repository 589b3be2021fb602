"""The state of a run: what its last coordinator noted, and whether one is at work now."""

import fcntl
from pathlib import Path
from typing import Any, Literal

from search.run_directory.file_formats import StateFile
from search.run_directory.files import read_json, refusing_damage

State = Literal["running", "finished", "stopped", "crashed"]


def read_state(path: Path) -> tuple[State, str]:
    """The state of the run at `path`, and the reason when it stopped. A coordinator that is gone without a word has
    crashed."""
    if _is_locked(path / "lock"):
        return "running", ""
    noted = read_noted_state(path)
    state = noted.get("state", "running")
    return ("crashed", "") if state == "running" else (state, noted.get("reason", ""))


def read_noted_state(path: Path) -> dict[str, Any]:
    """The content of state.json, empty where there is none. Raises InputError where it is damaged."""
    file, remedy = path / "state.json", "delete the file, which says only who works on the run or why it stopped"
    content = read_json(file, remedy)
    with refusing_damage(file, remedy):
        if content:
            StateFile.model_validate(content)
    return content


def _is_locked(path: Path) -> bool:
    """Whether a coordinator holds the lock. Asks for a shared lock, so that two who ask do not see each other."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    except OSError:  # on a disk without locks nobody works
        return False
    return False
