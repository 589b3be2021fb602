"""What a report says of an evaluation whose every score is known."""

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from configs.errors import InputError
from configs.loading import load_evaluation
from search.report.evaluation.findings import EvaluationFindings, find_evaluation
from search.report.evaluation.sentences import evaluation_caveats, evaluation_summary
from search.report.forms import report
from search.results.alpaca_eval import Place
from search.results.evaluation_results import read_evaluation_results
from search.run_directory.run import Run
from search.run_directory.variant_records import read_variant_records, write_variant_records
from tests.search.report.made_evaluation import made_evaluation

QUESTIONS = {f"q{number}": "maths" if number < 6 else "prose" for number in range(12)}
ADDED = {"base": 0.0, "better": 2.0, "worse": -1.0}


def score(name: str, question: str) -> float:
    """Better by two points, a little more on later questions; worse by one."""
    number = int(question[1:])
    return 5.0 + number % 3 + ADDED[name] + 0.1 * number * (name == "better")


def found(path: Path) -> EvaluationFindings:
    return find_evaluation(read_evaluation_results(path))


def test_every_variant_stands_beside_the_first_question_by_question(tmp_path: Path) -> None:
    findings = found(made_evaluation(tmp_path / "run", QUESTIONS, ("base", "better", "worse"), score))
    base, better, worse = findings.variants
    assert base.result.difference is None
    assert better.result.difference is not None
    assert better.result.difference.mean == pytest.approx(2.55)
    assert worse.result.difference is not None
    assert worse.result.difference.mean == -1.0
    assert worse.result.difference.high < 0
    first, second = evaluation_summary(findings)
    assert "On 12 questions, “better” does better than “base”: +2.55 points (95 % interval" in first
    assert "“worse” does worse than “base”: −1.00 points" in second


def test_categories_have_differences_of_their_own_and_those_that_are_left_without_them(tmp_path: Path) -> None:
    findings = found(made_evaluation(tmp_path / "run", QUESTIONS, ("base", "better"), score))
    rows = {(row.category, row.variant): row for row in findings.categories}
    maths, prose = rows["maths", "better"], rows["prose", "better"]
    assert maths.difference is not None
    assert prose.without is not None
    assert maths.difference.mean == pytest.approx(2.25)
    assert maths.difference == prose.without
    assert rows["maths", "base"].difference is None


def test_a_gain_in_one_category_alone_and_one_with_longer_answers_are_doubted(tmp_path: Path) -> None:
    def in_maths(name: str, question: str) -> float:
        return 5.0 + int(question[1:]) % 3 + 3.0 * (name == "b" and QUESTIONS[question] == "maths")

    def say(name: str, question: str) -> str:
        return "word " * (2 + int(question[1:]) + 20 * (name == "b"))

    findings = found(made_evaluation(tmp_path / "run", QUESTIONS, ("a", "b"), in_maths, say))
    caveats = " ".join(evaluation_caveats(findings))
    assert "rests on the category “maths”: without it, 0.00" in caveats
    assert "times the length" in caveats


def test_a_difference_that_may_be_nothing_is_neither_put_down_to_length_nor_to_a_category(tmp_path: Path) -> None:
    def now_and_then(name: str, question: str) -> float:
        return 5.0 + (name == "b") * {"q1": 4.0, "q8": -3.0}.get(question, 0.0)

    def say(name: str, question: str) -> str:
        return "word " * (2 + int(question[1:]) + 20 * (name == "b"))

    findings = found(made_evaluation(tmp_path / "run", QUESTIONS, ("a", "b"), now_and_then, say))
    gain = findings.others[0].result.difference
    assert gain is not None
    assert gain.low < 0 < gain.mean
    assert [caveat for caveat in evaluation_caveats(findings) if "“b”" in caveat] == []


def test_of_many_variants_the_summary_names_one_and_says_that_it_is_partly_luck(tmp_path: Path) -> None:
    names = ("base", *(f"c{number}" for number in range(6)))
    path = made_evaluation(tmp_path / "run", QUESTIONS, names, lambda name, q: int(q[1:]) + float(name == "c3"))
    best, of_how_many = evaluation_summary(found(path))
    assert "“c3”" in best
    assert "of 6 variants" in of_how_many
    assert "partly luck" in of_how_many
    assert any("by chance" in caveat for caveat in evaluation_caveats(found(path)))


def test_the_questions_shown_are_those_that_gained_and_lost_most_with_the_judges_words(tmp_path: Path) -> None:
    def unlike(name: str, question: str) -> float:
        return 5.0 + (name == "b") * {"q1": 4.0, "q2": -3.0}.get(question, 0.0)

    findings = found(made_evaluation(tmp_path / "run", QUESTIONS, ("a", "b"), unlike))
    assert [one.question.id for one in findings.contrasts] == ["q1", "q2"]
    points, said = findings.contrasts[0].answers["b"]
    assert (points, said.answers, said.words) == (9.0, ("b on q1",), ("as the judge sees it",))


def test_failed_questions_are_in_no_pair_and_a_variant_with_too_many_has_no_score(tmp_path: Path) -> None:
    def moody(name: str, question: str) -> float:
        fails = {"some": question == "q1", "most": question != "q1"}.get(name, False)
        return math.nan if fails else 5.0 + (name == "some")

    findings = found(made_evaluation(tmp_path / "run", QUESTIONS, ("base", "some", "most"), moody))
    _, some, most = findings.variants
    assert some.result.difference is not None
    assert some.result.difference.n == 11
    assert most.result.score is None
    assert [one.name for one in findings.others] == ["some"]
    assert [(one.cause, one.count) for one in findings.failures] == [("JudgeFailed", 12)]
    caveats = " ".join(evaluation_caveats(findings))
    assert "1 question failed for “some”" in caveats
    assert "“most” has no score: 11" in caveats


def test_variants_that_say_the_same_are_judged_once_and_the_costs_say_so(tmp_path: Path) -> None:
    path = made_evaluation(tmp_path / "run", QUESTIONS, ("a", "b"), score_of_two, lambda _, question: f"on {question}")
    costs = found(path).costs
    assert (costs.answers, costs.verdicts, costs.verdicts_known) == (24, 24, 12)
    assert costs.spend.judge.dollars == pytest.approx(0.12)


def score_of_two(name: str, question: str) -> float:
    return 5.0


def test_win_rates_of_the_leaderboard_have_intervals(tmp_path: Path) -> None:
    places = (Place("a", 40.0, 2.0, 42.0, 1.0, "", 12), Place("b", 50.0, 2.0, None, None, "no package", 12))
    path = made_evaluation(tmp_path / "run", QUESTIONS, ("a", "b"), score_of_two, places=places)
    findings = found(path)
    first, second = (one.win_rates for one in findings.variants)
    assert first is not None
    assert first.plain is not None
    assert first.length_controlled is not None
    assert first.plain.high - first.plain.mean == pytest.approx(2 * 2.201, abs=0.001)  # Student's t, 11 degrees
    assert first.length_controlled.mean == 42.0
    assert second is not None
    assert second.length_controlled is None
    assert any("no package" in caveat for caveat in evaluation_caveats(findings))
    assert "| a | 40.00 (35.60 to 44.40, n = 12) | 42.00 (" in report(path, "md")


def test_a_variant_that_is_not_through_is_named(tmp_path: Path) -> None:
    findings = found(made_evaluation(tmp_path / "run", QUESTIONS, ("base", "better"), score, through=1))
    assert findings.missing == ("better",)
    assert evaluation_summary(findings)[0].startswith("On 12 questions, “base” scores 6.00 (95 % interval")
    caveats = " ".join(evaluation_caveats(findings))
    assert "The evaluation has stopped (interrupted)" in caveats
    assert "“better”" in caveats


@pytest.mark.parametrize("form", ["html", "md"])
def test_an_evaluation_that_is_still_loading_has_a_report(form: str, tmp_path: Path) -> None:
    Run.create(tmp_path / "run", load_evaluation("evaluate_quickstart")).close()
    assert "No variant is through yet." in report(tmp_path / "run", "md" if form == "md" else "html")


def test_markdown_tells_what_the_page_tells(tmp_path: Path) -> None:
    text = report(
        made_evaluation(tmp_path / "run", QUESTIONS, ("base", "better"), score, words="a | b\n```\n# no"), "md"
    )
    assert "| better | 8.55 (" in text
    assert "| maths | better | " in text
    for heading in ("Variants", "Categories", "Length of the answers", "Answers side by side", "Cost", "Failures"):
        assert f"\n## {heading}\n" in text
    assert "\n````text\na | b\n```\n# no\n````\n" in text


def test_variants_that_get_through_while_it_is_read_confuse_nothing(tmp_path: Path) -> None:
    path = made_evaluation(tmp_path / "run", QUESTIONS, ("base", "better", "worse"), score)
    Run.open(path).set_state("running")
    base, better, worse = read_variant_records(path).values()
    enough = Event()

    def write_often() -> None:
        while not enough.is_set():
            write_variant_records(path, [base, worse])
            write_variant_records(path, [base, better, worse])

    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(write_often)
        try:
            names = {tuple(variant.name for variant in found(path).variants) for _ in range(20)}
        finally:
            enough.set()
        writing.result()
    assert names <= {("base", "worse"), ("base", "better", "worse")}


def test_answers_that_the_ledger_has_lost_are_said_and_not_shown(tmp_path: Path) -> None:
    path = made_evaluation(tmp_path / "run", QUESTIONS, ("base", "better"), score)
    assert "better on q11" in report(path, "md")
    (path / "ledger.sqlite").unlink()
    text = report(path, "md")
    assert "is missing: what was paid for, answered and failed cannot be shown" in text
    assert "better on q11" not in text
    assert "| better | 8.55 (" in text


@pytest.mark.parametrize("name", ["results.json", "material.json"])
def test_a_file_of_another_evaluation_is_refused(name: str, tmp_path: Path) -> None:
    path = made_evaluation(tmp_path / "run", QUESTIONS, ("base", "better"), score)
    other = made_evaluation(tmp_path / "other", {"x": "maths"}, ("base", "better"), lambda *_: 5.0)
    (path / name).write_bytes((other / name).read_bytes())
    with pytest.raises(InputError, match=r"material.json is damaged .*it has no '.*', which the results name"):
        report(path)


def test_results_that_lack_a_variant_of_a_finished_evaluation_are_refused(tmp_path: Path) -> None:
    path = made_evaluation(tmp_path / "run", QUESTIONS, ("base", "better"), score)
    write_variant_records(path, [read_variant_records(path)["base"]])
    with pytest.raises(InputError, match=r"results.json has lost variants, since the evaluation has finished"):
        report(path)
