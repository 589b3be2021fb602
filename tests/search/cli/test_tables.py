"""Tables on narrow terminals: no word is broken, and nothing is left out."""

from io import StringIO

import pytest
from rich.text import Text

from search.cli.tables import WholeWordTable, facts_grid
from search.live.safe_console import SafeConsole

ADDRESS = "http://127.0.0.1:8000/v1/chat/completions"


def _shown(table: object, columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    file = StringIO()
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    monkeypatch.setenv("NO_COLOR", "1")
    SafeConsole(file=file).print(table)
    return file.getvalue()


@pytest.mark.parametrize("columns", [12, 24, 40, 60, 200])
def test_no_word_of_a_table_is_broken_and_every_cell_is_shown(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    table = WholeWordTable("", "held-out", "gain over base")
    table.add_row("runner-up", "6.25 [3.43, 9.07]", Text("+1.50 [-0.86, +3.86]"))
    table.add_row("base", "[bold]", "")
    words = _shown(table, columns, monkeypatch).replace("\x1b[1m", "").replace("\x1b[0m", "").split()
    assert {"runner-up", "6.25", "[3.43,", "9.07]", "+1.50", "[-0.86,", "+3.86]", "base", "[bold]"} <= {*words}
    assert "..." not in words


@pytest.mark.parametrize("words", [f"{ADDRESS} has no model", f"\x1b[31m{ADDRESS}\x9b\u202e has no model"])
def test_facts_are_whole_however_long_their_words_and_whatever_is_spelled_out(
    words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = facts_grid()
    grid.add_row("state", Text(words))
    shown = "".join(_shown(grid, 40, monkeypatch).split())
    assert ADDRESS in shown
    assert "hasnomodel" in shown
