"""What a person reads of a run."""

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from evaluators.spend import Spend
from search.statistics import Estimate
from search.status import Standing, Status
from search.tables import status_view

BASE = Standing(("base",), Estimate(5.0, 4.0, 6.0, 80), Estimate(5.0, 4.0, 6.0, 40), None)
WINNER = Standing(("a", "base"), Estimate(6.0, 5.0, 7.0, 16), None, None)
STATUS = Status("run", "finished", "", 9, WINNER, BASE, BASE, Spend())


def shown(status: Status) -> str:
    console = Console(width=150)
    with console.capture() as captured:
        console.print(status_view(status, Path("run")))
    return captured.get()


def test_scores_on_different_numbers_of_questions_say_so() -> None:
    text = shown(STATUS)
    assert "6.00 [5.00, 7.00], n=16" in text
    assert "5.00 [4.00, 6.00], n=80" in text


def test_a_winner_without_held_out_scores_is_not_taken_for_the_base_prompt() -> None:
    assert "Nothing beat the base prompt" not in shown(STATUS)
    assert "Nothing beat the base prompt" in shown(replace(STATUS, winner=BASE, runner_up=WINNER))
