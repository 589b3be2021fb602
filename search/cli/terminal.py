"""What commands print, write and say."""

import errno
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from configs.atomic_file import write_whole
from configs.errors import INTERRUPTED, STOPPED, InputError, RunStopped
from search.live.console import ProgressConsole
from search.live.safe_console import SafeConsole
from search.results.printable import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from search.forecast.forecast import RunForecast
    from search.results.status import Status


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_STANDARD_OUTPUT = (Path("/dev/stdout"), Path("/dev/fd/1"), Path("/proc/self/fd/1"))


def print_out(content: "dict[str, Any] | RenderableType") -> None:
    """Print on standard output."""
    if isinstance(content, dict):
        write_out(json.dumps(content, indent=1) + "\n")
        return
    output = SafeConsole()
    if output.is_terminal:
        output.print(content)
        return
    with output.capture() as captured:
        output.print(content)
    write_out("\n".join(line.rstrip() for line in captured.get().split("\n")))  # tables fill their last column


def write_out(text: str) -> None:
    """Write text on standard output: as it is into a file or pipe, without what could steer a terminal into one."""
    sys.stdout.write(printable(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def console() -> ProgressConsole:
    return ProgressConsole()


def say(text: str) -> None:
    console().print(text, highlight=False, markup=False, soft_wrap=True)


def show_status(status: "Status", path: Path, as_json: bool) -> None:
    from search.cli.status_table import status_view  # noqa: PLC0415 -- rich

    print_out(status.to_json() if as_json else status_view(status, path))


def show_forecast(forecast: "RunForecast", as_json: bool) -> None:
    from search.cli.forecast_table import forecast_view  # noqa: PLC0415 -- rich

    print_out(forecast.to_json() if as_json else forecast_view(forecast))


def write(path: Path, text: str) -> None:
    """Write what was asked for; a file that is there already stays as it is where the disk does not take the new one.

    Raises:
        InputError: it cannot be written.
    """
    if path in _STANDARD_OUTPUT:  # not opened anew: a socket cannot be, and a file would be replaced
        write_out(text)
        return
    try:
        if path.parent.is_dir() and (path.is_file() or not path.exists()):
            write_whole(path.resolve(), text)
        else:  # a pipe or a device; or a mistake, which this tells of
            path.write_text(text, encoding="utf-8")
    except (OSError, RunStopped) as error:
        reason = error.__cause__ if isinstance(error.__cause__, OSError) else error
        raise InputError(
            f"{path} cannot be written ({getattr(reason, 'strerror', None) or reason}): choose another --output"
        ) from None
    say(f"written: {path}")


@contextmanager
def continuable(path: Path, continuation: str) -> Iterator[None]:
    """End the command where the work in the directory `path` is interrupted or stops, and say how this command goes on:
    an error says what to mend before. It names the directory as the user did."""
    place = path.absolute()  # a judge function may change the working directory
    try:
        yield
    except KeyboardInterrupt:
        say(f"interrupted; go on with {continuation}" if _has_begun(place) else "interrupted before the run started")
        raise typer.Exit(INTERRUPTED) from None
    except InputError as error:
        raise InputError(_as_named(str(error), place, path)) from None
    except (RunStopped, OSError) as error:
        stop = full_disk(error) if isinstance(error, OSError) else error
        say(_as_named(f"demosearch: {stop}", place, path))
        if _has_begun(place) and stop.may_go_on:
            say(f"stopped; go on with {continuation}")
        raise typer.Exit(STOPPED) from None


def full_disk(error: OSError) -> RunStopped:
    """What a disk that takes no writes means for a command. Raises the error itself where it is another."""
    if error.errno not in _FULL and "temporary directory" not in str(error):
        raise error
    return RunStopped(f"the disk takes no writes ({error.strerror}): free some space, or name another in TMPDIR")


def _as_named(text: str, place: Path, path: Path) -> str:
    """The text with `path` for the directory `place`, but not for a neighbour whose name begins or ends like it."""
    goes_on = r"[\w.~+-]" if str(path).endswith(".") else r"\.*[\w~+-]"  # "free .." would mean the folder above
    return re.sub(rf"(?<![\w.~+-]){re.escape(str(place))}(?!{goes_on})", lambda _: str(path), text)


def _has_begun(place: Path) -> bool:
    return any((place / name).exists() for name in ("config.json", "experiment.json"))
