"""The keys under which the ledger holds an evaluation, so that nobody renders a prompt to find its answer."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Self

MemberKeys = tuple[tuple[bytes, ...], ...]
"""Keys of the verdicts on one answer, by panel member and repeat."""


@dataclass(frozen=True, slots=True)
class AnswerKeys:
    """Keys of one question's answers behind one prompt, and of the verdicts on them.

    Attributes:
        generations: keys of the completions, by turn.
        verdicts: by turn, as many as there are generations; empty for a turn that the objective does not weigh.
    """

    generations: tuple[bytes, ...]
    verdicts: tuple[MemberKeys, ...]

    def to_text(self) -> str:
        """Base64 without padding, 43 characters a key: `generation:verdict,repeat|member` for each turn, turns parted
        by semicolons."""
        turns = zip(self.generations, self.verdicts, strict=True)
        return ";".join(f"{_text(generation)}:{_members_text(members)}" for generation, members in turns)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The inverse of `to_text`. Raises ValueError where the text is none that it wrote."""
        turns = [turn.partition(":") for turn in text.split(";")]
        return cls(
            tuple(_key(generation) for generation, _, _ in turns),
            tuple(_members(members) for _, _, members in turns),
        )


def _members_text(members: MemberKeys) -> str:
    return "|".join(",".join(map(_text, repeats)) for repeats in members)


def _members(text: str) -> MemberKeys:
    return tuple(tuple(map(_key, repeats.split(","))) for repeats in text.split("|")) if text else ()


def _text(key: bytes) -> str:
    return urlsafe_b64encode(key).rstrip(b"=").decode("ascii")


def _key(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
