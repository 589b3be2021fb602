"""What commands print, write and say."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from configs.errors import InputError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from search.forecast.forecast import RunForecast
    from search.results.status import Status


def print_out(content: "dict[str, Any] | RenderableType") -> None:
    if isinstance(content, dict):
        print(json.dumps(content, indent=1))
    else:
        Console().print(content)


def console() -> Console:
    return Console(stderr=True)


def say(text: str) -> None:
    console().print(text, highlight=False, markup=False, soft_wrap=True)


def show_status(status: "Status", path: Path, as_json: bool) -> None:
    from search.cli.status_table import status_view  # noqa: PLC0415 -- rich

    print_out(status.to_json() if as_json else status_view(status, path))


def show_forecast(forecast: "RunForecast", as_json: bool) -> None:
    from search.cli.forecast_table import forecast_view  # noqa: PLC0415 -- rich

    print_out(forecast.to_json() if as_json else forecast_view(forecast))


def write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}): give another --output") from None
    say(f"written: {path}")


@contextmanager
def interruptible(path: Path, way_on: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        begun = (path / "config.json").exists()
        say(f"interrupted; go on with {way_on}" if begun else "interrupted before anything began")
        raise typer.Exit(130) from None
