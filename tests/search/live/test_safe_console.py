"""Nothing that is printed steers a terminal, and no table is cut where there is none."""

from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from search.live.safe_console import SafeConsole
from search.results.printable import printable


@given(st.text(st.characters()))
def test_what_is_printed_holds_no_control_character_but_line_ends(text: str) -> None:
    shown = printable(text)
    assert not [character for character in shown if ord(character) < 32 and character not in "\n\t"]
    assert "\x7f" not in shown
    assert "\x9b" not in shown
    assert "\u202e" not in shown
    shown.encode()


def test_escape_sequences_in_tables_and_texts_are_spelled_out() -> None:
    file = StringIO()
    table = Table("id")
    table.add_row(Text("\x1b[31mred\x1b]0;title\x07"))
    SafeConsole(file=file).print(table, "plain \x1b[2J")
    assert "\x1b" not in file.getvalue()
    assert "\x07" not in file.getvalue()
    assert "\\x1b[31mred" in file.getvalue()


def test_a_wide_table_is_whole_where_there_is_no_terminal() -> None:
    file, table = StringIO(), Table(box=None)
    for _ in range(6):
        table.add_column("x" * 30, no_wrap=True)
    table.add_row(*["1.00 [0.50, 1.50] of everything"] * 6)
    SafeConsole(file=file).print(table)
    assert "…" not in file.getvalue()
    assert file.getvalue().count("everything") == 6
