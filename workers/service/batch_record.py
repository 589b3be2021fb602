"""A record of the requests in each batch, on disk before anyone waits for them.

A folder with `batches.jsonl`, one line an event, each durable before the next step is taken, and for every batch that
is over its answers in `<mark>.jsonl`. The mark is also in the batch's metadata at the service, so that a batch whose
submission was interrupted before its name came back is found there.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from configs.atomic_file import write_whole
from configs.errors import InputError

Event = dict[str, Any]


@dataclass
class ServiceBatch:
    """One batch.

    Attributes:
        mark: its name here.
        requests: the custom ids of its requests.
        name: its name at the service; None while that is not known.
        submitted: seconds since 1970.
        over: nothing further will come of it.
    """

    mark: str
    requests: tuple[str, ...]
    submitted: float
    name: str | None = None
    over: bool = False


@dataclass
class BatchRecord:
    """The batches that were submitted to a service, in a journal on disk.

    Args:
        folder: made when the first batch is.

    Raises:
        InputError: what is there is damaged.
    """

    folder: Path
    _batches: dict[str, ServiceBatch] = field(default_factory=dict)
    _of_request: dict[str, ServiceBatch] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._journal = self.folder / "batches.jsonl"
        for number, line in enumerate(self._whole_lines(), 1):
            try:
                self._apply(line)
            except (KeyError, TypeError):
                raise _damaged(f"{self._journal}, line {number}") from None

    def holding(self, request: str) -> ServiceBatch | None:
        """The batch that this request is in, or was answered in."""
        return self._of_request.get(request)

    def intend(self, mark: str, requests: Sequence[str], now: float) -> ServiceBatch:
        """A batch is about to be submitted."""
        self._keep({"event": "intended", "mark": mark, "requests": list(requests), "at": now})
        return self._batches[mark]

    def name(self, batch: ServiceBatch, name: str) -> None:
        """The service has taken it, under this name."""
        self._keep({"event": "submitted", "mark": batch.mark, "name": name})

    def end(self, batch: ServiceBatch, answers: Sequence[Event]) -> None:
        """End a batch; requests without an answer may be asked anew."""
        answered = {line["custom_id"] for line in answers}
        text = "".join(json.dumps(line) + "\n" for line in answers)
        write_whole(self._answers(batch), text)
        lost = [request for request in batch.requests if request not in answered]
        self._keep({"event": "ended", "mark": batch.mark, "lost": lost})

    def answers(self, batch: ServiceBatch) -> list[Event]:
        """What came of a batch that is over."""
        path = self._answers(batch)
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}): restore the file from a copy") from None
        return [_event(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line]

    def _answers(self, batch: ServiceBatch) -> Path:
        return self.folder / f"{batch.mark}.jsonl"

    def _apply(self, line: Event) -> None:
        mark = line["mark"]
        if line["event"] == "intended":
            batch = ServiceBatch(mark, tuple(line["requests"]), line["at"])
            self._batches[mark] = batch
            self._of_request |= dict.fromkeys(batch.requests, batch)
        elif line["event"] == "submitted":
            self._batches[mark].name = line["name"]
        else:
            self._batches[mark].over = True
            for request in line["lost"]:
                if self._of_request.get(request) is self._batches[mark]:
                    del self._of_request[request]

    def _keep(self, line: Event) -> None:
        self._append(json.dumps(line) + "\n")
        self._apply(line)

    def _append(self, text: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _whole_lines(self) -> list[Event]:
        """A last line that a crash cut short is taken off the file: the step it announced was not taken."""
        if not self._journal.exists():
            return []
        content = self._journal.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with self._journal.open("r+b") as file:
                file.truncate(len(whole))
        return [
            _event(line, f"{self._journal}, line {number}") for number, line in enumerate(whole.split(b"\n")[:-1], 1)
        ]


def _event(line: bytes, place: str) -> Event:
    """The object in a line that was written here. Raises InputError where it was damaged."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise _damaged(place)
    return event


def _damaged(place: str) -> InputError:
    return InputError(f"{place} is damaged (it is not a record of a batch): restore the file from a copy")
