"""Locks of a run directory: who works on it, changes its notes or removes it is alone in that.

The system gives a lock free when the process that holds it ends, however it ends. The lock of a folder leaves no file
and can be had on a disk that takes no writes, but over a network it keeps out processes of the same machine only.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

from configs.errors import InputError
from search.run_directory.state import read_noted_state

_SECONDS = 2.0  # longer than a status command holds the lock
_SECONDS_OF_NOTES = 10.0
_PAUSE = 0.05  # seconds between two attempts
_FILE = os.O_RDWR | os.O_CREAT  # in a folder that is there: who waits for a run that is removed must not make it again
_FOLDER = os.O_RDONLY | os.O_DIRECTORY


@contextmanager
def working(path: Path) -> Iterator[None]:
    """Work on the run at `path`. Raises InputError where another process does, OSError where no lock can be made."""

    def refusal() -> str:
        owner = read_noted_state(path)
        who = f"process {owner.get('pid')} on {owner.get('host')}"
        return f"another coordinator ({who}) works on {path}: watch it with `demosearch watch {path}`, or stop it first"

    with _held(path / "lock", _FILE, _SECONDS, refusal):
        yield


@contextmanager
def keeping(path: Path) -> Iterator[None]:
    """Use the run at `path`, which nobody removes meanwhile; many may do so at once. Raises InputError where another
    process removes it."""
    refusal = f"another process is removing {path}: choose another run"
    with _or_refused(path, _held(path, _FOLDER, 0, lambda: refusal, fcntl.LOCK_SH)):
        yield


@contextmanager
def removing(path: Path) -> Iterator[None]:
    """Remove the run at `path`. Raises InputError where another process judges its answers anew (`keeping`)."""
    refusal = f"another process judges the answers of {path} anew: wait until it is done, or stop it first"
    with _held(path, _FOLDER, 0, lambda: refusal):
        yield


@contextmanager
def judging(ledger: Path, spend: str) -> Iterator[None]:
    """Pay for verdicts that go into `ledger` under this id of the spend; two who do so would pay for the same ones. The
    lock lies beside the ledger. Raises InputError where another process has it, or it cannot be made."""
    file = ledger.with_name(f"{ledger.name}.judging-{spend[:12]}")
    refusal = "another process has this judge judge the answers of this run: wait until it is done, or stop it first"
    with _or_refused(ledger.parent, _held(file, _FILE, 0, lambda: refusal)):
        try:
            yield
        finally:
            with suppress(OSError):  # each judge has another one
                file.unlink()


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Change what people wrote on the run at `path`; others who do so wait. Raises InputError where that takes too
    long, or the directory cannot be written."""
    refusal = f"{path}: another process is writing notes or reviews; try again when it is done"
    with _or_refused(path, _held(path / "notes.lock", _FILE, _SECONDS_OF_NOTES, lambda: refusal)):
        yield


@contextmanager
def moving_tags(folder: Path) -> Iterator[None]:
    """Change which run of `folder` has a tag; others who do so wait. Raises InputError where that takes too long."""
    refusal = f"{folder}: another process is changing which run has a tag; try again when it is done"
    with _or_refused(folder, _held(folder, _FOLDER, _SECONDS_OF_NOTES, lambda: refusal)):
        yield


@contextmanager
def _held(
    place: Path, flags: int, seconds: float, refusal: Callable[[], str], kind: int = fcntl.LOCK_EX
) -> Iterator[None]:
    until = monotonic() + seconds
    while (descriptor := _tried(place, flags, kind)) is None:
        if monotonic() >= until:
            raise InputError(refusal())
        sleep(_PAUSE)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # also for a child that was forked with it
        os.close(descriptor)


def _tried(place: Path, flags: int, kind: int) -> int | None:
    """A descriptor that has the lock of what is at `place`; None where another process has it."""
    descriptor = os.open(place, flags, 0o666)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), place.stat()):  # else it was removed meanwhile
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


@contextmanager
def _or_refused(path: Path, lock: AbstractContextManager[None]) -> Iterator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(lock)
        except FileNotFoundError:
            raise InputError(f"{path} is gone: another process has removed it") from None
        except OSError as error:
            raise InputError(f"{path} cannot be written ({error.strerror}): make the directory writable") from None
        yield
