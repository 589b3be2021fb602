"""Two texts as one, word by word: what stays, what goes, what comes."""

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_WORDS = 4_000  # of both together: beyond, matching takes seconds


class Span(NamedTuple):
    """A stretch of text that is in both, only in the first ("gone") or only in the second ("new")."""

    kind: Literal["same", "gone", "new"]
    text: str


def word_diff(first: str, second: str) -> list[Span]:
    """The stretches that lead from the first text to the second, in order."""
    before, after = _WORDS.findall(first), _WORDS.findall(second)
    if len(before) + len(after) > _MOST_WORDS:
        return [Span("same", first)] if first == second else [Span("gone", first), Span("new", second)]
    spans = []
    for tag, begin, end, start, stop in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old, new = "".join(before[begin:end]), "".join(after[start:stop])
        if tag == "equal":
            spans.append(Span("same", old))
            continue
        spans += [Span("gone", old)] if old else []
        spans += [Span("new", new)] if new else []
    return spans
