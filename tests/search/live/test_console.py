"""Whoever reads what a command writes may go; the work goes on to its end."""

import os
import subprocess
import sys
from pathlib import Path

WORK = """
import logging, sys
from pathlib import Path
from rich.logging import RichHandler
from search.cli.terminal import console, print_out, say
logging.basicConfig(handlers=[RichHandler(console=console())])
for number in range(200):
    say(f"line {number}")
    logging.warning("warning %d", number)
    if number:
        print("something of a library's", file=sys.stderr)
    print_out({"number": number})
Path(sys.argv[1]).write_text("done")
"""
QUIETER = WORK.replace("if number:", "if False:")


def work(program: str, end: Path, stderr: int, stdout: int) -> str:
    command, environment = [sys.executable, "-c", program, str(end)], os.environ | {"PYTHONPATH": str(Path.cwd())}
    subprocess.run(command, env=environment, stderr=stderr, stdout=stdout, check=False)
    return end.read_text()


def pipe_without_reader() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def test_work_goes_on_when_nobody_reads_its_output_any_more(tmp_path: Path) -> None:
    writer = pipe_without_reader()
    assert work(WORK, tmp_path / "end", stderr=writer, stdout=writer) == "done"
    os.close(writer)


def test_progress_that_no_disk_takes_does_not_end_the_work(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    assert work(QUIETER, tmp_path / "end", stderr=full, stdout=subprocess.DEVNULL) == "done"
    os.close(full)
