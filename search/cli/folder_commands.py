"""The commands that work on the runs of a folder: list, compare, tag, rm, view."""

import os
import secrets
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from configs.errors import InputError
from configs.plural import show_many
from search.cli.next_step import say_next, shown
from search.cli.options import AsJson, RunDirectory
from search.cli.terminal import print_out, say, write_out

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder of run directories, or one of them.")]
_HERE = Path("runs")


def list_runs(
    folder: Folder = _HERE,
    tag: Annotated[str, typer.Option(help="Only runs with this tag.")] = "",
    paths: Annotated[bool, typer.Option("--paths", help="Print directories only, one a line, for scripts.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the runs of a folder: state, model, strategy, score, gain over the base prompt, spend, tags."""
    if paths and as_json:
        raise InputError("--paths cannot be used with --json: leave one of them out")
    from search.cli.run_table import run_table  # noqa: PLC0415 -- rich
    from search.view.runs import RunList  # noqa: PLC0415 -- numpy

    runs = RunList(_existing(folder))
    rows = [row for row in runs.rows() if not tag or tag in row.tags]
    if paths:
        write_out("".join(f"{runs.path(row.name)}\n" for row in rows))
        return
    if tag and not rows and not as_json:
        say(f"no run in {folder} has the tag '{tag}'")
        return
    print_out({"runs": [row.to_json() for row in rows]} if as_json else run_table(rows, folder))
    if rows and not as_json:
        say_next("demosearch status RUN", f"demosearch view {shown(folder)}")


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run directories, two or more.")],
    as_json: AsJson = False,
) -> None:
    """Compare runs: every winner and base prompt, or an evaluation's prompts, each against the first, in pairs.

    Differences are over the questions that both have scores for: held-out ones where a search has got that far.
    Prompts that another judge has scored are shown without a difference.
    """
    from search.cli.run_table import comparison_table  # noqa: PLC0415 -- rich
    from search.view.compare import compare_runs  # noqa: PLC0415 -- numpy

    compared = compare_runs([(path.as_posix(), path) for path in runs])
    print_out({"entries": [entry.to_json() for entry in compared]} if as_json else comparison_table(compared))
    if not as_json:
        say_next(f"demosearch view {shown(runs[0].parent)}  # single answers in the browser")


def tag(
    path: RunDirectory,
    tags: Annotated[list[str] | None, typer.Argument(metavar="TAG", help="Tags to add.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", "-r", help="A tag to remove. Repeatable.")] = None,
    note: Annotated[str | None, typer.Option(help="A note; it replaces the present one.")] = None,
    alone: Annotated[
        bool,
        typer.Option("--alone", help="Remove these tags from all other runs in the folder that holds RUN, and below."),
    ] = False,
) -> None:
    """Write tags and a note on a run; `list` and `view` show them. With only RUN, print those that it has.

    `demosearch tag RUN production --alone` says which run's prompt is in use; `demosearch list --tag production
    --paths` prints it for scripts.
    """
    from search.run_directory.locks import moving_tags  # noqa: PLC0415 -- pydantic
    from search.run_directory.notes import change_notes, read_notes  # noqa: PLC0415 -- pydantic
    from search.run_directory.run import require_run  # noqa: PLC0415 -- pydantic

    require_run(path)
    if alone and not tags:
        raise InputError("--alone needs a TAG, which no other run is to keep: `demosearch tag RUN TAG --alone`")
    change = bool(tags or remove or note is not None)
    folder = path.absolute().parent
    with moving_tags(folder) if alone else nullcontext():  # two who do so at once would keep the tag both
        others = _others_with({tag.strip() for tag in tags or ()}, path) if alone else {}
        notes = change_notes(path, tags or (), remove or (), note, others) if change else read_notes(path)
    for other, lost in others.items():
        say(f"removed from {os.path.relpath(other, path.parent.resolve())}: {', '.join(sorted(lost))}")
    say(", ".join(notes.tags) or "no tags")
    if notes.note:
        say(notes.note)
    if change:
        say_next(f"demosearch list {shown(path.parent)}")


def _others_with(tags: set[str], path: Path) -> dict[Path, set[str]]:
    """Find the other runs in the folder of the run at `path`, and below, that have any of these tags, and which."""
    from search.run_directory.notes import read_notes  # noqa: PLC0415 -- pydantic
    from search.view.runs import run_paths  # noqa: PLC0415 -- numpy

    runs = sorted({run.resolve() for run in run_paths(path.absolute().parent)})  # a link is no other run
    shared = {run: tags & {*read_notes(run).tags} for run in runs}
    return {run: these for run, these in shared.items() if these and not run.samefile(path)}


def rm(
    path: RunDirectory,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove a run directory with everything that was paid for in it. Asks first; a running one is refused."""
    from search.run_directory.removal import remove_run  # noqa: PLC0415 -- pydantic
    from search.run_directory.run import read_any_config, require_run  # noqa: PLC0415 -- pydantic
    from search.run_directory.state import read_state  # noqa: PLC0415 -- pydantic

    require_run(path)
    if read_state(path)[0] == "running":
        raise InputError(f"{path} is running: stop it first (Ctrl-C in its terminal keeps what was paid for)")
    ledger = read_any_config(path).ledger_path
    kept = f" Its ledger {ledger} stays." if ledger else " Its answers and verdicts go with it."
    if not yes and not typer.confirm(f"Remove {path}?{kept}"):
        raise typer.Exit(1)
    remove_run(path)
    say(f"removed: {path}")
    say_next(f"demosearch list {shown(path.parent)}")


def view(
    folder: Folder = _HERE,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8765,
    host: Annotated[str, typer.Option(help="Address to listen on. Any but 127.0.0.1 lets other machines connect.")] = (
        "127.0.0.1"
    ),
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Ask for no token: everybody on this machine may look.")
    ] = False,
    edit: Annotated[
        bool,
        typer.Option(
            "--edit", help="Let the pages change tags and notes, as `demosearch tag` does, and review answers."
        ),
    ] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write the pages there as files for any web server and exit; tags, notes and reviews are in them.",
        ),
    ] = None,
) -> None:
    """Show the runs of a folder in the browser: a live list, reports, answers, comparisons.

    It only reads unless --edit is given, and disturbs no run. Through an ssh tunnel:
    `ssh -L 8765:127.0.0.1:8765 HOST`, then open the address that it prints. Ctrl-C ends it.
    """
    if edit and (no_token or bundle is not None):
        other = "--no-token" if no_token else "--bundle"
        raise InputError(f"--edit cannot be used with {other}: leave one of them out")
    if bundle is not None:
        from search.view.bundle import write_bundle  # noqa: PLC0415 -- jinja

        files, reviews = write_bundle(_existing(folder), bundle)
        held = f", with people's comments and verdicts in {show_many(reviews, 'review')}" if reviews else ""
        say(f"written: {show_many(files, 'file')} in {bundle}{held}; open {bundle / 'index.html'}")
        return
    from search.view.serving import serve  # noqa: PLC0415 -- starlette

    serve(_existing(folder), host, port, "" if no_token else secrets.token_urlsafe(16), say, editing=edit)


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        start = "start a run with `demosearch run CONFIG`, or " if folder == Path("runs") else ""
        raise InputError(f"there is no folder {folder}: {start}name the one that holds your run directories")
    return folder
