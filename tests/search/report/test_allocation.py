"""Where a search's answers went."""

from pathlib import Path

from search.report.allocation import allocation
from search.report.allocation_figures import asked_picture
from search.report.findings import find
from search.results.search_results import read_search_results
from tests.search.report.made_run import MadeRun


def test_answers_are_counted_whatever_they_scored(tmp_path: Path) -> None:
    run = MadeRun(tmp_path / "run", {"g1": "", "g2": ""}, {"h1": ""}, lambda names, _: 7.5)
    run.search()
    run.search("a")
    run.search("b", questions=("g1",))
    found = allocation(read_search_results(run.write(ended=False)))
    assert found is not None
    assert found.answers == 5
    assert [(question.name, question.answers) for question in found.questions] == [("g1", 3), ("g2", 2)]
    assert found.behind == {"a": 2, "b": 1, "c": 0}


def test_questions_whose_long_ids_differ_at_the_end_have_different_ticks(tmp_path: Path) -> None:
    questions = {"young-animals-05": "", "young-animals-06": ""}
    run = MadeRun(tmp_path / "run", questions, {"h1": ""}, lambda names, _: 7.5)
    run.search()
    picture = asked_picture(find(read_search_results(run.write(ended=False))))
    assert picture is not None
    assert picture.figure.layout.xaxis.ticktext == ("…ng-animals-05", "…ng-animals-06")
