"""What to do next, in a line at the end of a command."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from search.cli.terminal import say

if TYPE_CHECKING:
    from search.results.evaluation_status import EvaluationStatus
    from search.results.status import Status


def say_next(*commands: str) -> None:
    """Name the commands that people mostly want now, on standard error."""
    if commands:
        say(f"next: {', or '.join(commands)}")


def shown(path: Path | str) -> str:
    """A path as a shell takes it."""
    return quote(str(path))


def after_search(status: "Status", path: Path) -> list[str]:
    """What to do with a search as it stands."""
    where = shown(path)
    if status.state == "running":
        return [f"demosearch watch {where}"]
    if not status.may_go_on:
        return []  # why it stopped says what to do
    has_found = status.winner is not None and status.base is not None and status.winner != status.base
    if status.state != "finished":
        return [f"demosearch resume {where}"] + [f"demosearch export {where} --best-so-far -o best.txt"] * has_found
    failed = [f"demosearch retry-failed {where}"] if status.failures else []
    export = [f"demosearch export {where} -o best.txt"] if has_found else []
    return [*failed, f"demosearch report {where}", *export]


def after_evaluation(status: "EvaluationStatus", path: Path) -> list[str]:
    """What to do with an evaluation as it stands."""
    if status.state == "running":
        return [f"demosearch watch {shown(path)}"]
    if status.state == "finished":
        return [f"demosearch report {shown(path)}", f"demosearch view {shown(path.parent)}"]
    return []  # `evaluate` itself has said how to go on
