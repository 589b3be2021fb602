"""A search among simulated faults is the search without them; and a fault of our own is found."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from configs.atomic_file import write_whole
from evaluators.ledger.ledger import Ledger
from search.bench.faults.__main__ import outcome
from search.bench.faults.files import ReplacedFiles
from search.bench.faults.search import Storage
from search.bench.faults.simulation import WHOLE, SimulatedFaults, simulate
from search.run_directory.journal import Journal
from search.run_directory.records import JournalRecord

pytestmark = pytest.mark.heavy

SEEDS, SHARES = 200, 10


@pytest.mark.parametrize("share", range(SHARES))
def test_a_search_among_faults_is_the_search_that_was_left_alone_and_its_spend_is_the_services_bill(share: int) -> None:
    found = [outcome(seed) for seed in range(share, SEEDS, SHARES)]
    assert not [each for each in found if isinstance(each, str)]


def test_a_seed_replays_step_by_step(tmp_path: Path) -> None:
    first, second = list[str](), list[str]()
    for name, said in (("first", first), ("second", second)):
        simulate(11, tmp_path / name, say=said.append)
    assert len(first) > 1000
    assert first == second


class HastyLedger(Ledger):
    """Acknowledges what is not on disk yet."""

    def _keep(self, table: Any, row: tuple[Any, ...]) -> "asyncio.Future[None]":
        super()._keep(table, row)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    async def flush(self) -> None: ...


class LosingLedger(Ledger):
    """Finds no verdict again."""

    def verdicts(self, keys: Any) -> dict[bytes, Any]:
        return {}


class LazyJournal(Journal):
    """Writes a record when the next one comes."""

    _held: JournalRecord | None = None

    def append(self, record: JournalRecord, *, goes_on: bool = False) -> None:
        if self._held is not None:
            super().append(self._held)
        self._held = record


class KeepingJournal(Journal):
    """Keeps the path that a failure led to, when the failure has passed."""

    def forget_from(self, position: int) -> None: ...


class SlovenlyJournal(Journal):
    """Writes behind a torn line."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._is_cut = False


@pytest.mark.parametrize(
    ("ledger", "finding"),
    [
        (HastyLedger, "a score in the journal has no durable verdict|has lost|acknowledged was lost"),
        (LosingLedger, "a durable row was asked for again|has lost"),
    ],
)
def test_a_ledger_that_breaks_a_promise_is_found(ledger: type[Ledger], finding: str, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=finding):
        _simulate_many(Storage(ledger=ledger), tmp_path)


@pytest.mark.parametrize(
    ("journal", "finding"),
    [
        (LazyJournal, "another journal"),
        (KeepingJournal, "differs from its journal|another path|another journal"),
        (SlovenlyJournal, "is damaged|another journal"),
    ],
)
def test_a_journal_that_breaks_a_promise_is_found(journal: type[Journal], finding: str, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=finding):
        _simulate_many(Storage(journal=journal), tmp_path)


@pytest.mark.parametrize(
    ("world", "finding"),
    [
        (Storage(keeps_connections=True), "a failure is a result|a score that the judge did not give"),
        (Storage(synchronises=False), r"\.json is damaged|is noted, and not there"),
    ],
)
def test_a_client_that_keeps_connections_and_files_that_are_not_synchronised_are_found(
    world: Storage, finding: str, tmp_path: Path
) -> None:
    with pytest.raises(Exception, match=finding):
        _simulate_many(world, tmp_path, seeds=range(WHOLE - 1, 40 * WHOLE, WHOLE))


def _simulate_many(storage: Storage, folder: Path, seeds: range = range(40)) -> None:
    for seed in seeds:
        simulate(seed, folder / str(seed), storage)


def test_findings_count_what_was_lost_in_flight(tmp_path: Path) -> None:
    found = simulate(3, tmp_path)
    assert isinstance(found, SimulatedFaults)
    assert 0 <= found.lost < found.billed


@pytest.mark.parametrize(
    ("watched", "written"), [("real", "real"), ("link", "link"), ("link", "real"), ("real", "link")]
)
def test_a_file_that_was_replaced_durably_is_left_whole_by_whatever_name_its_folder_goes(
    watched: str, written: str, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    calls = list[str]()
    files = ReplacedFiles(tmp_path / watched, calls.append, lambda: None)
    with files.watched():
        write_whole(tmp_path / written / "state.json", "old")
        write_whole(tmp_path / written / "state.json", "new")
        write_whole(tmp_path / "state.json", "of another folder")
    assert [call.split()[0] for call in calls] == ["fsync", "rename", "fsync"] * 2
    assert files.left({"state.json": b"new"}, random.Random(0)) == {"state.json": b"new"}
