"""What people say of answers: written in the view, filtered, exported, and held against the judge."""

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from configs.errors import InputError
from search.export.reviews import reviewed_answers
from search.report.forms import read
from search.report.forms.markdown import markdown
from search.results.answers_table import Answer, read_answers
from search.run_directory.reviews import FILE, Review, Reviewed, read_reviews, write_review
from search.view.bundle import write_bundle
from search.view.server import make_app
from tests.search.report.made_evaluation import made_evaluation
from tests.search.view.folder import made_folder

HERE = "http://127.0.0.1:8765"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_folder(tmp_path_factory.mktemp("above") / "runs")


@pytest.fixture
def run(folder: Path) -> Path:
    (folder / "first" / FILE).unlink(missing_ok=True)
    return folder / "first"


@pytest.fixture
def client(folder: Path) -> TestClient:
    client = TestClient(make_app(folder, "secret", editing=True), base_url=HERE, headers={"Origin": HERE})
    client.get("/?token=secret")
    return client


def of_trial(run: Path, trial: int, question: str) -> Answer:
    return next(row for row in read_answers(run) if (row.trial, row.question) == (trial, question))


def found(client: TestClient, query: str) -> list[tuple[int, str]]:
    rows = client.get(f"/answers/first?as=json&{query}").json()["rows"]
    return [(row["trial"], row["question"]) for row in rows]


def test_a_review_is_written_beside_the_run_and_holds_for_the_prompt_whatever_the_trial(
    client: TestClient, run: Path
) -> None:
    reply = client.post("/review/first?trial=1&item=g1", json={"good": False, "comment": " too long\nby far "})
    assert reply.json() == {"good": False, "comment": "too long\nby far", "blind": False}
    written = read_reviews(run)
    assert written == {of_trial(run, 1, "g1").reviewed: Review(False, "too long\nby far")}
    assert "too long" in client.get("/answer/first?trial=1&item=g1").text
    client.post("/review/first?trial=1&item=g1", json={"good": None, "comment": ""})
    assert read_reviews(run) == {}


SEEN, UNSEEN = Review(comment="why"), Review(comment="why", blind=True)


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        (SEEN, {"good": True, "blind": True}, Review(True, "why")),  # whoever wrote that had seen the score
        (UNSEEN, {"good": True, "blind": True}, Review(True, "why", blind=True)),
        (UNSEEN, {"good": True}, Review(True, "why")),
        (UNSEEN, {"comment": "why not"}, Review(comment="why not")),
        (Review(good=False, blind=True), {"comment": "why"}, Review(False, "why", blind=True)),
        (Review(good=False), {"comment": "why", "blind": True}, Review(False, "why")),
        (Review(False, "why"), {"good": None}, SEEN),
        (Review(good=False), {"good": None, "blind": True}, Review()),
        (Review(False, "why"), {}, Review(False, "why")),
    ],
)
def test_what_a_page_leaves_out_stays_and_a_review_is_blind_if_nothing_was_said_in_sight_of_the_score(
    client: TestClient, run: Path, before: Review, change: dict[str, object], after: Review
) -> None:
    answer = of_trial(run, 1, "g1")
    write_review(run, answer.reviewed, before)
    reply = client.post("/review/first?trial=1&item=g1", json=change)
    assert Review(**reply.json()) == read_reviews(run).get(answer.reviewed, Review()) == after


@pytest.mark.parametrize(("said", "left"), [(SEEN, 0), (UNSEEN, 1)])
def test_an_answer_that_was_commented_on_is_drawn_with_its_comment_if_that_was_blind(
    client: TestClient, run: Path, said: Review, left: int
) -> None:
    write_review(run, of_trial(run, 1, "g1").reviewed, said)
    page = client.get("/review/first?role=winner&question=g1").text
    assert f"0 reviewed, {left} to go" in page
    assert (">why</textarea>" in page) == bool(left)


def test_passing_over_meets_every_answer_before_one_comes_again(client: TestClient, run: Path) -> None:
    met, link = list[str](), ""
    for _ in range(len(read_answers(run)) + 1):
        page = client.get(f"/review/first{link}").text
        met.append(page.partition('data-place="')[2].partition('"')[0])
        link = page.partition('<a rel="next" href="')[2].partition('"')[0]
    assert met[-1] == met[0]
    assert len({*met}) == len(met) - 1


def test_answers_are_filtered_by_their_reviews_and_found_by_the_words_of_a_comment(
    client: TestClient, run: Path
) -> None:
    client.post("/review/first?trial=1&item=g1", json={"good": True})
    client.post("/review/first?trial=1&item=g2", json={"good": False, "comment": "Wanders off, ÜBER all"})
    client.post("/review/first?trial=0&item=g1", json={"comment": "half-way"})
    everything = len(read_answers(run))
    assert found(client, "review=good") == [(1, "g1")]
    assert found(client, "review=bad") == [(1, "g2")]
    assert found(client, "review=any") == [(1, "g1"), (1, "g2")]
    assert found(client, "review=commented") == [(0, "g1"), (1, "g2")]
    assert len(found(client, "review=none")) == everything - 2
    assert found(client, "words=wanders+OFF+über") == [(1, "g2")]
    assert "reviewed: bad</span> Wanders off" in client.get("/answers/first").text


def test_blind_reviews_show_one_answer_after_another_without_its_prompt_score_or_verdict(
    client: TestClient, run: Path
) -> None:
    everything, met = len(read_answers(run)), set()
    for left in range(everything, 0, -1):
        page = client.get("/review/first").text
        assert f"{everything - left} reviewed, {left} to go" in page
        assert not any(word in page for word in ("winner", "base prompt", "as the judge sees it", "Score"))
        place = page.partition('data-place="')[2].partition('"')[0].replace("&amp;", "&")
        met.add(place)
        assert client.post(f"/review/first?{place}", json={"good": True, "blind": True}).json()["blind"]
    assert len(met) == everything
    assert "No answer is left" in client.get("/review/first").text


def test_a_verdict_stays_a_blind_one_until_it_is_changed(run: Path) -> None:
    of = of_trial(run, 1, "g1").reviewed
    write_review(run, of, Review(good=True, blind=True))
    assert write_review(run, of, Review(good=True, comment="still")).blind
    assert not write_review(run, of, Review(good=False)).blind
    assert not write_review(run, of, Review(good=True)).blind


@pytest.mark.parametrize(
    ("address", "body", "code"),
    [
        ("first?trial=99&item=g1", {"good": True}, 409),
        ("first?trial=x&item=g1", {"good": True}, 409),
        ("nobody?trial=1&item=g1", {"good": True}, 409),
        ("first?trial=1&item=g1", {"good": "yes"}, 400),
        ("first?trial=1&item=g1", {"verdict": 1}, 400),
        ("first?trial=1&item=g1", {"comment": "x" * 70_000}, 413),
    ],
)
def test_what_is_no_review_is_refused_in_a_sentence(
    client: TestClient, run: Path, address: str, body: dict[str, object], code: int
) -> None:
    reply = client.post(f"/review/{address}", json=body)
    assert reply.status_code == code
    assert reply.json()["error"]
    assert read_reviews(run) == {}


def test_nobody_reviews_in_a_view_that_only_reads(folder: Path, run: Path) -> None:
    client = TestClient(make_app(folder), base_url=HERE, headers={"Origin": HERE})
    assert client.post("/review/first?trial=1&item=g1", json={"good": True}).status_code == 405
    assert client.get("/review/first").status_code == 404
    assert 'id="review"' not in client.get("/answer/first?trial=1&item=g1").text
    assert read_reviews(run) == {}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"reviews": 1}', '{"reviews": [{"of": ["a"]}]}', "\ud83d"])
def test_damaged_reviews_are_never_overwritten_and_what_to_do_is_said(run: Path, content: str) -> None:
    (run / FILE).write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError, match="restore the file from a copy, or remove it"):
        write_review(run, Reviewed("a", "b"), Review(good=True))
    assert (run / FILE).read_bytes() == content.encode("utf-8", "surrogatepass")
    with pytest.raises(InputError, match="restore the file from a copy, or remove it"):
        reviewed_answers(run)


def test_a_run_with_damaged_reviews_is_shown_without_them_and_says_so(
    client: TestClient, run: Path, tmp_path: Path
) -> None:
    (run / FILE).write_text("{")
    for address in ("answers/first", "answer/first?trial=1&item=g1", "review/first", "report/first"):
        reply = client.get(f"/{address}")
        assert (reply.status_code, "reviews.json is damaged" in reply.text) == (200, True), address
    assert write_bundle(run, tmp_path / "bundle").reviews == 0
    assert "reviews.json is damaged" in (tmp_path / "bundle" / "answers" / "first.html").read_text()


def test_reviewed_answers_are_exported_with_what_the_judge_made_of_them(run: Path) -> None:
    with pytest.raises(InputError, match="has no reviews"):
        reviewed_answers(run)
    answer = of_trial(run, 1, "g2")
    write_review(run, answer.reviewed, Review(False, "dull"))
    write_review(run, Reviewed(answer.reviewed.prompt, "gone"), Review(good=True))
    text, unmatched = reviewed_answers(run)
    (line,) = map(json.loads, text.splitlines())
    assert unmatched == 1
    assert (line["good"], line["comment"], line["blind"]) == (False, "dull", False)
    assert (line["question"], line["score"], line["answers"]) == ("g2", answer.score, [*answer.answers])


def made_reviews(path: Path, *, blind: bool, questions: int = 12) -> Path:
    """An evaluation of two variants, of which people like the one that the judge likes, but on one question."""
    asked = {f"h{number}": "maths" for number in range(questions)}
    made_evaluation(path, asked, ("plain", "rich"), lambda name, _: 2.0 + (name == "rich"))
    for number, question in enumerate(asked):
        good = ("rich", "plain")[number == 0]
        for name in ("plain", "rich"):
            write_review(path, Reviewed(name, question), Review(good=name == good, blind=blind))
    return path


@pytest.mark.parametrize(
    ("questions", "blind", "said"),
    [
        (12, True, "In 92 % (71 % to 98 %) of the pairs of a good and a bad answer, the judge scores the good one"),
        (12, True, "All verdicts were given blind"),
        (12, False, "Given blind: 0 of 24 verdicts; the others may be influenced"),
        (4, True, "People call 4 answers good and 4 bad. The judge's agreement is shown once 5 questions"),
    ],
)
def test_a_report_says_how_far_people_and_the_judge_agree(
    tmp_path: Path, questions: int, blind: bool, said: str
) -> None:
    assert said in markdown(read(made_reviews(tmp_path / "run", blind=blind, questions=questions)))


def test_a_bundle_keeps_reviews_and_filters_by_them(run: Path, tmp_path: Path) -> None:
    write_review(run, of_trial(run, 1, "g2").reviewed, Review(False, "Wanders off"))
    assert write_bundle(run, tmp_path / "bundle").reviews == 1
    assert "reviewed: bad</span> Wanders off" in (tmp_path / "bundle" / "answers" / "first.html").read_text()
    assert '"Wanders off"' in (tmp_path / "bundle" / "answers" / "first.rows-0.js").read_text()
