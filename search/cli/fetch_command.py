"""The command that brings public files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from configs.errors import InputError
from configs.public_files import FOLDER, PUBLIC_FILES, PublicFile
from search.cli.next_step import say_next
from search.cli.options import AsJson
from search.cli.tables import WholeWordTable
from search.cli.terminal import console, print_out, say


def fetch(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help=f"{', '.join(PUBLIC_FILES)}, all, or a preset for what it reads."),
    ] = None,
    to: Annotated[Path, typer.Option(metavar="DIR", help="Where to put the files.")] = Path(FOLDER),
    mirror: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Fetch `URL/HOST/PATH` instead of `https://HOST/PATH`."),
    ] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="List names, files and addresses, and fetch nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Download the public files that presets read: MT-Bench, AlpacaEval, URIAL's prompt, a pool of demonstrations.

    Each comes from a pinned revision and is checked before it is written. An interrupted download resumes where it
    stopped; files that exist are kept, and one with other content is never overwritten. Proxies are taken from
    HTTPS_PROXY and ALL_PROXY.
    """
    from search.fetch.files import fetch_files  # noqa: PLC0415 -- httpx2
    from search.fetch.selection import public_files  # noqa: PLC0415 -- yaml

    if list_only:
        _list(public_files(names or ["all"]), as_json)
        return
    if not names:
        raise InputError(f"name what to fetch: {', '.join(PUBLIC_FILES)}, all, or a preset; `demosearch fetch --list`")
    files, done = public_files(names), list[dict[str, Any]]()
    with _progress(files) as advance:
        for fetched in fetch_files(files, to, mirror=mirror, advance=advance):
            done.append({"path": str(fetched.path), "was_there": fetched.was_there, "licence": fetched.file.licence})
            if not as_json:
                say(f"{'already there' if fetched.was_there else 'fetched'}: {fetched.path} ({fetched.file.licence})")
    if as_json:
        print_out({"files": done})
    else:
        say_next(_next(names, to))


@contextmanager
def _progress(files: list[PublicFile]) -> Iterator[Callable[[PublicFile, int], None]]:
    """A bar for the file that is coming, in a terminal."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn  # noqa: PLC0415 -- not for other commands

    screen = console()
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        tasks = {file.path: progress.add_task(file.path, total=file.size, visible=False) for file in files}

        def advance(file: PublicFile, size: int) -> None:
            progress.update(tasks[file.path], completed=size, visible=size < file.size)

        yield advance


def _next(names: list[str], to: Path) -> str:
    """What to do with the files."""
    from configs.loading import experiment_preset_names, preset_names  # noqa: PLC0415 -- yaml

    if to.resolve() != Path(FOLDER).resolve():
        return f"set the paths of a preset with --set; it reads the folder `{FOLDER}` below the working directory"
    searches = [name for name in names if name in preset_names()]
    experiments = [name for name in names if name in experiment_preset_names()]
    if experiments and not searches:
        return f"demosearch experiment components {experiments[0]} --dry-run"
    preset = "urial_mt_bench_screening"
    if not searches and "all" not in names:
        return f"demosearch fetch {preset}  # fetches the preset's other files; other presets work as well"
    return f"demosearch run {searches[0] if searches else preset} --dry-run"


def _list(files: list[PublicFile], as_json: bool) -> None:
    from search.fetch.selection import presets_by_file  # noqa: PLC0415 -- yaml

    read_by = presets_by_file()
    names = {file.path: name for name, group in PUBLIC_FILES.items() for file in group}
    if as_json:
        rows = [
            {
                "name": names[file.path],
                "path": file.path,
                "bytes": file.size,
                "sha256": file.sha256,
                "licence": file.licence,
                "url": file.url,
                "presets": read_by[file.path],
            }
            for file in files
        ]
        print_out({"files": rows})
        return
    table = WholeWordTable("name", "file", "kB", "licence", "address")
    table.columns[2].justify = "right"
    for file in files:
        table.add_row(names[file.path], file.path, f"{file.size / 1e3:,.0f}", file.licence, file.url)
    print_out(table)
