import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.errors import InputError
from configs.schema.data import QuestionsConfig, SplitConfig
from evaluators.question import Question
from search.problem.split import Split, held_out_by_judge, load_questions, load_split, stratified
from tests.shared_data import shared

QUESTIONS = [Question(str(number), (f"question {number}",), "abc"[number % 3]) for number in range(30)]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def rows(start: int, end: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": number, "query": f"question {number}", "category": "c", **more} for number in range(start, end)]


def ids(questions: tuple[Question, ...]) -> list[str]:
    return [question.id for question in questions]


def test_every_category_gives_the_same_share() -> None:
    split = stratified(QUESTIONS, SplitConfig(held_out_share=0.3))
    assert Counter(question.category for question in split.held_out) == {"a": 3, "b": 3, "c": 3}
    assert len(split.search) == 21


@settings(deadline=None)  # the machine is shared
@given(st.randoms(), st.integers(0, 5), st.floats(0.1, 0.9))
def test_the_split_does_not_depend_on_the_order_of_the_rows(rng: Any, seed: int, share: float) -> None:
    moved = rng.sample(QUESTIONS, len(QUESTIONS))
    config = SplitConfig(seed=seed, held_out_share=share)
    assert stratified(moved, config) == stratified(QUESTIONS, config)
    assert stratified(moved, config).digest == stratified(QUESTIONS, config).digest


@settings(deadline=None)  # the machine is shared
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 9), min_size=2), st.floats(0.05, 0.95))
def test_sizes_are_the_share_as_nearly_as_whole_questions_allow(sizes: dict[str, int], share: float) -> None:
    questions = [Question(f"{name}{n}", (f"{name}{n}",), name) for name, size in sizes.items() for n in range(size)]
    wanted = round(len(questions) * share)
    if wanted in (0, len(questions)):
        with pytest.raises(InputError, match="there is no"):
            stratified(questions, SplitConfig(held_out_share=share))
        return
    split = stratified(questions, SplitConfig(held_out_share=share))
    assert len(split.held_out) == wanted
    held_out = Counter(question.category for question in split.held_out)
    assert all(abs(held_out[name] - size * share) < 1 for name, size in sizes.items())


def test_another_seed_holds_out_other_questions() -> None:
    assert stratified(QUESTIONS, SplitConfig(seed=1)) != stratified(QUESTIONS, SplitConfig(seed=2))


def test_questions_stand_in_the_order_of_their_numbers() -> None:
    split = Split((Question("100", ("a",)), Question("9", ("b",)), Question("x", ("c",))), (Question("10", ("d",)),))
    assert ids(split.search) == ["9", "100", "x"]


def test_a_separate_file_holds_the_held_out_questions(tmp_path: Path) -> None:
    config = QuestionsConfig(
        path=written(tmp_path / "a.jsonl", rows(0, 4)),
        split=SplitConfig(held_out_path=written(tmp_path / "b.jsonl", rows(4, 6))),
    )
    split = load_split(config)
    assert (ids(split.search), ids(split.held_out)) == (["0", "1", "2", "3"], ["4", "5"])


def test_held_out_questions_may_be_of_another_benchmark(tmp_path: Path) -> None:
    outputs = [{"instruction": f"Name {n} things.", "output": "One."} for n in range(3)]
    config = QuestionsConfig(
        path=written(tmp_path / "a.jsonl", rows(0, 4)),
        split=SplitConfig(held_out_path=written(tmp_path / "b.jsonl", outputs), held_out_benchmark="alpaca_eval"),
    )
    split = load_split(config)
    assert ids(split.search) == ["0", "1", "2", "3"]
    assert {question.query for question in split.held_out} == {f"Name {n} things." for n in range(3)}


def test_a_field_may_say_which_side_a_question_is_on(tmp_path: Path) -> None:
    mixed = [*rows(0, 3, side="search"), *rows(3, 5, side="held_out")]
    config = QuestionsConfig(path=written(tmp_path / "a.jsonl", mixed), split=SplitConfig(by_field="side"))
    split = load_split(config)
    assert (ids(split.search), ids(split.held_out)) == (["0", "1", "2"], ["3", "4"])


@pytest.mark.parametrize(
    ("search", "held_out", "complaint"),
    [
        (rows(0, 3), rows(2, 5), r"1 question is asked more than once: .*a\.jsonl, line 3 and .*b\.jsonl, line 1"),
        (rows(0, 3), [{"id": "other", "query": " Question\u00a0 2? "}], r"a\.jsonl, line 3 and .*b\.jsonl, line 1"),
        ([*rows(0, 2), *rows(0, 1)], rows(3, 4), r"a\.jsonl, lines 1 and 3; delete"),
        (
            [*rows(0, 2), {"id": 0, "query": "else"}],
            rows(3, 4),
            r"1 id is given to .*: '0' \(.*a\.jsonl, lines 1 and 3\)",
        ),
    ],
)
def test_a_held_out_question_that_guides_too_is_refused(
    tmp_path: Path, search: list[dict[str, Any]], held_out: list[dict[str, Any]], complaint: str
) -> None:
    config = QuestionsConfig(
        path=written(tmp_path / "a.jsonl", search),
        split=SplitConfig(held_out_path=written(tmp_path / "b.jsonl", held_out)),
    )
    with pytest.raises(InputError, match=complaint):
        load_split(config)


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({}, r"line 1: there is no field 'side'"),
        ({"side": "test"}, r"line 1: 'side' is 'test'; it must be search or held_out"),
        ({"side": "search"}, r"there is no held_out question; give more questions, or change questions\.split"),
    ],
)
def test_a_field_that_divides_nothing_is_refused(tmp_path: Path, more: dict[str, str], complaint: str) -> None:
    path = written(tmp_path / "a.jsonl", rows(0, 3, **more))
    with pytest.raises(InputError, match=complaint):
        load_split(QuestionsConfig(path=path, split=SplitConfig(by_field="side")))


def test_a_single_question_cannot_be_divided(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no"):
        load_split(QuestionsConfig(path=written(tmp_path / "a.jsonl", rows(0, 1))))


def test_the_digest_sees_every_part_of_a_question_and_its_side() -> None:
    first, second = Question("1", ("a",), "c", ("r",)), Question("2", ("b",))
    digests = {
        Split((first,), (second,)).digest,
        Split((second,), (first,)).digest,
        Split((Question("1", ("a",), "d", ("r",)),), (second,)).digest,
        Split((Question("1", ("a",), "c", (None,)),), (second,)).digest,
    }
    assert len(digests) == 4


def test_mt_bench_is_divided_evenly_by_category_with_references_on_both_sides() -> None:
    config = QuestionsConfig(
        benchmark="mt_bench",
        path=shared("mt_bench/question.jsonl"),
        reference_path=shared("mt_bench/reference_answer/gpt-4.jsonl"),
    )
    split = load_split(config)
    assert set(Counter(question.category for question in split.search).values()) == {5}
    assert len(split.held_out) == 40
    assert sum(question.reference() is not None for question in (*split.search, *split.held_out)) == 30


@pytest.mark.parametrize(("input_field", "fate"), [("input", "stands behind the 'query'"), (None, "is left out")])
def test_a_notice_says_what_became_of_text_beside_the_questions(
    tmp_path: Path, input_field: str | None, fate: str
) -> None:
    path = written(tmp_path / "a.jsonl", [*rows(0, 3), {"id": "more", "query": "Translate.", "input": "Good day"}])
    _, notices = load_questions(QuestionsConfig(path=path, input_field=input_field))
    assert len(notices) == 1
    assert f"1 row has text in 'input', which {fate}" in notices[0]
    assert "questions.input_field" in notices[0]


def test_rows_that_say_guiding_as_earlier_data_did_are_search_questions(tmp_path: Path) -> None:
    path = written(tmp_path / "questions.jsonl", [*rows(0, 2, side="guiding"), *rows(2, 3, side="held_out")])
    split = load_split(QuestionsConfig(path=path, split=SplitConfig(by_field="side")))
    assert (ids(split.search), ids(split.held_out)) == (["0", "1"], ["2"])


def test_the_fields_that_a_judge_function_asks_for_come_with_the_question_and_no_others(tmp_path: Path) -> None:
    path = written(tmp_path / "q.jsonl", rows(0, 4, tests=["a", {"b": 1.5}], other="x"))
    asked = load_split(QuestionsConfig(path=path, judge_fields=("tests",)))
    assert [question.fields for question in (*asked.search, *asked.held_out)] == [{"tests": ["a", {"b": 1.5}]}] * 4
    unasked = load_split(QuestionsConfig(path=path))
    assert {question.judge_fields for question in unasked.search} == {""}
    assert asked.digest != unasked.digest
    with pytest.raises(KeyError, match=r"questions\.judge_fields does not name 'other'"):
        _ = asked.search[0].fields["other"]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [({"id": 9, "query": "Why?"}, "no field 'tests'"), ({"id": 9, "query": "Why?", "tests": [1e400]}, "is not JSON")],
)
def test_a_field_for_judge_functions_that_is_not_there_or_no_json_is_refused(
    tmp_path: Path, row: dict[str, Any], complaint: str
) -> None:
    path = written(tmp_path / "q.jsonl", [*rows(0, 3, tests=1), row])
    with pytest.raises(InputError, match=f"line 4: .*{complaint}"):
        load_split(QuestionsConfig(path=path, judge_fields=("tests",)))


def test_the_screening_judge_alone_gets_the_same_share_of_every_category() -> None:
    questions = [Question(str(number), ("?",), category="ab"[number % 2]) for number in range(40)]
    held_out = held_out_by_judge(questions, 0.7, seed=1)
    assert held_out.screened == tuple(question.id for question in questions)
    judged = [question for question in questions if question.id in held_out.judged]
    assert [question.id for question in judged] == [*held_out.judged]
    assert sorted(question.category for question in judged) == ["a"] * 6 + ["b"] * 6
    assert held_out_by_judge(questions, 0.0, seed=1) == (held_out.screened, ())


def test_questions_of_the_screening_judge_are_drawn_apart_from_the_held_out_ones() -> None:
    questions = [Question(str(number), ("?",)) for number in range(40)]
    first = stratified(questions, SplitConfig(held_out_share=0.5, seed=1))
    alone = {question.id for question in questions} - {*held_out_by_judge(questions, 0.5, seed=1).judged}
    assert alone != {question.id for question in first.held_out}


@pytest.mark.parametrize("share", [0.9, 0.17, 0.01])
def test_a_share_that_leaves_one_of_the_judges_with_too_few_questions_is_refused(share: float) -> None:
    questions = [Question(str(number), ("?",)) for number in range(40)]
    with pytest.raises(InputError, match="of 40 held-out questions it leaves"):
        held_out_by_judge(questions, share, seed=0)
