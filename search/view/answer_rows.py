"""What pages of answers show, row by row."""

from dataclasses import dataclass

from search.results.answers_table import AnswerPlace


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One line of the list.

    Attributes:
        change: the score less the base prompt's on the same question and side.
        gist: the beginning of the last answer.
        verdict, comment: a person's: "good", "bad" or "", and words.
        role: "base prompt", "winner", "best so far" or "runner-up"; "" for another.
    """

    id: int
    trial: int
    side: str
    prompt: str
    candidate: str
    decoding: str
    question: str
    category: str
    query: str
    score: float | None
    change: float | None
    failure: str
    length: int | None
    gist: str
    verdict: str = ""
    comment: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """A page of answers, and how many fit in all."""

    rows: tuple[AnswerRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class PromptRow:
    """A prompt that was answered.

    Attributes:
        trial: its first.
        questions: it has a score on, over all sides; `score` is the mean over them.
        role: as an `AnswerRow` has it.
    """

    trial: int
    prompt: str
    decoding: str
    questions: int
    score: float | None
    role: str


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What stands around an answer among those that fit.

    Attributes:
        number: its own place, from 1, of `total`.
    """

    before: AnswerPlace | None
    behind: AnswerPlace | None
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """An answer that was drawn for a blind review.

    Attributes:
        place: None where none is left.
        at: where it stands in the order of the draw; -1 for none.
        left, reviewed: how many fit that nobody has said anything of with the judge's verdict in sight, and how many
            that have a verdict; each prompt's answer to a question once.
    """

    place: AnswerPlace | None
    at: int
    left: int
    reviewed: int
