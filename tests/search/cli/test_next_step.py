"""What the end of a command points to."""

from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.ledger.spend import Spend
from search.cli.next_step import after_search, shown
from search.problem.candidate import Candidate
from search.results.status import FailedItems, Standing, Status

BASE, FOUND = (Standing(Candidate(names), None, None, None) for names in ((), ("a",)))
STATUS = Status("r", "finished", "", 3, FOUND, None, BASE, Spend())


@pytest.mark.parametrize(
    ("status", "commands"),
    [
        (STATUS, ["demosearch report runs/r", "demosearch export runs/r -o best.txt"]),
        (replace(STATUS, winner=replace(BASE)), ["demosearch report runs/r"]),
        (
            replace(STATUS, state="stopped"),
            ["demosearch resume runs/r", "demosearch export runs/r --best-so-far -o best.txt"],
        ),
        (replace(STATUS, state="crashed", winner=BASE), ["demosearch resume runs/r"]),
        (replace(STATUS, state="running"), ["demosearch watch runs/r"]),
        (
            replace(STATUS, winner=BASE, failures=(FailedItems("verdict", "Timeout", 2, "too late"),)),
            ["demosearch retry-failed runs/r", "demosearch report runs/r"],
        ),
    ],
)
def test_a_search_leads_to_what_can_be_done_with_it(status: Status, commands: list[str]) -> None:
    assert after_search(status, Path("runs/r")) == commands


def test_a_path_can_be_pasted_into_a_shell() -> None:
    assert shown(Path("my runs/r")) == "'my runs/r'"
