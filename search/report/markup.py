"""Markdown that means nothing but what it says, whatever a model, a judge or a data set said."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from search.report.numbers import NOTHING, Numbers
from search.report.side_by_side import ShownAnswer
from search.statistics.estimates import Estimate

_SPECIAL = re.compile(r"([\\`*_|\[\]~#])")


def with_interval(numbers: Numbers, value: Estimate | None, signed: bool = False, with_n: bool = True) -> str:
    """`4.56 (4.09 to 5.03, n = 48)`."""
    if value is None:
        return NOTHING
    write = numbers.gain if signed else numbers.score
    inside = [numbers.interval(value, signed) or "no interval"]
    inside += [f"n = {value.n}"] if with_n else []
    inside += [f"{value.failed} failed"] if with_n and value.failed else []
    return f"{write(value.mean)} ({', '.join(inside)})"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells must be escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(words: str) -> str:
    """One line that means nothing but itself."""
    return _escaped(" ".join(words.split()))


def _escaped(words: str) -> str:
    return _SPECIAL.sub(r"\\\1", html.escape(words, quote=False))


def code_spans(words: str) -> Iterator[tuple[str, bool]]:
    """The parts of a line in turn, and whether they stand in backticks."""
    for number, part in enumerate(re.split(r"`([^`]+)`", " ".join(words.split()))):
        if part:
            yield part, number % 2 == 1


def coded(words: str) -> str:
    """One line, in which backticks mark code and all else means itself."""
    return "".join(f"`{part}`" if is_code else _escaped(part) for part, is_code in code_spans(words))


def fenced(words: str) -> str:
    """Words as they are, behind a fence longer than any in them."""
    longest = max((len(run) for run in re.findall(r"`+", words)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{words}\n{fence}"


def spoken(answer: ShownAnswer) -> Iterator[str]:
    """Answers, and what the judge said of the last one."""
    yield from map(fenced, answer.answers)
    for words in answer.words:
        yield "judge:"
        yield fenced(words)
