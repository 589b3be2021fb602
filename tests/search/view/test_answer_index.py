"""Answers are filtered, sorted and searched, however many there are."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.judge import Verdict
from evaluators.question import Question
from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial
from search.results.answers_table import AnswerPlace, AskedPrompt
from search.results.stored_answers import StoredAnswer
from search.view.answer_filter import Filter
from search.view.answer_index import PAGE, AnswerIndex
from search.view.answer_rows import Neighbours
from search.view.run_answers import index_answers
from search.view.word_diff import word_diff
from tests.search.report.made_run import small_run
from tests.search.view.folder import made_search, say, score

EMPTY: Mapping[int, str] = MappingProxyType({})
QUESTIONS = {
    f"q{number}": Question(f"q{number}", (f"question {number}",), ("even", "odd")[number % 2]) for number in range(60)
}


class Ledger:
    """What was said, by key; counts how many texts were asked for."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}
        self.read = 0

    def __call__(self, keys: Mapping[AnswerPlace, str]) -> dict[AnswerPlace, StoredAnswer]:
        self.read += len(keys)
        judged = (Verdict(1.0, "judged"),)
        return {place: StoredAnswer((self.said[key],), False, judged) for place, key in keys.items()}

    def trial(
        self, number: int, prompt: str, scores: Mapping[int, float | None], words: Mapping[int, str] = EMPTY
    ) -> tuple[AskedPrompt, ScoredTrial]:
        """Scores by the question's number, None for a failure; what is not said otherwise is plain."""
        texts = {f"q{at}": words.get(at, "plain") for at, score in scores.items() if score is not None}
        keys = {name: f"{number} {name}" for name in texts}
        self.said |= {keys[name]: text for name, text in texts.items()}
        scored = ScoredTrial(
            Trial(Candidate((prompt,)), tuple(f"q{at}" for at in scores)),
            {f"q{at}": score for at, score in scores.items() if score is not None},
            {f"q{at}": "Outage" for at, score in scores.items() if score is None},
            1.0,
            {name: len(text) for name, text in texts.items()},
            keys=keys,
        )
        return AskedPrompt(number, "search", prompt, (prompt,), (), ""), scored


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def index(ledger: Ledger) -> Iterator[AnswerIndex]:
    base = ledger.trial(0, "base prompt", dict.fromkeys(range(60), 1.0))
    other = ledger.trial(1, "other", {0: 3.0, 1: 0.5, 2: None}, {0: 'she said "well done" twice'})
    made = AnswerIndex(QUESTIONS, ledger)
    made.add([base, other], {"base prompt": "base prompt\x1f", "winner": "other\x1f"})
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


def test_words_of_answers_that_come_after_a_search_are_found_too(index: AnswerIndex, ledger: Ledger) -> None:
    assert index.find(Filter(words="later")).total == 0
    index.add([ledger.trial(2, "other", {3: 1.0}, {3: "said later"})], {})
    assert questions(index, Filter(words="later")) == [("other", "q3")]
    assert index.around(AnswerPlace(2, "q3"), Filter(words="later")) == Neighbours(None, None, 1, 1)


def test_texts_are_read_for_a_page_and_an_opened_answer_and_all_of_them_for_a_search_once(
    index: AnswerIndex, ledger: Ledger
) -> None:
    assert ledger.read == 0
    assert index.find(Filter(order="score", descending=True)).rows[0].gist.startswith("she said")
    assert ledger.read == PAGE
    index.answer(AnswerPlace(1, "q1"))
    assert ledger.read == PAGE + 1
    index.find(Filter(words="nowhere"))
    index.find(Filter(words="elsewhere"))
    assert ledger.read == PAGE + 1 + 62  # one of the 63 has failed


@given(st.text(max_size=30))
def test_whatever_is_typed_is_searched_for_and_never_an_error(words: str) -> None:
    ledger = Ledger()
    index = AnswerIndex(QUESTIONS, ledger)
    index.add([ledger.trial(0, "base prompt", {0: 1.0})], {})
    assert index.find(Filter(words=words)).total <= 1
    index.close()


def test_the_base_prompts_answer_stands_beside_the_winners_and_the_other_way_round(index: AnswerIndex) -> None:
    whole = index.answer(AnswerPlace(1, "q0"))
    assert whole is not None
    (base,) = index.of_role([whole], "base prompt")
    assert base is not None
    assert (base.prompt, base.question) == ("base prompt", "q0")
    assert index.of_role([base, whole], "winner") == [whole, whole]
    assert index.of_role([whole], "runner-up") == [None]
    assert index.answer(AnswerPlace(10_000, "q0")) is None


def test_a_role_a_part_of_a_prompts_name_and_lengths_are_filters(index: AnswerIndex) -> None:
    assert {prompt for prompt, _ in questions(index, Filter(role="winner"))} == {"other"}
    assert questions(index, Filter(role="runner-up")) == []
    assert {prompt for prompt, _ in questions(index, Filter(holds="OTH"))} == {"other"}
    assert questions(index, Filter(shortest=6)) == [("other", "q0")]
    assert index.find(Filter(longest=5)).total == 61


def test_answers_are_drawn_at_random_whatever_the_questions_of_a_trial_and_each_of_a_prompt_once(
    ledger: Ledger,
) -> None:
    def drawn(salt: str) -> list[AnswerPlace | None]:
        index, after, places = AnswerIndex(QUESTIONS, ledger, salt), -1, []
        trials = [ledger.trial(number, f"{number % 40}", dict.fromkeys(range(21), 1.0)) for number in range(80)]
        index.add(trials, {})
        for _ in range(20):
            one = index.draw(Filter(), after)
            assert (one.left, one.reviewed) == (40 * 21, 0)
            after = one.at
            places.append(one.place)
        index.close()
        return places

    first = drawn("run")
    assert len({place.question for place in first if place}) > 9
    assert first != drawn("other run")


def test_next_and_previous_stay_within_what_is_asked_for(index: AnswerIndex) -> None:
    by_score = Filter(prompt="other", order="score", descending=True)
    assert index.around(AnswerPlace(1, "q0"), by_score) == Neighbours(None, AnswerPlace(1, "q1"), 1, 3)
    assert index.around(AnswerPlace(1, "q1"), by_score) == Neighbours(AnswerPlace(1, "q0"), AnswerPlace(1, "q2"), 2, 3)
    assert index.around(AnswerPlace(0, "q1"), by_score) is None


def test_a_real_runs_answers_are_in_it_with_the_judges_words(tmp_path: Path) -> None:
    index = index_answers(made_search(tmp_path / "run", "a")).index
    assert index.find(Filter()).total == 4 + 4 + 3 + 3
    assert index.find(Filter(words="judge sees")).total == 14
    assert index.choices("side") == ["search", "held_out"]
    assert index.roles == ["base prompt", "winner"]
    index.close()


def test_an_index_that_grows_with_its_run_is_the_one_that_is_made_at_the_end(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", score, say)
    run.search("b")
    run.go_on()
    known = index_answers(run.path)
    assert known.index.find(Filter()).total == 8
    run.search("a")
    run.judge_finalists(("a",), ())
    run.write()
    grown, anew = index_answers(run.path, known), index_answers(run.path)
    assert grown.index is known.index
    for wanted in (Filter(), Filter(role="winner"), Filter(change="better"), Filter(side="held_out", order="change")):
        assert grown.index.find(wanted) == anew.index.find(wanted)
        assert anew.index.find(wanted).total > 0


def test_an_index_is_made_anew_where_the_journal_has_taken_another_path(tmp_path: Path) -> None:
    known = index_answers(made_search(tmp_path / "run", "a"))
    shutil.rmtree(tmp_path / "run")
    anew = index_answers(made_search(tmp_path / "run", "b"), known)
    assert anew.index is not known.index
    assert {row.prompt for row in anew.index.find(Filter(role="winner")).rows} == {"b, base 1"}


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_word_diff_holds_both_texts(first: str, second: str) -> None:
    spans = word_diff(first, second)
    assert "".join(span.text for span in spans if span.kind != "new") == first
    assert "".join(span.text for span in spans if span.kind != "gone") == second


def test_a_word_diff_of_long_texts_shows_both_whole() -> None:
    kinds = [span.kind for span in word_diff("word " * 3000, "other " * 3000)]
    assert kinds == ["gone", "new"]
