"""One prompt under way, from its tokens to its completion."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from workers.prompt import Completion, Decoding
from workers.shared_prefix.detokenizer import Transcript
from workers.shared_prefix.drafts import Drafter, EarlierAnswers


@dataclass(slots=True)
class Request:
    """One prompt under way.

    Attributes:
        job, index: whose answer it is.
        prefix: tokens that the prompts of its block begin with in common; fewer than the prompt has.
        question: tells it from others behind the same prefix.
        generated: tokens generated, the one that ended it included.
        passes: of the model, for these tokens.
        drafted: tokens that were proposed.
        due: tokens that the device computes, and that are not read yet.
        entries: how often the row has entered a batch.
        starts_over: the row is to leave and to enter again, with what it has said so far.
        earlier: what drafts come from; None without drafts.
        drafter: proposes how the answer goes on; None where the question is new.
    """

    job: int
    index: int
    text: str
    prompt: list[int]
    prefix: list[int]
    transcript: Transcript
    finish: Literal["stop", "length"] | None = None
    question: str = ""
    generated: list[int] = field(default_factory=list)
    passes: int = 0
    drafted: int = 0
    due: int = 0
    entries: int = 0
    starts_over: bool = False
    earlier: EarlierAnswers | None = None
    drafter: Drafter | None = None

    @property
    def new_tokens(self) -> int:
        return len(self.generated)

    @property
    def own(self) -> int:
        """Tokens of the prompt behind the prefix."""
        return len(self.prompt) - len(self.prefix)

    def push(self, token: int, decoding: Decoding, ends: Collection[int]) -> None:
        """Take the next token in; `ends` are tokens that end a text."""
        self.generated.append(token)
        if self.drafter is not None:
            self.drafter.follow(token)
        if token in ends or self.transcript.push(token):
            self.finish = "stop"
        elif self.new_tokens == decoding.max_new_tokens:
            self.finish = "stop" if self.transcript.has_stop() else "length"
        if self.finish is not None and self.earlier is not None:
            self.earlier.learn(self.question, self.generated)

    def begin(self) -> None:
        """The row enters a batch, perhaps not for the first time."""
        self.entries += 1
        self.due, self.starts_over = 0, False
        self.drafter = None if self.earlier is None else self.earlier.begin(self.question, self.generated)

    def draft(self, limit: int) -> list[int]:
        """The next tokens by earlier answers, none where those say nothing.

        Args:
            limit: of the answer, in tokens.
        """
        return [] if self.drafter is None else self.drafter.draft(limit - self.new_tokens - 1)

    def completion(self) -> Completion:
        assert self.finish is not None
        return Completion(self.transcript.text(), len(self.prompt), self.new_tokens, self.finish)
