"""One benchmark item."""

import json
from dataclasses import asdict, dataclass
from typing import Any

Conversation = tuple[str, ...]
"""What was said so far, by user and model in turn; the user begins, and the last word is the user's."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what belongs to it whatever model answers and whatever judge reads.

    Attributes:
        id: unique within the benchmark, as text.
        turns: what the user says, turn by turn; at least one, none empty.
        category: "" where the benchmark has none.
        references: right answers by turn, None for a turn without; may be shorter than `turns`.
        baseline: another model's answer to the first turn, which answers are compared with.
        judge_fields: JSON of what else its row holds for judge functions, an object; "" where nothing is asked for.
    """

    id: str
    turns: tuple[str, ...]
    category: str = ""
    references: tuple[str | None, ...] = ()
    baseline: str | None = None
    judge_fields: str = ""

    @property
    def query(self) -> str:
        """What is asked first."""
        return self.turns[0]

    def reference(self, turn: int = 0) -> str | None:
        """The right answer to a turn, from 0, where the benchmark has one."""
        return self.references[turn] if turn < len(self.references) else None

    @property
    def fields(self) -> dict[str, Any]:
        """What else its row holds, by the names in `questions.judge_fields`; made anew for each who asks."""
        return _Fields(json.loads(self.judge_fields)) if self.judge_fields else _Fields()

    def to_json(self) -> dict[str, Any]:
        """All of it; what nobody asks for is left out, so that it makes no difference to a key."""
        content = asdict(self)
        if not self.judge_fields:
            del content["judge_fields"]
        return content


class _Fields(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        raise KeyError(f"questions.judge_fields does not name {name!r}")
