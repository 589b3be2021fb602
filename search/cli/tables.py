"""Tables that are whole at any width."""

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

_LONGEST = 24
"""Characters of a word that a column must hold; longer ones (addresses, paths) may be broken."""


class WholeWordTable(Table):
    """A table without lines; where its words are wider than the terminal, each row takes a line for every cell.

    Args:
        gap: on each side of a column.
    """

    def __init__(self, *columns: str | Text, gap: int = 2, header_style: str = "bold") -> None:
        super().__init__(box=None, padding=(0, gap), header_style=header_style)
        self._gap = gap
        for column in columns:
            self.add_column(column, overflow="fold")

    def add_row(
        self, *renderables: RenderableType | None, style: StyleType | None = None, end_section: bool = False
    ) -> None:
        """Words are shown as they are: brackets in them are no markup."""
        cells = (Text(cell) if isinstance(cell, str) else cell for cell in renderables)
        super().add_row(*cells, style=style, end_section=end_section)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        least = sum(_longest_word([column.header, *column.cells]) + 2 * self._gap for column in self.columns)
        if least <= options.max_width:
            yield from super().__rich_console__(console, options)  # type: ignore[misc]
            return
        for row in zip(*(column.cells for column in self.columns), strict=True):
            for at, (column, cell) in enumerate(zip(self.columns, row, strict=True)):
                if words := str(cell):
                    head = f"{column.header}: " if str(column.header) else ""
                    yield Text(f"{'  ' * bool(at)}{head}{words}")


def facts_grid() -> Table:
    """Names on the left, and words on the right of which none is cut."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(overflow="fold")
    return grid


def _longest_word(cells: list[RenderableType]) -> int:
    return min(_LONGEST, max((cell_len(word) for cell in cells for word in str(cell).split()), default=0))
