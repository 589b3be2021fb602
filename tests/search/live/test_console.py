"""Whoever reads what a command writes may go, or was never there; the work goes on to its end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

WORK = """
import logging, os, sys
from pathlib import Path
from rich.logging import RichHandler
from configs.errors import RunStopped
from search.cli.standard_streams import take_standard_streams
from search.cli.terminal import console, print_out, say
take_standard_streams()
inherited = all(map(os.get_inheritable, range(3)))
logging.basicConfig(handlers=[RichHandler(console=console())])
end = Path(sys.argv[1]).open("w")
told = 0
for number in range(200):
    say(f"line {number}")
    logging.warning("warning %d", number)
    print("something of a library's", file=sys.stderr)
    try:
        print_out({"number": number})
    except RunStopped as error:
        told += 1
end.write(f"done, file {end.fileno() > 2}, told {told}, read {len(sys.stdin.read())}, inherited {inherited}")
"""
FORMS = {
    "closed": ("<&- >&- 2>&-", 0),
    "abandoned": ("2>&1 | true", 0),
    "full": ("> /dev/full 2>&1", 1),
    "only opened to read": ("> /dev/null 1< /dev/null 2<&1", 1),
}


@pytest.mark.parametrize("form", FORMS)
def test_work_goes_on_where_its_output_is_taken_by_nobody_and_is_told_once_where_it_may_be_missed(
    form: str, tmp_path: Path
) -> None:
    redirections, told = FORMS[form]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    command = ["sh", "-c", f'"$0" "$@" {redirections}', sys.executable, "-c", WORK, str(tmp_path / "end")]
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)
    assert (tmp_path / "end").read_text() == f"done, file True, told {told}, read 0, inherited True"


def test_standard_streams_stay_open_whoever_closes_them() -> None:
    program = """
import sys
from search.cli.standard_streams import take_standard_streams
take_standard_streams()
with sys.stdout, sys.stderr:
    print("first")
print("second")
print("third", file=sys.stderr)
"""
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("first\nsecond\n", "third\n")
