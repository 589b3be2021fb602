"""The command `demosearch`, put together."""

import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from importlib.metadata import version
from typing import Annotated

import typer

from configs.errors import INTERRUPTED, STOPPED, DemosearchError, InputError, RunStopped
from search.cli.bench_commands import overlap, w1
from search.cli.experiment_commands import experiment
from search.cli.export_commands import export, export_help, push
from search.cli.fetch_command import fetch
from search.cli.folder_commands import compare, list_runs, rm, tag, view
from search.cli.init_command import init
from search.cli.read_commands import knobs, report, status, watch
from search.cli.rejudge_command import rejudge
from search.cli.run_commands import evaluate, extend, resume, retry_failed, run
from search.cli.standard_streams import take_standard_streams
from search.cli.terminal import console, full_disk, say
from search.live.log_handler import log_handler
from workers import ENGINE_THREAD


def show_version(wanted: bool) -> None:
    """Print the version and end, where that is wanted."""
    if wanted:
        print(version("demosearch"))
        raise typer.Exit


app = typer.Typer(
    name="demosearch",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""Find the in-context demonstrations that make a base language model follow instructions, and prove it.

A search tries ordered sets of demonstrations in front of a benchmark's questions, has a judge score the answers, and
reports the best set on questions the search never saw. Every generation and every verdict is kept on disk before it is
used. Kill it at any moment; `demosearch resume` continues and pays for nothing twice.

**First steps**: `demosearch run quickstart` runs a complete search with a toy model on this machine.""",
    epilog="Exit codes: 0 done, 2 invalid input, 3 stopped or nothing could be scored, 130 interrupted; after the last "
    "two a line says how a run that had begun goes on.",
)


@app.callback()
def common(
    wanted: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del wanted


for spending in (init, fetch, run, resume, extend, evaluate, experiment, retry_failed, rejudge):
    app.command()(spending)
for reading in (status, watch, push, report, knobs):
    app.command()(reading)
app.command(help=export_help())(export)
app.command("list")(list_runs)
for folder_command in (compare, tag, rm, view):
    app.command()(folder_command)
bench = typer.Typer(no_args_is_help=True, help="Measure this engine against a named alternative, in one run.")
for measurement in (w1, overlap):
    bench.command()(measurement)
app.add_typer(bench, name="bench")


def main() -> None:
    """Take the words of the command line, do what they say, and end the process."""
    take_standard_streams()
    logging.basicConfig(format="%(message)s", handlers=[log_handler(console())])
    for room in ("search", "evaluators", "workers"):
        logging.getLogger(room).setLevel(logging.INFO)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except InputError as error:
        _fail(error, 2)
    except DemosearchError as error:
        _fail(error, STOPPED)
    except KeyboardInterrupt:
        _leave(INTERRUPTED)
    except OSError as error:
        _fail(full_disk(error), STOPPED)
    except SystemExit as end:
        _leave(end.code if isinstance(end.code, int) else 0)


def _fail(error: Exception, code: int) -> None:
    say(f"demosearch: {error}")
    _leave(code)


def _leave(code: int) -> None:
    """End the process. A thread that hangs would be waited for on the interpreter's ordinary way out, a model that
    still generates in its thread would abort it, and so might one more Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threads = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    if any(thread.name == ENGINE_THREAD for thread in threads) or (code and threads):
        with suppress(OSError, ValueError, RunStopped):
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
