"""A report as sections of blocks, which HTML and Markdown each write in their own way.

Words are plain text; in `Paragraph`, `Facts` and `Bullets`, backticks mark code.
"""

from dataclasses import dataclass

from evaluators.question import Question
from search.report.numbers import NOTHING, Numbers, count
from search.report.side_by_side import ShownAnswer
from search.statistics.estimates import Estimate


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph. A note is smaller print."""

    words: str
    is_note: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section."""

    words: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """Points of a list, each with what it is about, or ""."""

    points: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with what is so."""

    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """The place of the picture with this name; nothing where there is none."""

    name: str


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Words of others, as they are."""

    words: str


@dataclass(frozen=True, slots=True)
class Exchanges:
    """A demonstration: a query and its answer, turn by turn."""

    title: str
    turns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What several prompts led to on one question.

    Attributes:
        gain: of the second over the first, with its sign; "" where there are more than two.
        answers: by prompt, its score and its answers.
    """

    question: Question
    gain: str
    answers: tuple[tuple[str, str, ShownAnswer], ...]

    @property
    def asked(self) -> tuple[str, ...]:
        """The turns that were answered."""
        return self.question.turns[: max(len(answer.answers) for *_, answer in self.answers)]


@dataclass(frozen=True, slots=True)
class TableCell:
    """A cell of a table.

    Attributes:
        remarks: in smaller print.
        value: what the column is sorted by, where it holds numbers; None stays at the end.
        tag: what marks the row; "" for nothing.
    """

    words: str
    remarks: tuple[str, ...] = ()
    value: float | None = None
    is_strong: bool = False
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column: of numbers, sorted from the largest unless it `rises`, or of words."""

    title: str
    has_numbers: bool = True
    rises: bool = False


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table.

    Attributes:
        label: its name for who does not see it, and in the page.
        chosen: numbers of the rows that stand out.
        is_long: it may be cut, scrolls down, and is sorted also where there is no room for its columns.
    """

    label: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    chosen: frozenset[int] = frozenset()
    is_long: bool = False


@dataclass(frozen=True, slots=True)
class Folded:
    """What a page shows on demand, and Markdown leaves out."""

    title: str
    blocks: tuple["Block", ...]


Block = Paragraph | Heading | Bullets | Facts | Figure | Verbatim | Exchanges | SideBySide | ReportTable | Folded


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading.

    Attributes:
        anchor: in the page's address.
        short: its title in the list of contents.
    """

    anchor: str
    title: str
    short: str
    blocks: tuple[Block, ...]


def estimate_cell(numbers: Numbers, value: Estimate | None, *, signed: bool = False, with_n: bool = True) -> TableCell:
    """A mean with its interval."""
    if value is None:
        return TableCell(NOTHING)
    words = (numbers.gain if signed else numbers.score)(value.mean)
    inside = numbers.interval(value, signed) or "no interval"
    failed = (f"{value.failed} failed",) if with_n and value.failed else ()
    return TableCell(words, (f"{inside}, n = {value.n}" if with_n else inside, *failed), value.mean)


def number_cell(value: float | None, form: str = "") -> TableCell:
    """A number, as a whole one unless a format is given."""
    if value is None:
        return TableCell(NOTHING)
    return TableCell(format(value, form).replace("-", "−") if form else count(value), value=value)


def words_column(title: str) -> Column:
    return Column(title, has_numbers=False)
