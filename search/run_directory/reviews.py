"""What people say of a run's answers, in its directory so that it travels with it. It decides nothing."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter

from configs.errors import InputError
from search.run_directory.files import read_json, refusing_damage, write_json
from search.run_directory.locks import changing
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
        blind: all of that was said before the judge's verdict was seen.
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


def readable_reviews(path: Path) -> tuple[dict[Reviewed, Review], str]:
    """All reviews of the run at `path`, for pages that show them beside other things; none where their file is damaged,
    and what is wrong with it."""
    try:
        return read_reviews(path), ""
    except InputError as error:
        return {}, str(error)


def write_review(path: Path, of: Reviewed, review: Review, keep: Collection[str] = ()) -> Review:
    """Replace the review of one answer; without a verdict and a comment it is removed. A verdict that was given blind
    and stays the same has still been given so; none is where something was said before with the judge's in sight.

    Args:
        keep: which of `good` and `comment` stay as they are, whatever `review` has.

    Raises:
        InputError: `path` is not a run directory, its reviews are damaged, or it cannot be written.
    """
    require_run(path)
    with changing(path):
        require_run(path)  # still: it may have been removed
        reviews = read_reviews(path)
        before = reviews.pop(of, Review())
        review = replace(review, **{name: getattr(before, name) for name in keep})
        unseen = review.blind and (before.blind or before == Review())
        blind = unseen or (before.blind and review.good is not None and before.good == review.good)
        review = Review(review.good, review.comment.strip(), blind)
        if review.verdict or review.comment:
            reviews[of] = review
        else:
            review = Review()
        write_json(path / FILE, {"reviews": [asdict(_Line(*line)) for line in reviews.items()]})
    return review
