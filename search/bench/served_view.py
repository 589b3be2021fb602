"""`demosearch view` in a process of its own, for what measures or photographs it."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any


class ServedView:
    """The runs of a folder, served.

    Args:
        editing: whether its pages may edit; then only who has opened `entry` gets any.

    Attributes:
        home: address of the first page.
        entry: the same, with the token where there is one.
    """

    def __init__(self, folder: Path, *, editing: bool = False) -> None:
        access = "--edit" if editing else "--no-token"
        command = [sys.executable, "-m", "search", "view", str(folder), "--port", "0", access]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        addresses = re.findall(r"http://\S+", line)
        if not addresses:
            raise RuntimeError(f"the view does not start: {line}")
        self.entry = addresses[0]
        self.home = self.entry.partition("?")[0]

    def read(self, address: str) -> bytes:
        """A page."""
        with urllib.request.urlopen(self.home + address) as reply:  # noqa: S310 -- our own server
            content: bytes = reply.read()
        return content

    def json(self, address: str) -> Any:
        """A page of answers as rows."""
        return json.loads(self.read(f"{address}&as=json"))

    def cpu(self) -> float:
        """Processor seconds until now, in steps of a hundredth."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate()
