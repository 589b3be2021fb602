"""The journal: what the strategy was told, in order, one JSON line each, behind a line that names the format.

It holds nothing that depends on time or on the order in which workers finish, so that a search that was killed and
resumed leaves the same journal, byte for byte, as one that never was. A resumed search asks its strategy again and
checks every question against these lines; what was told then is told again. The line of an end holds a checksum of all
that stands before it, since nobody replays a search that has ended; line ends that git has changed make no other one.
"""

import difflib
import json
import os
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple
from zlib import crc32

import orjson

from configs.errors import InputError, RunStopped
from configs.text_files import why
from search.problem.trial import ScoredTrial, Side, Trial
from search.run_directory.file_formats import check_version
from search.run_directory.files import Damage
from search.run_directory.records import EndRecord, JournalRecord, TrialRecord, record_from_json

VERSION = 2
_HEADER = json.dumps({"journal": VERSION}).encode() + b"\n"
_UNVERSIONED = (
    "read it with the demosearch that wrote it, or start a new run with its ledger as `ledger_path`, which pays for "
    "nothing twice"
)
_OTHER_END = (
    "\nuse it as it is (report, export), resume with the version it was run with, or start a new run with its ledger "
    "as `ledger_path`, which pays for nothing twice"
)
_CHECKSUM = b',"checksum":'
_ADVICE = "\nresume with the versions and data the run was started with, or start a new run"


class OtherEnd(InputError):
    """A search that has ended would end with another winner or runner-up in this version."""


class StoredRecord(NamedTuple):
    """A record and where its line stands in the file: its first byte, and the first one behind it."""

    start: int
    stop: int
    record: JournalRecord


class Journal:
    """The journal at `path`, opened for appending; a line torn by a crash is cut off when the next one is written.

    Args:
        checked: every record has a checksum of all that stands before it, not that of the end alone.

    Attributes:
        has_ended: an earlier process has brought the search to its end.

    Raises:
        InputError: it has another format, or a line of it cannot be read.
        RunStopped: the disk does not take its first line.
    """

    def __init__(self, path: Path, *, checked: bool = False) -> None:
        self._path = path
        self._checked = checked
        self._position = 0
        self._in_use = Lock()  # nothing is written to a file that another thread closes meanwhile
        self._bounds = array("q", [0])  # bytes between which the records stand, after the first one is known
        self.has_ended = False
        self._is_cut = False  # from memory, and not yet on disk
        self._checksum = crc32(_HEADER)  # of the lines before the position
        for stored in read_records(path):
            self.has_ended = isinstance(stored.record, EndRecord)
            self._bounds[-1] = stored.start
            self._bounds.append(stored.stop)
        self._file = path.open("a+b", buffering=0)
        self._is_cut = path.stat().st_size > self._bounds[-1]
        if not self._bounds[-1]:
            self._write(_HEADER)

    def is_recorded(self, position: int) -> bool:
        """Whether an earlier process left a record at this position, from 0."""
        return position + 1 < len(self._bounds)

    def recorded(self, position: int) -> JournalRecord | None:
        """The record at this position, from 0, as an earlier process left it; None beyond its end."""
        line = self._line(position)
        return None if line is None else _parse(line, f"{self._path}, line {position + 2}")

    def _line(self, position: int) -> bytes | None:
        if not self.is_recorded(position):
            return None
        start, stop = self._bounds[position : position + 2]
        return _as_written(os.pread(self._file.fileno(), stop - start, start))

    def go_to_end(self) -> None:
        """Go behind what earlier processes recorded: the next record is a new one."""
        while (line := self._line(self._position)) is not None:
            self._position += 1
            self._checksum = crc32(line, self._checksum)

    def forget_from(self, position: int) -> None:
        """Forget what earlier processes recorded at this position and behind it: the search takes another path from
        here on. The file is cut when its next record is written, and not before."""
        if self.is_recorded(position):
            del self._bounds[position + 1 :]
            self._is_cut = True

    def append(self, record: JournalRecord, *, goes_on: bool = False) -> None:
        """Write a record durably, or check it against the one written before. Where both are the end, with the same
        winner and runner-up, the recorded one stays, whatever numbers this version computes from the same scores.

        Args:
            goes_on: an end behind which the search was extended; the recorded one stays, whoever wins now.

        Raises:
            OtherEnd: both are the end, and differ.
            InputError: it differs from the one written before.
            RunStopped: the disk does not take it.
        """
        line, before = self._encode(record), self._line(self._position)
        then = None if before in (None, line) else self.recorded(self._position)
        self._position += 1
        self._checksum = crc32(line if before is None else before, self._checksum)
        if before is None:
            self._write(line)
        elif then is not None and not (goes_on and isinstance(then, EndRecord)):
            _refuse_another(then, record)

    def _encode(self, record: JournalRecord) -> bytes:
        line = json.dumps(record.to_json(), ensure_ascii=False, separators=(",", ":")).encode().removesuffix(b"}")
        if self._checked or isinstance(record, EndRecord):
            line += _CHECKSUM + str(crc32(line, self._checksum)).encode()
        return line + b"}\n"

    def _write(self, text: bytes) -> None:
        with self._in_use:
            self._write_alone(text)

    def _write_alone(self, text: bytes) -> None:
        try:
            if self._is_cut:
                self._file.truncate(self._bounds[-1])
                os.fsync(self._file.fileno())  # before what follows: else a crash may leave some of both
                self._is_cut = False
            end = self._file.seek(0, os.SEEK_END)
            if self._file.write(text) < len(text):
                self._file.truncate(end)
                raise OSError("the disk is full")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise RunStopped(
                f"the journal cannot be written ({why(error)}): free some disk space, then go on"
            ) from error

    def close(self) -> None:
        """Give the file back, when what another thread writes is there. Idempotent."""
        with self._in_use:
            self._file.close()


def _refuse_another(then: JournalRecord, now: JournalRecord) -> None:
    """Raises InputError where the record now is none that may stand for the one then; see `Journal.append`."""
    if isinstance(then, EndRecord) and isinstance(now, EndRecord):
        if _chosen(then) == _chosen(now):
            return
        difference = _diff(_chosen(then), _chosen(now))
        raise OtherEnd(
            f"from the scores in the journal, this version makes another choice at the end of the search:\n"
            f"{difference}{_OTHER_END}"
        )
    difference = _diff(then.to_json(), now.to_json())
    raise InputError(f"this search differs from its journal:\n{difference}{_ADVICE}")


def _chosen(end: EndRecord) -> dict[str, Any]:
    runner_up = None if end.runner_up is None else end.runner_up.to_json()
    return {"winner": end.winner.to_json(), "runner_up": runner_up}


def read_journal(path: Path | str) -> Iterator[JournalRecord]:
    """Every whole record, one at a time, also while another process writes; none where there is no journal.

    Raises:
        InputError: it has another format, or a line of it cannot be read.
    """
    return (stored.record for stored in read_records(Path(path)))


def read_records(path: Path, offset: int = 0, *, with_keys: bool = True) -> Iterator[StoredRecord]:
    """The whole records behind this byte, at which an earlier one has ended; all of them behind byte 0.

    Args:
        with_keys: also read the keys of answers, which are most of a line.

    Raises:
        InputError: as `read_journal`.
    """
    if not path.exists():
        return
    first, checksum = offset, 0
    with path.open("rb") as file:
        file.seek(first)
        for number, line in enumerate(iter(file.readline, b""), start=1):
            start, offset = offset, offset + len(line)
            if not line.endswith(b"\n") or (b"\0" in line and not file.peek(1)):
                return  # torn by a crash: its end, or some of its sectors, never reached the disk
            place = f"{path}, line at byte {start}" if first else f"{path}, line {number}"
            content = _load(line, place)
            if start:
                record = _read(content, place, with_keys=with_keys)
                if not first and "checksum" in content:
                    _check_all_before(line, content["checksum"], checksum, place)
                yield StoredRecord(start, offset, record)
            else:
                _check_header(content, path)
            checksum = crc32(_as_written(line), checksum)


def read_record_at(path: Path, start: int) -> JournalRecord:
    """The record whose line begins at this byte. Raises InputError where it cannot be read."""
    with path.open("rb") as file:
        file.seek(start)
        return _parse(file.readline(), f"{path}, line at byte {start}")


def replayed(side: Side, record: JournalRecord, trial: Trial) -> ScoredTrial:
    """What the record says of the trial that is asked now, in its order of questions.

    Raises:
        InputError: the record is about another candidate, or about other questions.
    """
    if isinstance(record, TrialRecord):
        asked = record.scored.trial.questions
        then = record.scored.trial
        subject = record.side, record.candidate, then.again, then.screening
        if subject == (side, trial.candidate, trial.again, trial.screening) and {*asked} == {*trial.questions}:
            return replace(record.scored, trial=trial)
        before = _asked(record.side, record.scored.trial)
    else:
        before = record.to_json()
    difference = _diff(before, _asked(side, trial))
    raise InputError(f"this search takes a different path from the one in its journal:\n{difference}{_ADVICE}")


def _asked(side: Side, trial: Trial) -> dict[str, Any]:
    asked = {side: trial.candidate.to_json(), "questions": sorted(trial.questions)}
    return asked | ({"screening": True} if trial.screening else {})


def _as_written(line: bytes) -> bytes:
    """A line whose end git, or an editor, may have changed."""
    return line.replace(b"\r\n", b"\n")


def _parse(line: bytes, place: str) -> JournalRecord:
    return _read(_load(line, place), place)


def _read(content: Any, place: str, *, with_keys: bool = True) -> JournalRecord:
    try:
        return record_from_json(content, with_keys=with_keys)
    except Damage as error:
        raise _damaged(place, str(error)) from None
    except ValueError:
        raise _damaged(place, "it is neither a trial nor the end") from None


def _load(line: bytes, place: str) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        raise _damaged(place, "it is not JSON") from None


def _damaged(place: str, reason: str) -> InputError:
    return InputError(f"{place} is damaged ({reason}): restore the file from a copy")


def _check_all_before(line: bytes, checksum: Any, of_lines: int, place: str) -> None:
    """Raises InputError where this line, up to its checksum, or those before it, which have the other one, are not
    those that were written."""
    if crc32(line.rpartition(_CHECKSUM)[0], of_lines) != checksum:
        raise _damaged(place, "it, or a line before it, is not what was written")


def _check_header(content: Any, path: Path) -> None:
    version = content.get("journal") if isinstance(content, dict) else None
    check_version(path, "journals", version, VERSION, _UNVERSIONED)


def _diff(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    before, after = (json.dumps(line, indent=1, ensure_ascii=False).splitlines() for line in (then, now))
    return "\n".join(difflib.unified_diff(before, after, "journal", "now", lineterm="", n=1))
