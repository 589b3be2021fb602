"""A ledger that has lost rows is noticed before they are paid for again."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from configs.errors import InputError, RunStopped
from configs.loading import override_config
from search.run_directory.run import TALLY
from search.running.launch import launch, resume
from tests.search.running.test_launch import QUIET, journal, judged_by
from tests.service_server import ServiceServer

pytestmark = pytest.mark.heavy


def without_ledger(path: Path) -> None:
    for file in path.glob("ledger.sqlite*"):
        file.unlink()


def without_ledger_and_tally(path: Path) -> None:
    without_ledger(path)
    (path / TALLY).unlink()


def with_an_older_ledger(path: Path) -> None:
    without_ledger(path)
    for file in path.with_name("earlier").glob("ledger.sqlite*"):
        (path / file.name).write_bytes(file.read_bytes())


@pytest.mark.parametrize("lose", [without_ledger, without_ledger_and_tally, with_an_older_ledger])
def test_lost_rows_are_paid_for_again_only_where_that_is_asked_for(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    path, earlier = tmp_path / "run", tmp_path / "earlier"
    with ServiceServer() as server:
        config = judged_by(server, tmp_path, "window=1")
        with pytest.raises(RunStopped):
            launch(override_config(config, ["budget.verdicts=15"]), path, QUIET)
        copytree(path, earlier)
        with pytest.raises(RunStopped):
            resume(path, QUIET, override_config(config, ["budget.verdicts=25"]))
        lose(path)
        asked = len(server.requests)
        with pytest.raises(InputError, match=r"restore ledger.sqlite and ledger.sqlite-wal.*--pay-again"):
            resume(path, QUIET, config)
        assert len(server.requests) == asked
        assert resume(path, QUIET, config, pay_again=True)
        assert len(server.requests) > asked
        paid = len(server.requests)
        assert resume(path, QUIET, config).state == "finished"
        assert len(server.requests) == paid
        launch(config, tmp_path / "whole", QUIET)
    assert journal(path) == journal(tmp_path / "whole")


def test_a_run_whose_answers_another_one_has_paid_for_goes_on(tmp_path: Path) -> None:
    shared = f"ledger_path={tmp_path / 'shared.sqlite'}"
    with ServiceServer() as server:
        config = override_config(judged_by(server, tmp_path, "window=1"), [shared])
        launch(config, tmp_path / "first", QUIET)
        paid = len(server.requests)
        path = tmp_path / "second"
        launch(config, path, QUIET)
        (path / TALLY).unlink(missing_ok=True)
        assert resume(path, QUIET, config).state == "finished"
        assert len(server.requests) == paid
