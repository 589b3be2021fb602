"""Log lines are as long as what they say, and steer nothing."""

import logging
import re
from io import StringIO

from search.live.log_handler import log_handler
from search.live.safe_console import SafeConsole


def logged(message: str) -> str:
    file = StringIO()
    log_handler(SafeConsole(file=file)).handle(logging.LogRecord("search", logging.INFO, "", 0, message, (), None))
    return file.getvalue()


def test_a_message_is_a_line_with_its_time_where_there_is_no_terminal() -> None:
    line = logged("worker 2 of 2 is [ready] " + 100 * "wide ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO worker 2 of 2 is \[ready\] (wide ){100}\n", line)


def test_escape_sequences_in_a_message_are_spelled_out() -> None:
    assert "\x1b" not in logged("red \x1b[31m")
