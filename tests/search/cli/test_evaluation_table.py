"""What a person reads of an evaluation."""

from pathlib import Path

import pytest
from rich.console import Console

from evaluators.drafting import Drafting
from evaluators.ledger.spend import Spend
from search.cli.evaluation_table import evaluation_view
from search.results.candidate_results import CandidateResults
from search.results.comparison import compare
from search.results.evaluation_status import EvaluationStatus


def shown(status: EvaluationStatus, width: int = 150) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(evaluation_view(status, Path("run")))
    return captured.get()


def test_names_and_reasons_are_shown_as_they_are_whatever_is_in_them() -> None:
    variants = {name: CandidateResults(0, {"q1": 1.0, "q2": 2.0}) for name in ("the [base]", "theirs [/v2]")}
    results = compare(variants, {"q1": "[maths]", "q2": "[/prose]"}, 0.95, 0.1)
    text = shown(EvaluationStatus("run", "stopped", "the judge said '[/INST]'", results, Spend(), ()))
    for part in ("the [base]", "over the [base]", "theirs [/v2]", "[maths]", "[/prose]", "'[/INST]'"):
        assert part in text


@pytest.mark.parametrize("failed", [0, 1])
def test_scores_that_leave_out_failed_questions_say_so(failed: int) -> None:
    scores = {"q1": 1.0, "q2": 2.0, "q3": 3.0}
    fewer = CandidateResults(0, {"q1": 1.0, "q2": 2.0}, failures={"q3": "JudgeFailed"}) if failed else None
    variants = {"one": CandidateResults(0, scores), "two": fewer or CandidateResults(0, scores)}
    results = compare(variants, dict.fromkeys(("q1", "q2", "q3"), ""), 0.95, 0.5)
    text = shown(EvaluationStatus("run", "finished", "", results, Spend(), ()))
    assert ("Scores leave out the questions that failed" in text) == bool(failed)


def test_what_drafts_brought_is_told_where_somebody_counts() -> None:
    counted = EvaluationStatus("run", "finished", "", (), Spend(), (), drafting=Drafting(2400, 800, 2000))
    assert "80 % of 2,000 drafted tokens accepted: 3.0 tokens a pass of the model" in shown(counted)
    assert (counted.to_json()["tokens_per_pass"], counted.to_json()["drafts_accepted"]) == (3.0, 0.8)
    assert "drafts" not in shown(EvaluationStatus("run", "finished", "", (), Spend(), ()))


def test_no_number_is_cut_at_eighty_columns() -> None:
    variants = {f"a variant with a long name {n}": CandidateResults(0, {"q1": 1.0 + n, "q2": 2.0}) for n in range(4)}
    results = compare(variants, {"q1": "a category with a long name", "q2": "prose"}, 0.95, 0.1)
    text = shown(EvaluationStatus("run", "finished", "", results, Spend(), ()), width=80)
    assert "…" not in text
    assert all(f"{result.score.mean:.2f}" in text for result in results if result.score)
