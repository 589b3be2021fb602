"""A whole search with a cheap judge, on the quickstart's real model."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from configs.loading import load_config
from search.report.findings import find
from search.report.forms import report
from search.results.answers_table import read_answers
from search.results.search_results import read_search_results
from search.results.status import read_status
from search.running.launch import launch, resume
from search.running.winners import evaluation_of_winners

pytestmark = pytest.mark.heavy

QUIET = Console(quiet=True)
CONFIG = [
    *("workers.kind=local", "pool.limit=6", "questions.limit=30", "decoding.max_new_tokens=8", "window=3"),
    "strategy={kind: screening, max_demonstrations: 2, evaluations: 40, block: 4, screening_judge_answers: 24}",
    *("judge.screening={kind: reference, metric: rouge_l}", "judge.screened_held_out_share=0.5"),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search") / "run"
    launch(load_config("quickstart", CONFIG), path, QUIET)
    return path


def test_both_judges_verdicts_are_counted_and_the_agreement_is_in_the_journals_last_line(path: Path) -> None:
    status, lines = read_status(path), (path / "journal.jsonl").read_text().splitlines()
    end = json.loads(lines[-1])["end"]
    screened = [json.loads(line) for line in lines if '"screening":true' in line and '"search":' in line]
    assert status.screening is not None
    assert status.screening.agreement == end["agreement"]
    assert 0 < status.screening.answers == sum(len(line["scores"]) for line in screened) <= 24
    assert status.screening.verdicts + status.screening.screening_verdicts == status.spend.judged
    assert status.screening.screening_verdicts > 0
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["screening_judge"] != manifest["judge"]


def test_no_score_of_the_cheap_judge_stands_in_a_result(path: Path) -> None:
    results = read_search_results(path)
    records = [json.loads(line) for line in (path / "journal.jsonl").read_text().splitlines()[1:-1]]
    judged = [(tuple(line["search"]), name) for line in records if "search" in line and "screening" not in line
              for name in line["scores"]]  # fmt: skip
    told = [(candidate.demonstrations, name) for candidate, known in results.search.items() for name in known.scores]
    assert sorted(told) == sorted(judged)
    assert len([answer for answer in read_answers(path) if answer.side == "search"]) == len(judged)


def test_the_report_counts_what_both_were_asked(path: Path) -> None:
    findings = find(read_search_results(path))
    assert findings.costs.answers_known <= findings.costs.answers
    assert findings.costs.verdicts == findings.costs.verdicts_known + findings.costs.spend.judged
    assert len(findings.costs.judges) == 2


def test_its_winner_is_evaluated_by_the_judge_alone(path: Path, tmp_path: Path) -> None:
    config, _ = evaluation_of_winners([path], tmp_path)
    assert not hasattr(config.judge, "screening")


def test_resumed_it_is_the_same_search(path: Path) -> None:
    before = (path / "journal.jsonl").read_bytes()
    assert resume(path, QUIET).spend == read_status(path).spend
    assert (path / "journal.jsonl").read_bytes() == before


def test_held_out_questions_are_the_cheap_judges_alone_as_far_as_wanted_and_gains_by_both_stand_beside_the_plain(
    path: Path,
) -> None:
    results, screening = read_search_results(path), read_status(path).screening
    assert screening is not None
    assert results.material is not None
    judged, screened = results.held_out, results.journal.screened_held_out
    assert [*judged] == [*screened]
    assert len(judged.questions) < len(screened.questions)
    assert {*judged.questions} < {*screened.questions} == {question.id for question in results.material.held_out}
    gain = screening.gains[0].to_json()
    assert gain["n_further"] == len(screened.questions) - len(judged.questions)
    assert gain["plain"]["n"] == gain["gain"]["n"] == len(judged.questions)
    assert gain["plain"] == read_status(path).to_json()["held_out_gain"] or gain["role"] == "runner-up"
    assert f"he screening judge's scores of {gain['n_further']} further held-out questions" in report(path, "md")
