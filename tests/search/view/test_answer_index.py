"""Answers are filtered, sorted and searched, however many there are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.results.answers_table import Answer
from search.view.answer_index import PAGE, AnswerIndex, Filter
from search.view.word_diff import word_diff
from tests.search.view.folder import made_search


def answer(question: int, prompt: str = "base prompt", score: float | None = 1.0, words: str = "plain") -> Answer:
    return Answer(
        trial=int(prompt != "base prompt"),
        side="search",
        prompt=prompt,
        candidate=(),
        added=(),
        decoding="",
        question=f"q{question}",
        category="even" if question % 2 == 0 else "odd",
        query=f"question {question}",
        score=score,
        failure="" if score is not None else "Outage",
        length=None if score is None else len(words),
        turns=(),
        answers=() if score is None else (words,),
        verdicts=() if score is None else (score,),
        words=() if score is None else ("judged",),
    )


@pytest.fixture
def index() -> Iterator[AnswerIndex]:
    base = [answer(number) for number in range(60)]
    other = [answer(0, "other", 3.0, 'she said "well done" twice'), answer(1, "other", 0.5), answer(2, "other", None)]
    made = AnswerIndex([*base, *other])
    yield made
    made.close()


def questions(index: AnswerIndex, wanted: Filter) -> list[tuple[str, str]]:
    return [(row.prompt, row.question) for row in index.find(wanted).rows]


def test_a_page_holds_fifty_and_says_how_many_there_are(index: AnswerIndex) -> None:
    first, second = index.find(Filter()), index.find(Filter(page=1))
    assert (len(first.rows), len(second.rows), first.total) == (PAGE, 13, 63)
    assert not {row.id for row in first.rows} & {row.id for row in second.rows}


def test_change_is_against_the_base_prompt_on_the_same_question(index: AnswerIndex) -> None:
    assert questions(index, Filter(change="better")) == [("other", "q0")]
    assert questions(index, Filter(change="worse")) == [("other", "q1")]
    assert [row.change for row in index.find(Filter(prompt="other")).rows] == [2.0, -0.5, None]


def test_failures_are_found_and_are_never_a_low_score(index: AnswerIndex) -> None:
    assert questions(index, Filter(failed=True)) == [("other", "q2")]
    assert questions(index, Filter(most=0.7)) == [("other", "q1")]
    assert index.find(Filter(order="score", page=1)).rows[-1].failure == "Outage"


def test_filters_add_up(index: AnswerIndex) -> None:
    assert questions(index, Filter(prompt="other", category="even", least=2)) == [("other", "q0")]


@pytest.mark.parametrize("words", ["well twice", '"said well', '"well done"', "SAID", "question 0 well"])
def test_words_are_found_in_any_place_and_quoted_ones_together(index: AnswerIndex, words: str) -> None:
    assert questions(index, Filter(words=words)) == [("other", "q0")]


def test_quoted_words_that_do_not_stand_together_are_not_found(index: AnswerIndex) -> None:
    assert questions(index, Filter(words='"done well"')) == []


@given(st.text(max_size=30))
def test_whatever_is_typed_is_searched_for_and_never_an_error(words: str) -> None:
    index = AnswerIndex([answer(0)])
    assert index.find(Filter(words=words)).total <= 1
    index.close()


def test_the_base_prompts_answer_stands_beside_anothers(index: AnswerIndex) -> None:
    (row,) = index.find(Filter(prompt="other", question="q0")).rows
    whole = index.answer(row.id)
    assert whole is not None
    base = index.base_of(whole)
    assert base is not None
    assert (base.prompt, base.question) == ("base prompt", "q0")
    assert index.base_of(base) is None
    assert index.answer(10_000) is None


def test_a_real_runs_answers_are_in_it_with_the_judges_words(tmp_path: Path) -> None:
    index = AnswerIndex.of(made_search(tmp_path / "run", "a"))
    assert index.find(Filter()).total == 4 + 4 + 3 + 3
    assert index.find(Filter(words="judge sees")).total == 14
    assert index.choices("side") == ["search", "held_out"]
    index.close()


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_word_diff_holds_both_texts(first: str, second: str) -> None:
    spans = word_diff(first, second)
    assert "".join(span.text for span in spans if span.kind != "new") == first
    assert "".join(span.text for span in spans if span.kind != "gone") == second


def test_a_word_diff_of_long_texts_shows_both_whole() -> None:
    kinds = [span.kind for span in word_diff("word " * 3000, "other " * 3000)]
    assert kinds == ["gone", "new"]
