"""The command ends in one way when it is interrupted, and says what its standard output did not take."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from tests.command_line import Command

LOADING = """
import os, signal, sys

class Interrupted:
    def find_spec(self, name, path, target=None):
        if name == "search.cli.app":
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                for _ in range(int(sys.argv[1])):
                    os.kill(os.getpid(), signal.SIGINT)
                raise ImportError("as some libraries say where they are interrupted") from None

sys.meta_path.insert(0, Interrupted())
from search.cli.start import main
main()
"""


@pytest.mark.parametrize("more", ["0", "4"])
def test_ctrl_c_while_modules_are_loaded_ends_the_process_without_a_word(more: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", LOADING, more]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.heavy
@pytest.mark.parametrize("words", [("--help",), ("knobs", "strategy", "--no-such-option")])
def test_output_that_nobody_reads_or_no_disk_takes_changes_no_exit_code_but_one(words: tuple[str, ...]) -> None:
    reader, abandoned = os.pipe()
    os.close(reader)
    full, usual = os.open("/dev/full", os.O_WRONLY), 2 if "--no-such-option" in words else 0
    with TemporaryFile("w+") as errors:
        assert Command(words, {}, abandoned, errors.fileno()).wait() == usual
        assert Command(words, {}, abandoned, abandoned).wait() == usual
        assert Command(words, {}, full, errors.fileno()).wait() == (usual or 3)
        errors.seek(0)
        said = errors.read()
    assert ("standard output cannot be written (No space left on device): send it elsewhere" in said) is (usual == 0)
    assert "Traceback" not in said
    os.close(abandoned)
    os.close(full)
