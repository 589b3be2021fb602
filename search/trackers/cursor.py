"""How far a search has been handed over to a tracker, kept in the run directory."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from search.run_directory.files import read_json, refusing_damage, write_json
from search.trackers.tracker import Conclusion


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far one tracker has got.

    Attributes:
        step: of the last point handed over; 0 for none.
        conclusion: digest of the results handed over; empty for none.
    """

    step: int = 0
    conclusion: str = ""


class Page:
    """The file at `path` with the bookmark of a tracker.

    Args:
        place: the tracker's knobs; what was handed over to another place does not count.
    """

    def __init__(self, path: Path, place: Mapping[str, Any]) -> None:
        self._path = path
        self._place = dict(place)

    def read(self) -> Bookmark:
        """The very first, where nothing was handed over to this place."""
        content = read_json(self._path)
        if content.get("place") != self._place:
            return Bookmark()
        with refusing_damage(self._path):
            return Bookmark(int(content["step"]), str(content["conclusion"]))

    def write(self, bookmark: Bookmark) -> None:
        """All of it or nothing."""
        write_json(self._path, {"place": self._place, **asdict(bookmark)})


def digest(conclusion: Conclusion) -> str:
    """The same for the same results."""
    results = [conclusion.is_finished, conclusion.step, sorted(conclusion.figures.items())]
    return sha256(json.dumps(results).encode()).hexdigest()
