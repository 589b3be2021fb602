"""A run as a table."""

import math
from pathlib import Path

import pytest
from rich.console import Console

from configs.errors import InputError
from configs.loading import load_evaluation
from search.results.answers_table import Answer, read_answers
from search.running.evaluate import evaluate
from tests.search.report.made_run import MadeRun, small_run, table

SCORES = {
    (): {"g1": 5.0, "g2": 6.0, "g3": 4.0, "g4": 5.0, "h1": 3.0, "h2": 4.0, "h3": 5.0},
    ("a",): {"g1": 7.0, "g2": 8.0, "g3": 6.0, "g4": math.nan, "h1": 4.0, "h2": 5.0, "h3": 6.25},
}


def finished(path: Path) -> Path:
    run = small_run(path / "run", table(SCORES), words="well said")
    run.search("a")
    run.judge_finalists(("a",), ())
    return run.write()


def row(rows: list[Answer], trial: int, question: str) -> Answer:
    (found,) = [one for one in rows if (one.trial, one.question) == (trial, question)]
    return found


def test_every_answer_is_a_row_with_its_score_its_words_and_its_side(tmp_path: Path) -> None:
    rows = read_answers(finished(tmp_path))
    assert len(rows) == 4 + 4 + 3 + 3
    assert {(one.trial, one.side, one.prompt) for one in rows} == {
        (0, "search", "base prompt"),
        (1, "search", "a, base 1"),
        (2, "held_out", "a, base 1"),
        (3, "held_out", "base prompt"),
    }
    assert row(rows, 2, "h3") == Answer(
        trial=2,
        side="held_out",
        prompt="a, base 1",
        candidate=("a", "base"),
        added=("a",),
        decoding="",
        question="h3",
        category="prose",
        query="question h3",
        score=6.25,
        failure="",
        length=len("a+base on h3"),
        turns=(),
        answers=("a+base on h3",),
        verdicts=(6.25,),
        words=("well said",),
        new_tokens=3,
        dollars=0.01,
    )


def test_a_failure_is_a_row_with_its_cause_and_without_a_score(tmp_path: Path) -> None:
    failed = row(read_answers(finished(tmp_path)), 1, "g4")
    assert (failed.score, failed.length, failed.failure) == (None, None, "JudgeFailed")
    assert (failed.answers, failed.verdicts, failed.words) == ((), (), ())


def test_a_run_whose_ledger_is_gone_keeps_its_scores_and_lengths(tmp_path: Path) -> None:
    path = finished(tmp_path)
    whole = read_answers(path)
    for file in path.glob("ledger.sqlite*"):
        file.unlink()
    bare = read_answers(path)
    assert [(one.score, one.length) for one in bare] == [(one.score, one.length) for one in whole]
    assert {(one.answers, one.words) for one in bare} == {((), ())}


def test_every_turn_has_its_answer_and_its_score(tmp_path: Path) -> None:
    run = MadeRun(tmp_path / "run", {"g1": ""}, {"h1": ""}, lambda names, question: 5.0, further="and then")
    run.search()
    run.judge_finalists((), ())
    first = row(read_answers(run.write()), 0, "g1")
    assert first.answers == ("base on g1", "further, base on g1")
    assert (first.turns, first.score, first.verdicts) == ((5.0, 6.0), 5.5, (6.0,))


def test_a_search_that_has_not_started_has_no_rows(tmp_path: Path) -> None:
    small_run(tmp_path / "run", table(SCORES))
    assert read_answers(tmp_path / "run") == []
    with pytest.raises(InputError, match="is not a run directory"):
        read_answers(tmp_path)


@pytest.mark.heavy
def test_an_evaluations_rows_have_every_repeat_of_the_judge(tmp_path: Path) -> None:
    (tmp_path / "counting.py").write_text(
        "from itertools import count\nnumber = count()\ndef judge(question, answers): return next(number), 'next'\n"
    )
    judge = f"judge={{kind: function, function: 'counting:judge', folder: {tmp_path}, repeats: 3}}"
    small = ["questions.limit=4", "side=all", "questions.split.by_field=null", "decoding.max_new_tokens=8"]
    evaluate(load_evaluation("evaluate_quickstart", [*small, judge]), tmp_path / "run", Console(quiet=True))
    rows = read_answers(tmp_path / "run")
    assert [(one.trial, one.prompt, len(one.added)) for one in rows[::4]] == [
        (0, "base prompt", 3),
        (1, "no prompt", 0),
        (2, "rules only", 0),
    ]
    assert {(one.side, one.words) for one in rows} == {("evaluation", ("next",) * 3)}
    assert [sum(one.verdicts) / 3 for one in rows] == pytest.approx([one.score for one in rows])
    assert [len(one.answers[-1]) for one in rows] == [one.length for one in rows]
