"""Locks of a run directory: who works on it, judges its answers anew or changes its notes is alone in that.

The system gives a lock free when the process that holds it ends, however it ends.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from configs.errors import InputError
from search.run_directory.state import read_noted_state

_SECONDS = 2.0  # longer than a status command holds the lock
_SECONDS_OF_NOTES = 10.0


@contextmanager
def working(path: Path) -> Iterator[None]:
    """Work on the run at `path`. Raises InputError where another process does, OSError where no lock can be made."""

    def refusal() -> str:
        owner = read_noted_state(path)
        who = f"process {owner.get('pid')} on {owner.get('host')}"
        return f"another coordinator ({who}) works on {path}: watch it with `demosearch watch {path}`, or stop it first"

    with _held(path / "lock", _SECONDS, refusal):
        yield


@contextmanager
def judging_anew(path: Path) -> Iterator[None]:
    """Judge the answers of the run at `path` anew: two who do so would pay for the same verdicts. Raises InputError
    where another process does, or the directory cannot be written."""
    refusal = f"another process judges the answers of {path} anew: wait until it is done, or stop it first"
    with _held_or_told(path, "rejudge.lock", 0, refusal):
        yield


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Change what people wrote on the run at `path`, or which run of the folder at `path` has a tag alone; others who
    do so wait. Raises InputError where that takes too long, or the directory cannot be written."""
    refusal = f"{path}: another process is writing notes or reviews; try again when it is done"
    with _held_or_told(path, "notes.lock", _SECONDS_OF_NOTES, refusal):
        yield


@contextmanager
def _held(file: Path, seconds: float, refusal: Callable[[], str]) -> Iterator[None]:
    from filelock import FileLock  # noqa: PLC0415 -- it takes asyncio, which who only reads does without

    lock = FileLock(file)
    try:
        lock.acquire(timeout=seconds)
    except TimeoutError:
        raise InputError(refusal()) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _held_or_told(path: Path, name: str, seconds: float, refusal: str) -> Iterator[None]:
    with ExitStack() as lock:
        try:
            lock.enter_context(_held(path / name, seconds, lambda: refusal))
        except FileNotFoundError:
            raise InputError(f"{path} is gone: another process has removed it") from None
        except OSError as error:
            raise InputError(f"{path} cannot be written ({error.strerror}): make the directory writable") from None
        yield
