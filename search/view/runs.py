"""The runs of a folder, a row each."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from configs.errors import InputError
from configs.plural import show_many
from configs.schema.evaluation import EvaluationConfig
from configs.schema.run import RunConfig
from evaluators.ledger.spend import Spend
from search.live.live_file import read_live
from search.live.wording import share_done
from search.results.evaluation_status import read_evaluation
from search.results.status import Status, read_status
from search.run_directory.files import read_json
from search.run_directory.notes import read_notes
from search.run_directory.run import read_any_config
from search.statistics.estimates import Estimate

MOST_DEEP = 4  # folders below the one that is looked at
_SIGNS = ("config.json", "state.json", "journal.jsonl", "amendments.jsonl", "results.json", "notes.json", "live.json")
_MARK = "config.json"
EXPERIMENT, PAGE = "experiment.json", "page.html"  # of an experiment, whose evaluations lie below it

Kind = Literal["search", "evaluation", "experiment", "unreadable"]


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run at a glance.

    Attributes:
        name: its path from the folder that is looked at.
        state: running, finished, stopped or crashed; "unreadable" where its files cannot be read.
        note: what people wrote on it; for an unreadable run, why.
        strategy: its kind; for an evaluation the number of prompts.
        score: the winner's held-out score, or its search score before there is one; an evaluation's best mean.
        side: of the split that the score is on: "held-out" or "search"; "" for an evaluation.
        done: in [0, 1], of a run that goes on; None where it does not say.
        gain: over the base prompt on the questions that the score is on; an evaluation's best difference to its first
            prompt.
        kept_base: of a search that has ended, whether the base prompt stayed the winner.
        candidates: scored so far, or prompts.
        spend: an experiment's is that of all its searches and evaluations.
        created: seconds since 1970.
    """

    name: str
    kind: Kind
    state: str
    model: str = ""
    pool: str = ""
    strategy: str = ""
    score: Estimate | None = None
    gain: Estimate | None = None
    candidates: int = 0
    spend: Spend = field(default_factory=Spend)
    created: float = 0.0
    tags: tuple[str, ...] = ()
    note: str = ""
    side: str = ""
    done: float | None = None
    kept_base: bool = False

    def to_json(self) -> dict[str, Any]:
        """What `demosearch list --json` prints."""
        shown = asdict(self)
        return shown | {name: value and value.to_json() for name, value in (("score", self.score), ("gain", self.gain))}


def run_paths(folder: Path) -> Iterator[Path]:
    """Every run directory in `folder`, itself included, by name; nothing below a run is looked at."""
    yield from _holding(_MARK, folder, MOST_DEEP)


def _holding(mark: str, folder: Path, depth: int) -> Iterator[Path]:
    """Every folder with a file of this name; nothing below such a one or below a run is looked at."""
    try:
        if (folder / mark).is_file():
            yield folder
            return
        if (folder / _MARK).is_file() or not depth:
            return
        below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:  # a folder that may not be read holds no run for us
        return
    for path in below:
        yield from _holding(mark, path, depth - 1)


def is_experiment(path: Path) -> bool:
    """Whether the directory is an experiment's."""
    return (path / EXPERIMENT).is_file()


def experiment_page(path: Path) -> str:
    """The page that an experiment has written. Raises InputError before there is one."""
    try:
        return (path / PAGE).read_text(encoding="utf-8")
    except OSError:
        raise InputError(f"the experiment in {path} has no page yet: it is written at the end") from None


def signature(path: Path, *further: str) -> tuple[tuple[int, int], ...]:
    """Changes whenever a file of the run does that a row is made of, or one of these further ones."""
    signs = []
    for name in (*_SIGNS, EXPERIMENT, PAGE, *further):
        try:
            stat = (path / name).stat()
            signs.append((stat.st_mtime_ns, stat.st_size))
        except OSError:
            signs.append((0, 0))
    return tuple(signs)


class RunList:
    """The rows of a folder, read again only where a run has changed.

    Args:
        folder: looked through, `MOST_DEEP` folders deep.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows_seen: dict[Path, tuple[tuple[tuple[int, int], ...], RunRow]] = {}

    def rows(self) -> list[RunRow]:
        """Every run as it stands now, newest first."""
        paths = [*self._paths()]
        self._rows_seen = {path: row for path, row in self._rows_seen.items() if path in paths}
        return newest_first(self._row(path) for path in paths)

    def path(self, name: str) -> Path | None:
        """The run of this name; None where the folder holds none."""
        return next((path for path in self._paths() if self.name(path) == name), None)

    def _paths(self) -> Iterator[Path]:
        yield from run_paths(self.folder)
        yield from _holding(EXPERIMENT, self.folder, MOST_DEEP)

    def name(self, path: Path) -> str:
        """How a run is called here: its path from the folder; the folder's own name where it is the run."""
        return path.relative_to(self.folder).as_posix() if path != self.folder else path.resolve().name

    def _row(self, path: Path) -> RunRow:
        now = signature(path)
        seen = self._rows_seen.get(path)
        if seen is None or seen[0] != now or _may_change(seen[1]):
            seen = now, read_row(path, self.name(path))
            self._rows_seen[path] = seen
        return seen[1]


def _may_change(row: RunRow) -> bool:
    """Whether a row may change though no file of its directory does: a crash touches none, and an experiment's work is
    below it.
    """
    return row.state == "running" or (row.kind == "experiment" and row.state != "finished")


def read_row(path: Path, name: str) -> RunRow:
    """Read the run at `path`; a damaged one is a row that says so."""
    created = _created(path)
    try:
        if is_experiment(path):
            return replace(_experiment_row(path, name), created=created)
        config = read_any_config(path)
        row = _search_row(path, name, config) if isinstance(config, RunConfig) else _evaluation_row(path, name, config)
    except Exception as error:  # damaged, or just being made by another process: in whatever way
        return RunRow(name, "unreadable", "unreadable", created=created, note=str(error))
    notes = read_notes(path)
    live = read_live(path) if row.state == "running" else None
    done = share_done(live) if live else None
    return replace(row, created=created, tags=notes.tags, note=notes.note, done=done)


def newest_first(rows: Iterable[RunRow]) -> list[RunRow]:
    """Rows in the order of the list."""
    return sorted(rows, key=lambda row: (-row.created, row.name))


def _created(path: Path) -> float:
    try:
        return (path / (EXPERIMENT if is_experiment(path) else _MARK)).stat().st_mtime
    except OSError:
        return 0.0


def _search_row(path: Path, name: str, config: RunConfig) -> RunRow:
    status = read_status(path)
    winner = status.winner
    return RunRow(
        name=name,
        kind="search",
        state=status.state,
        model=_model(config.model.name),
        pool=config.pool.path.stem if config.pool.path else config.pool.hub or "",
        strategy=config.strategy.kind,
        score=(winner.held_out_score or winner.search_score) if winner else None,
        gain=(winner.held_out_gain or _measured(status)) if winner else None,
        candidates=status.candidates,
        side="held-out" if winner and winner.held_out_score else "search",
        kept_base=status.state == "finished" and winner is not None and winner == status.base,
        spend=status.spend,
    )


def _experiment_row(path: Path, name: str) -> RunRow:
    """The row of an experiment; its evaluations and searches are rows of their own."""
    experiment = read_json(path / EXPERIMENT)
    rows = [read_row(below, name) for below in run_paths(path)]
    running = any(row.state == "running" for row in rows)
    state = "running" if running else "finished" if (path / PAGE).is_file() else "stopped"
    return RunRow(
        name=name,
        kind="experiment",
        state=state,
        model=next((row.model for row in rows), ""),
        strategy=str(experiment["experiment"]),
        candidates=sum(row.candidates for row in rows if row.kind == "evaluation"),
        spend=sum((row.spend for row in rows), Spend()),
    )


def _measured(status: Status) -> Estimate | None:
    """The gain of the best on search questions, before there is another."""
    leaders = (
        [contender for contender in status.choice.contenders if contender.role != "runner-up"] if status.choice else []
    )
    return leaders[0].measured if leaders else None


def _evaluation_row(path: Path, name: str, config: EvaluationConfig) -> RunRow:
    status = read_evaluation(path)
    best = max((result for result in status.results if result.score), key=_mean, default=None)
    return RunRow(
        name=name,
        kind="evaluation",
        state=status.state,
        model=_model(config.model.name),
        pool="",
        strategy=show_many(len(config.variants), "prompt"),
        score=best.score if best else None,
        gain=best.difference if best else None,
        candidates=len(status.results),
        spend=status.spend,
    )


def _model(name: str) -> str:
    """A model's name without its owner; of a folder the last two parts, since many end in `model`."""
    parts = Path(name).parts
    return "/".join(parts[-2:]) if len(parts) > 2 else parts[-1]


def _mean(result: Any) -> float:
    return float(result.score.mean)
