"""What a worker says of its jobs."""

from dataclasses import dataclass

from workers.prompt import Answer


@dataclass(frozen=True, slots=True)
class Begun:
    """The engine works on the job; it cannot be taken back any more."""

    job: int


@dataclass(frozen=True, slots=True)
class Answered:
    """Suffix `index` of the job's block has its answer, after so many passes of the model, to which so many tokens were
    proposed; 0 where nobody counts."""

    job: int
    index: int
    answer: Answer
    passes: int = 0
    drafted: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """The last word on a job: it is complete, was given up, or failed with `error`."""

    job: int
    error: BaseException | None = None


Message = Begun | Answered | Ended
