"""What one worker holds: pieces that run, and pieces that wait behind them."""

from dataclasses import dataclass, field

from workers.prompt import Decoding
from workers.worker_group.piece import Piece


@dataclass(slots=True)
class Start:
    """The start of a piece at one worker.

    Attributes:
        since: in seconds.
        owed: suffixes that the piece had to answer then.
        company: suffixes that ran at the worker at the same time at most, these included.
    """

    since: float
    owed: int
    company: int = 0


@dataclass(slots=True)
class WorkQueue:
    """The pieces that one worker has been given.

    Attributes:
        pieces: in the order given; the first runs.
        starts: of the pieces that run, in the order begun.
        withdrawing: a waiting piece, while it is being asked back.
        recalled: the first piece is a copy that is being called back.
    """

    pieces: list[Piece] = field(default_factory=list)
    starts: dict[Piece, Start] = field(default_factory=dict)
    withdrawing: Piece | None = None
    recalled: bool = False

    @property
    def waiting(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece not in self.starts]

    @property
    def owed(self) -> int:
        """Suffixes that the pieces which run have not answered yet."""
        return sum(len(piece.unanswered) for piece in self.starts)

    @property
    def may_run(self) -> list[Piece]:
        """The pieces that run, and those that may have joined them: that they began is told a moment later."""
        joinable = [piece.task for piece in self.starts if isinstance(piece.task, Decoding)]
        return [piece for piece in self.pieces if piece in self.starts or piece.task in joinable]

    def begin(self, piece: Piece, now: float) -> None:
        """Mark the piece as running, unless it does already or is not here any more."""
        if piece in self.pieces and piece not in self.starts:
            self.starts[piece] = Start(now, len(piece.unanswered))
            for start in self.starts.values():
                start.company = max(start.company, self.owed)

    def has_room(self, worker: int, small_suffixes: int) -> bool:
        """Whether the worker may get one more piece: never behind a copy or a suspect; behind more than one only where
        what it holds can be decoded together and has less than `small_suffixes` suffixes."""
        held = self.pieces
        if any(piece.suspect or piece.is_copy(worker) for piece in held):
            return False
        alike = all(isinstance(piece.task, Decoding) and piece.task == held[0].task for piece in held)
        return len(held) < 2 or (alike and sum(len(piece.unanswered) for piece in held) < small_suffixes)
