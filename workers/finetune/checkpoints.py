"""The checkpoint that a killed training goes on from."""

import json
import shutil
from pathlib import Path


def last_whole_checkpoint(folder: Path) -> Path | None:
    """The latest that was written to its end: its state, which the trainer writes last, can be read. Others are
    removed, so that none is taken for a later one. None where there is none."""
    whole: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        step = _step_of(path)
        if step is None:
            shutil.rmtree(path)
        else:
            whole.append((step, path))
    return max(whole)[1] if whole else None


def _step_of(path: Path) -> int | None:
    """None for one that was cut off."""
    try:
        step = json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))["global_step"]
    except (OSError, ValueError, KeyError):
        return None
    return int(step)
