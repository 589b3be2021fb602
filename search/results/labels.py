"""Names of demonstrations and candidates, for people."""

import re
from collections.abc import Sequence
from itertools import groupby

from search.problem.candidate import OWN, Candidate
from search.problem.material import Material

_DIGEST = re.compile(r"[0-9a-f]{16}")
_LONGEST = 24
_GIST = 90


class Labels:
    """The names of one run's candidates, for people.

    Args:
        material: None before the run has any; then ids stand for themselves.
    """

    def __init__(self, material: Material | None) -> None:
        self._base = {
            demonstration.id: f"base {number}"
            for number, demonstration in enumerate(material.base if material else (), 1)
        }
        self._demonstrations = material.demonstrations if material else {}
        self._questions = material.questions if material else {}

    def demonstration(self, name: str) -> str:
        """The base prompt's own by their number; an id that only a machine can tell from others is cut."""
        return self._base.get(name) or (name[:8] if _DIGEST.fullmatch(name) else shortened(name, _LONGEST))

    def parts(self, candidate: Candidate) -> list[str]:
        """A candidate's parts, from the top of the prompt down; neighbours of the base prompt as a range. A decoding
        that is not the run's own comes last."""
        parts: list[str] = []
        for own, group in groupby(candidate.demonstrations, key=self._base.__contains__):
            some = [self.demonstration(name) for name in group]
            parts += _ranges(some) if own else some
        parts = parts or ["no demonstrations"]
        return parts if candidate.decoding == OWN else [*parts, f"decoding {candidate.decoding}"]

    def candidate(self, candidate: Candidate) -> str:
        """All of it in one line."""
        return "base prompt" if candidate == Candidate(tuple(self._base)) else ", ".join(self.parts(candidate))

    def gist(self, name: str) -> str:
        """The beginning of a demonstration's first query, and how many turns it has where there are several."""
        demonstration = self._demonstrations.get(name)
        if demonstration is None:
            return name
        turns = f" ({len(demonstration.turns)} turns)" if demonstration.further else ""
        return shortened(" ".join(demonstration.query.split()), _GIST) + turns

    def question(self, name: str) -> str:
        """The first turn's beginning."""
        question = self._questions.get(name)
        return shortened(" ".join(question.query.split()), _GIST) if question else name


def shortened(text: str, length: int) -> str:
    """The first characters of a text, at most so many."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _ranges(labels: Sequence[str]) -> list[str]:
    """base 1, base 2, base 3 → base 1–3."""
    numbers = [int(label.removeprefix("base ")) for label in labels]
    parts: list[str] = []
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        parts.append(f"base {run[0]}" if len(run) == 1 else f"base {run[0]}–{run[-1]}")
    return parts
