"""The one door to a terminal: nothing that a file, a model, a judge or a service says can steer it."""

import os
from collections.abc import Iterable
from typing import IO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from search.results.printable import printable

_WIDE = 400  # columns where there is no terminal: a table in a file or pipe is never cut


class SafeConsole(Console):
    """A console that prints what is `printable`, and that is wide where it is no terminal."""

    def __init__(self, *, stderr: bool = False, file: IO[str] | None = None) -> None:
        super().__init__(stderr=stderr, file=file)
        if not self.is_terminal and not self.is_jupyter:
            self._width = max(_WIDE, int(width) if (width := os.environ.get("COLUMNS", "")).isdecimal() else 0)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        if isinstance(renderable, str):
            renderable = printable(renderable)
        elif isinstance(renderable, Text) and (shown := printable(renderable.plain)) != renderable.plain:
            renderable = renderable.blank_copy(shown)  # before lines are cut
        for segment in super().render(renderable, options):
            text = segment.text
            if segment.control or text.isprintable():
                yield segment
            else:
                yield Segment(printable(text), segment.style)
