"""What people say of a run's answers, in its directory so that it travels with it. It decides nothing."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter

from search.run_directory.files import read_json, refusing_damage, write_json
from search.run_directory.notes import changing
from search.run_directory.run import require_run

FILE = "reviews.json"
_REMEDY = "restore the file from a copy, or remove it with all reviews"


class Reviewed(NamedTuple):
    """An answer: its prompt's key, which all trials of the prompt share, and the question's id."""

    prompt: str
    question: str


@dataclass(frozen=True, slots=True)
class Review:
    """What a person says of one answer.

    Attributes:
        good: the verdict; None without one.
        blind: the verdict was given before the judge's was seen.
    """

    good: bool | None = None
    comment: str = ""
    blind: bool = False

    @property
    def verdict(self) -> str:
        """The verdict in a word: "good", "bad", or "" without one."""
        return "" if self.good is None else "good" if self.good else "bad"


@dataclass(frozen=True, slots=True)
class _Line:
    of: Reviewed
    review: Review


_LINES = TypeAdapter(list[_Line])


def read_reviews(path: Path) -> dict[Reviewed, Review]:
    """All reviews of the run at `path`. Raises InputError where their file is damaged."""
    content = read_json(path / FILE, _REMEDY)
    with refusing_damage(path / FILE, _REMEDY):
        return {line.of: line.review for line in _LINES.validate_python(content["reviews"] if content else [])}


def write_review(path: Path, of: Reviewed, review: Review) -> Review:
    """Replace the review of one answer; without a verdict and a comment it is removed. A verdict that was given blind
    and stays the same has still been given so.

    Raises:
        InputError: `path` is not a run directory, its reviews are damaged, or it cannot be written.
    """
    require_run(path)
    with changing(path):
        reviews = read_reviews(path)
        before = reviews.pop(of, Review())
        blind = review.good is not None and (review.blind or (before.blind and before.good == review.good))
        review = Review(review.good, review.comment.strip(), blind)
        if review != Review():
            reviews[of] = review
        write_json(path / FILE, {"reviews": [asdict(_Line(*line)) for line in reviews.items()]})
    return review
