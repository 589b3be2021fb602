"""The run directory: one search, complete; or one evaluation, which has no journal.

config.json     the configuration, as validated
manifest.json   everything that decides the outcome: digests, fingerprints, versions, settings
material.json   rules, demonstrations and questions in full, so that exports and reports need nothing else
embedding-*.npy, likelihood-*.npy  what a strategy knows of demonstrations before any score
journal.jsonl   what the strategy was told, in order
amendments.jsonl  what `retry-failed` has scored since
results.json    of an evaluation: every variant's scores, and the ledger's keys of its answers
alpaca_eval.json  of one by AlpacaEval's judge: win rates; annotations-N.json hold what they are made of
ledger.sqlite   every generation and verdict (elsewhere when the config says so)
batches         of a service that answers in batches: what was submitted and is paid for
request-fields-*.json  what a service does not take and is asked without
tally.json      how many rows of the run its ledger held last, so that a loss is noticed
state.json      who runs it, or why it stopped
live.json       how it stands, for people who watch; there only while a coordinator is at work, or since it crashed
lock            held while a coordinator works on it; notes.lock by who writes notes
"""

import json
import os
import re
import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Literal, Self
from uuid import uuid4

from configs.atomic_file import remove_drafts
from configs.errors import InputError, RunStopped
from configs.schema.evaluation import EvaluationConfig
from configs.schema.run import RunConfig
from configs.stored import dump_config, restore_config, restore_evaluation
from search.run_directory.differences import differences
from search.run_directory.file_formats import OWNED, ConfigFile, Extension, Manifest, check_config_file
from search.run_directory.files import holds_run, missing, not_writable, read_json, refusing_damage, write_json
from search.run_directory.locks import working
from search.run_directory.new_place import refuse_unusable_directory
from search.run_directory.state import read_noted_state

TALLY = "tally.json"  # file of a run directory: how many rows of the run its ledger held when it was written last
_OF_A_VERSION = re.compile(r"  .*, (parser|reader): was ")  # a difference in how a judge's words are read
Command = Literal["resume", "extend", "evaluate", "retry-failed", "export", "rejudge"]


class Run:
    """A run directory that this process owns.

    Use `create` or `open`, then `close`; another coordinator on the same directory gets an InputError meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()  # a judge function may change the working directory
        self._lock = ExitStack()
        self._earlier: dict[str, Any] = {}  # its state when it was opened, while nothing has been done to it

    @classmethod
    def create(
        cls, path: Path, config: RunConfig | EvaluationConfig, succeeds: Mapping[str, Any] | None = None
    ) -> Self:
        """A new run directory. Raises InputError where one is already.

        Args:
            succeeds: the search that it goes on from under another judge, for its manifest (`Succession`).
        """
        refuse_unusable_directory(path)
        run = cls(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            run._acquire()
            if holds_run(path):
                run.close()
                raise InputError(f"another process has just started a run in {path}: choose another --run-dir")
            _write_config(path, uuid4().hex, config, succeeds)
            run.set_state("running")
        except (OSError, RunStopped) as error:
            run.close()
            raise not_writable(path, error) from error
        return run

    @classmethod
    def open(cls, path: Path) -> Self:
        """The run directory of an earlier process. Raises InputError where there is none."""
        read_id(path)
        run = cls(path)
        try:
            run._acquire()
            require_run(path)  # still: it may have been removed
            run._earlier = read_noted_state(path)
            run.set_state("running")
        except (OSError, RunStopped) as error:
            run.close()
            require_run(path)
            raise not_writable(path, error) from error
        except InputError:
            run.close()
            raise
        return run

    def begin(self) -> None:
        """Everything that may be refused has been checked: from here on, an end of this process is one of the run."""
        self._earlier = {}

    def replace_config(self, config: EvaluationConfig) -> None:
        """An evaluation may grow from one process to the next."""
        _write_config(self.path, self.id, config)

    def extend(self, extension: Extension) -> None:
        """Have the search go on under a larger budget where its strategy has ended; the manifest says so too."""
        content = _read_config_file(self.path)
        content["extensions"] = [*content.get("extensions", []), extension.model_dump()]
        write_json(self.path / "config.json", content)
        write_json(self.path / "manifest.json", read_manifest(self.path) | {"extensions": content["extensions"]})

    def _acquire(self) -> None:
        self._lock.enter_context(working(self.path))
        remove_drafts(self.path, OWNED)

    def set_state(
        self, state: Literal["running", "stopped", "finished"], reason: str = "", may_go_on: bool = True
    ) -> None:
        """Note who runs it, or why it ended, and whether it may go on from there."""
        owner = {"pid": os.getpid(), "host": socket.gethostname()}
        write_json(self.path / "state.json", {"state": state, "reason": reason, "may_go_on": may_go_on} | owner)

    def note_stop(self, reason: str, may_go_on: bool = True) -> None:
        """Note why it stopped; a run that was opened and never begun is left in the state that it was in."""
        if self._earlier:
            write_json(self.path / "state.json", self._earlier)
        else:
            self.set_state("stopped", reason, may_go_on)

    def refuse_changes(self, manifest: Mapping[str, Any]) -> None:
        """Raises InputError where this differs from what the run was started with, in anything that both tell of; the
        text shows every difference. Nothing is written."""
        now, then = json.loads(json.dumps(manifest)), read_manifest(self.path)
        self._refuse(now, then, {*then} & {*now})

    def check_manifest(self, manifest: dict[str, Any], growing: bool = False) -> None:
        """Write the manifest, or compare it with the one this run was started with.

        Args:
            growing: what is in one of them alone is no difference, and the manifest will hold it from now on.

        Raises:
            InputError: they differ; the text shows every difference.
        """
        path = self.path / "manifest.json"
        manifest |= {name: now for name, now in _read_config_file(self.path).items() if name == "extensions"}
        if not path.exists() and (self.path / "journal.jsonl").exists():
            raise missing(path)
        now, then = json.loads(json.dumps(manifest)), read_manifest(self.path)
        self._refuse(now, then, {*then, *now} if path.exists() and not growing else {*then} & {*now})
        if now.keys() - then.keys() or now.get("extensions") != then.get("extensions"):
            write_json(path, then | now)

    def _refuse(self, now: Mapping[str, Any], then: Mapping[str, Any], compared: Iterable[str]) -> None:
        names = sorted({*compared} - {"extensions"})
        changes = [line for name in names for line in differences(name, then.get(name), now.get(name))]
        if not changes:
            return
        advice = "restore them, or start a new run (give it the same `ledger_path` to keep what is still valid)"
        if all(_OF_A_VERSION.match(line) for line in changes):
            advice = (
                "this version reads a judge's words otherwise: go on with the version that began the run, or start a "
                "new run (give it the same `ledger_path` to keep what is still valid)"
            )
        raise InputError(
            f"{self.path} was started with different settings, and scores would not be comparable:\n"
            + "\n".join([*changes, advice])
        )

    @property
    def id(self) -> str:
        """The name of its spend in the ledger, wherever the directory is moved."""
        return read_id(self.path)

    @property
    def succeeds(self) -> dict[str, Any]:
        """What its manifest says of the search that it goes on from under another judge; empty where there is none."""
        return {name: content for name, content in _read_config_file(self.path).items() if name == "succeeds"}

    @property
    def started(self) -> bool:
        """Whether anything may have been paid for."""
        return (self.path / "manifest.json").exists()

    def close(self) -> None:
        """Give the directory free. Idempotent."""
        self._lock.close()

    def discard(self) -> None:
        """Remove the directory of a run that never started."""
        self.close()
        with suppress(OSError):  # a link to a directory stays, and so does what a disk does not let go
            for file in self.path.iterdir():
                file.unlink()
            self.path.rmdir()


def require_run(path: Path) -> None:
    """Raises InputError where `path` is not a run directory."""
    if not (path / "config.json").is_file():
        raise InputError(
            f"{path} is not a run directory (it has no config.json): start one with `demosearch run CONFIG`"
        )


def require_search(path: Path, command: Command) -> None:
    """Raises InputError, which says what to do instead, where `path` holds an evaluation."""
    if is_evaluation(path):
        again = f"the same `demosearch evaluate` with `--run-dir {path}`"
        instead = {
            "resume": f"go on with {again}; nothing is paid for twice",
            "evaluate": f"add its variants' files to {again} (--prompt NAME=PATH)",
            "extend": f"add variants with {again}; nothing is paid for twice",
            "retry-failed": f"{again} tries what failed again, and pays for nothing else",
            "export": "it has found no prompt but compared those that it was given; export the search that one of "
            f"them comes from, or write all of it down with `demosearch report {path}`",
            "rejudge": "leave --run-dir out, and evaluate again with that judge where a report under it is wanted: "
            f"with {path}'s ledger as `ledger_path` it pays for nothing again",
        }
        raise InputError(f"{path} is an evaluation, not a search: {instead[command]}")


def read_config(path: Path | str) -> RunConfig:
    """The configuration the search at `path` was started with."""
    if is_evaluation(path := Path(path)):
        raise InputError(f"{path} is an evaluation, not a search: see `demosearch status {path}` and `evaluate --help`")
    return restore_config(_read_config_file(path)["config"], str(path / "config.json"))


def read_evaluation_config(path: Path) -> EvaluationConfig:
    """The configuration of the evaluation at `path`."""
    if not is_evaluation(path):
        raise InputError(f"{path} is a search, not an evaluation: choose another --run-dir")
    return restore_evaluation(_read_config_file(path)["evaluation"], str(path / "config.json"))


def read_any_config(path: Path) -> RunConfig | EvaluationConfig:
    """The configuration of the run at `path`, whichever it is."""
    return read_evaluation_config(path) if is_evaluation(path) else read_config(path)


def is_evaluation(path: Path) -> bool:
    """Whether the run at `path` is an evaluation, and no search. Raises InputError where there is no run."""
    return "evaluation" in _read_config_file(path)


def _read_config_file(path: Path) -> dict[str, Any]:
    require_run(path)
    file = path / "config.json"
    content = read_json(file)
    with refusing_damage(file):
        check_config_file(content)
    return content


def _write_config(
    path: Path, run: str, config: RunConfig | EvaluationConfig, succeeds: Mapping[str, Any] | None = None
) -> None:
    part = "config" if isinstance(config, RunConfig) else "evaluation"
    more = {"succeeds": succeeds} if succeeds else {}
    write_json(path / "config.json", {"run": run, part: dump_config(config), **more})


def read_extensions(path: Path) -> list[Extension]:
    """The larger budgets under which the search at `path` has gone on, in order."""
    return ConfigFile.model_validate(_read_config_file(path)).extensions


def read_id(path: Path) -> str:
    """The id of the run at `path`: 32 hexadecimal digits, drawn when it was created."""
    return str(_read_config_file(path)["run"])


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest; empty while the model is still loading. Raises InputError where it is damaged."""
    file = path / "manifest.json"
    content = read_json(file)
    with refusing_damage(file):
        Manifest.model_validate(content)
    return content


def read_material(path: Path) -> dict[str, Any]:
    """Rules, demonstrations and questions of the run at `path`. Raises InputError where it has not got that far."""
    require_run(path)
    material = read_json(path / "material.json")
    if not material:
        raise InputError(f"{path} has not started yet: try again in a moment")
    return material


def ledger_path(path: Path, config: RunConfig | EvaluationConfig) -> Path:
    """The path of the ledger of the run at `path`."""
    return config.ledger_path or path / "ledger.sqlite"
