"""What a person reads of a run."""

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from evaluators.drafting import Drafting
from evaluators.ledger.spend import Spend
from search.cli.status_table import status_view
from search.problem.candidate import Candidate
from search.results.status import Standing, Status
from search.statistics.estimates import Estimate

BASE = Standing(Candidate(("base",)), Estimate(5.0, 4.0, 6.0, 80), Estimate(5.0, 4.0, 6.0, 40), None)
WINNER = Standing(Candidate(("a", "base")), Estimate(6.0, 5.0, 7.0, 16), None, None)
STATUS = Status("run", "finished", "", 9, WINNER, BASE, BASE, Spend())


def shown(status: Status, width: int = 150) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(status_view(status, Path("run")))
    return captured.get()


def test_scores_on_different_numbers_of_questions_say_so() -> None:
    text = shown(STATUS)
    lines = {line.split()[0]: line.rstrip() for line in text.splitlines() if "[" in line}
    assert lines["winner"].endswith("16")
    assert lines["base"].endswith("80 + 40")
    fewer = replace(BASE, held_out_score=Estimate(6.0, 5.0, 7.0, 39))
    for winner, differ in ((WINNER, True), (fewer, True), (BASE, False)):
        assert ("Scores over different questions" in shown(replace(STATUS, winner=winner))) == differ


def test_what_drafts_brought_is_said_where_there_were_any() -> None:
    drafted = shown(replace(STATUS, drafting=Drafting(900, 300, 800)))
    assert "75 % of 800 drafted tokens accepted: 3.0 tokens a pass of the model" in drafted
    assert "drafted" not in shown(replace(STATUS, drafting=Drafting(900, 900, 0)))


def test_a_run_at_a_glance_fits_eighty_columns() -> None:
    full = replace(WINNER, held_out_score=BASE.held_out_score, held_out_gain=BASE.held_out_score, length=1234.5)
    text = shown(replace(STATUS, winner=full, runner_up=full), width=80)
    assert "answers of 1,234 characters" in text
    assert "…" not in text


def test_a_winner_without_held_out_scores_is_not_taken_for_the_base_prompt() -> None:
    assert "Nothing beat the base prompt" not in shown(STATUS)
    assert "Nothing beat the base prompt" in shown(replace(STATUS, winner=BASE, runner_up=WINNER))


def test_what_a_judge_said_is_shown_as_it_is_where_it_stopped_the_run() -> None:
    text = shown(replace(STATUS, state="stopped", reason="for example, 'Rating: [good][/INST]'"))
    assert "'Rating: [good][/INST]'" in text


def test_a_price_that_rests_on_estimates_says_about() -> None:
    text = shown(replace(STATUS, spend=Spend(dollars=1.5, estimated=3)))
    assert "about $1.50" in text
    assert "the tokens of 3 calls, which the service did not count" in text
    assert "$1.50" in (exact := shown(replace(STATUS, spend=Spend(dollars=1.5))))
    assert "about" not in exact


@pytest.mark.parametrize("width", [60, 80])
def test_every_number_of_an_interval_is_whole_however_narrow_the_output_is(width: int) -> None:
    wide = Estimate(62.25, -51.5, 173.75, 80)
    standing = replace(BASE, search_score=wide, held_out_score=wide, held_out_gain=wide)
    text = shown(replace(STATUS, winner=standing, runner_up=standing, base=standing), width)
    assert "…" not in text
    words = text.replace("+", "").split()
    assert [words.count(number) for number in ("62.25", "[-51.50,", "173.75]")] == [9, 9, 9]
    assert text.split().count("+173.75]") == 3  # gains have their signs


def test_one_thing_is_counted_in_the_singular() -> None:
    text = shown(replace(STATUS, spend=Spend(generated=1, new_tokens=1, judged=1)))
    assert "1 generation (1 token), 1 verdict\n" in "\n".join([line.rstrip() for line in text.splitlines()] + [""])


def test_what_was_paid_is_unknown_where_the_ledger_is_missing() -> None:
    text = shown(replace(STATUS, has_ledger=False, lost="The ledger x is missing."))
    assert "unknown: the ledger is missing" in text
    assert "0 generations" not in text
