import json
from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError
from configs.schema.data import PoolConfig
from search.problem.pool import Pool, load_pool
from search.prompts.demonstration import Demonstration, content_id
from search.prompts.urial import BACKTICKS
from tests.search.problem.test_shifted_answers import pool_pairs, shifted
from tests.shared_data import shared


def pool_of(tmp_path: Path, rows: list[dict[str, Any]], **knobs: Any) -> Pool:
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    usable = knobs.pop("usable", lambda _: True)
    return load_pool(PoolConfig(path=path, **knobs), usable)


def row(query: str, answer: str | None = "answer", **more: Any) -> dict[str, Any]:
    return {"query": query, "answer": answer, **more}


def test_a_pool_keeps_the_order_of_the_file_and_ids_from_the_content(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, [row("b"), row("a")])
    assert list(pool) == [content_id("b", "answer"), content_id("a", "answer")]
    assert pool[content_id("a", "answer")] == Demonstration(content_id("a", "answer"), "a", "answer")
    assert pool.report.problems == ()


def test_ids_do_not_change_when_rows_move_but_the_digest_does(tmp_path: Path) -> None:
    one, other = pool_of(tmp_path, [row("a"), row("b")]), pool_of(tmp_path, [row("b"), row("a")])
    assert set(one) == set(other)
    assert one.digest != other.digest
    assert one.digest == pool_of(tmp_path, [row("a"), row("b")]).digest


def test_fields_are_named_in_the_config_and_a_row_without_an_id_gets_one(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"n": 7, "instruction": "q", "output": "a"}, {"instruction": "r", "output": "b"}]
    pool = pool_of(tmp_path, rows, query_field="instruction", answer_field="output", id_field="n")
    assert list(pool) == ["7", content_id("r", "b")]


def test_the_same_content_is_kept_once_and_reported_with_both_places(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, [row("a", id=1), row("b", id=2), row("a", id=3)], id_field="id")
    assert list(pool) == ["1", "2"]
    (problem,) = pool.report.of_kind("duplicate")
    assert problem.text.endswith(f"line 3: the same text stands at {tmp_path / 'pool.jsonl'}, line 1; it is kept once")


def test_empty_texts_are_left_out_and_reported(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, [row("a"), row("b", " \n"), row("c", None), row("")])
    assert [one.query for one in pool.values()] == ["a"]
    texts = [problem.text.partition(", ")[2] for problem in pool.report.of_kind("empty")]
    assert texts == [
        "line 2: the answer is empty; the row is left out",
        "line 3: the answer is empty; the row is left out",
        "line 4: the query is empty; the row is left out",
    ]


@pytest.mark.parametrize("blank", ["\u00a0", "\u200b\ufeff", " \u3000\u2060\n"])
def test_a_text_of_which_nothing_can_be_seen_is_empty(tmp_path: Path, blank: str) -> None:
    pool = pool_of(tmp_path, [row("one"), row("two", blank)])
    assert [shown.query for shown in pool.values()] == ["one"]
    assert [problem.kind for problem in pool.report.problems] == ["empty"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("context", "Ann is 7."), ("system", "Be brief."), ("history", [["a", "b"]]), ("messages", [{"role": "user"}])],
)
def test_text_that_belongs_to_queries_and_is_left_out_is_reported(tmp_path: Path, field: str, value: object) -> None:
    (sentence,) = pool_of(tmp_path, [row("one") | {field: value}, row("two")]).report.sentences()
    assert f"1 row has something in '{field}', which is left out" in sentence
    assert not pool_of(tmp_path, [row("one") | {field: ""}]).report.sentences()


def test_a_field_that_is_named_as_further_input_is_no_unread_one(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, [row("How old?", context="Ann is 7.")], input_field="context")
    assert [shown.query for shown in pool.values()] == ["How old?\n\nAnn is 7."]
    assert [problem.kind for problem in pool.report.problems] == ["joined"]


def spoken(query: str, system: str | None, role: str = "system") -> dict[str, Any]:
    opening = [] if system is None else [{"role": role, "content": system}]
    return {"messages": [*opening, {"role": "user", "content": query}, {"role": "assistant", "content": "So."}]}


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_system_message_that_all_conversations_share_is_no_turn_and_is_told_where_the_rules_lack_it(
    tmp_path: Path, role: str
) -> None:
    pool = pool_of(tmp_path, [spoken("one", "Be brief.", role), spoken("two", "Be brief.", role), row("three")])
    assert [shown.texts for shown in pool.values()] == [("one", "So."), ("two", "So."), ("three", "answer")]
    assert pool.without([]).report.unshown("Rules.\nBe brief.\n") == ()
    (notice,) = pool.without([]).report.unshown("Rules.\n")
    assert notice.startswith("the system message that all conversations of the pool begin with is not shown")
    assert pool_of(tmp_path, [spoken("one", None), spoken("two", "\n")]).report.unshown("") == ()


def test_only_rows_of_the_sample_have_to_share_their_system_message_and_are_counted(tmp_path: Path) -> None:
    rows = [spoken("one", None), spoken("two", "Be brief."), row("three", input="Ann is 7.")]
    reports = [pool_of(tmp_path, rows, limit=1, sample_seed=seed).report for seed in range(9)]
    assert {(report.system_message, report.sentences() == ()) for report in reports} == {
        ("", True),
        ("Be brief.", True),
        ("", False),
    }
    with pytest.raises(InputError, match="line 2: has a system message"):
        pool_of(tmp_path, rows, limit=3)


def test_a_system_message_is_shown_by_rules_that_break_its_lines_in_another_way(tmp_path: Path) -> None:
    report = pool_of(tmp_path, [spoken("one", "Be brief.\r\nBe kind.\r\n")]).report
    assert report.unshown("Be brief.\nBe kind.\n") == ()
    assert len(report.unshown("Be brief.\n")) == 1


@pytest.mark.parametrize(
    ("first", "second", "complaint"),
    [("Be brief.", "Be kind.", "another"), ("Be brief.", None, "no"), (None, "Be brief.", "a")],
)
def test_conversations_that_differ_in_their_system_message_are_refused(
    tmp_path: Path, first: str | None, second: str | None, complaint: str
) -> None:
    with pytest.raises(InputError, match=rf"line 2: has {complaint} system message.* line 1; a prompt has one set of"):
        pool_of(tmp_path, [spoken("one", first), spoken("two", second)])


@pytest.mark.parametrize("text", ["nan", "None", "NULL", " #N/A\n"])
def test_what_programs_write_for_an_empty_cell_is_reported_and_kept(tmp_path: Path, text: str) -> None:
    pool = pool_of(tmp_path, [row("a"), row("b", text), row("c", f"{text.strip()}, thanks")])
    assert len(pool) == 3
    (problem,) = pool.report.problems
    assert f"1 row has nothing but '{text.strip()}' or the like in 'answer'" in problem.text


def test_a_text_that_no_prompt_can_hold_is_left_out_and_reported(tmp_path: Path) -> None:
    rows = [row("a"), row("b", BACKTICKS.turn("inner", "inner") + "end")]
    pool = pool_of(tmp_path, rows, usable=lambda one: BACKTICKS.holds(*one.turns))
    assert [one.query for one in pool.values()] == ["a"]
    assert len(pool.report.of_kind("ambiguous")) == 1


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (
            [row("a"), {"query": "b", "output": "c"}],
            r"line 2: there is no field 'answer'; set `pool.answer_field` to one of: query, output",
        ),
        ([row("a"), row("b", answer=["c"])], r"line 2: field 'answer' holds a list, not text"),  # type: ignore[arg-type]
        (
            [row("a", id=1), row("b", id=1)],
            r"line 2: the id '1' stands at .*line 1 too, with another text; rename one",
        ),
        ([row("a", ""), row("")], r"no usable demonstration is left"),
    ],
)
def test_rows_that_make_no_pool_are_refused(tmp_path: Path, rows: list[dict[str, Any]], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        pool_of(tmp_path, rows, id_field="id")


def test_shifted_answers_are_reported_and_kept(tmp_path: Path) -> None:
    rows = [row(query, answer) for query, answer in shifted(pool_pairs(), 1)]
    (problem,) = pool_of(tmp_path, rows).report.problems
    assert problem.kind == "shifted"
    assert "most texts in 'query' match the next row's answer better than their own" in problem.text


def test_a_sample_of_shifted_answers_is_still_seen(tmp_path: Path) -> None:
    rows = [row(query, answer) for query, answer in shifted(pool_pairs(), 1)]
    pool = pool_of(tmp_path, rows, limit=10)
    assert len(pool) == 10
    assert pool.report.of_kind("shifted")


def test_the_real_pool_has_no_problem_and_keeps_its_published_ids_and_contents() -> None:
    path = shared("pools/icl_alignment_344.jsonl")
    pool = load_pool(PoolConfig(path=path, id_field="id"), lambda one: BACKTICKS.holds(*one.turns))
    assert len(pool) == 344
    assert pool.report.problems == ()


def test_demonstrations_of_the_base_prompt_are_taken_out_by_content(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, [row("a", id="x"), row("b", id="y")], id_field="id")
    rest = pool.without([Demonstration("base", "a", "answer")])
    assert list(rest) == ["y"]
    assert rest.report.of_kind("in_base_prompt")[0].id == "x"


def test_an_id_cannot_stand_for_two_demonstrations(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, [row("a", id="x")], id_field="id")
    with pytest.raises(InputError, match="'x' belongs to a demonstration of the base prompt"):
        pool.without([Demonstration("x", "other", "answer")])


def test_a_pool_that_the_base_prompt_uses_up_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="use another pool"):
        pool_of(tmp_path, [row("a")]).without([Demonstration("base", "a", "answer")])


CHAT = [
    {"role": "user", "content": "a"},
    {"role": "assistant", "content": "b"},
    {"role": "user", "content": "c"},
    {"role": "assistant", "content": "d"},
]


def test_demonstrations_of_several_turns_are_read_whole_beside_those_of_one(tmp_path: Path) -> None:
    rows = [row("a", "b"), {"messages": CHAT}, row("a", "b", follow_up_query="c", follow_up_answer="e")]
    pool = pool_of(tmp_path, rows)
    assert [one.texts for one in pool.values()] == [("a", "b"), ("a", "b", "c", "d"), ("a", "b", "c", "e")]
    assert pool.report.problems == ()


def test_a_conversation_in_another_form_is_the_same_content(tmp_path: Path) -> None:
    rows = [
        {"messages": CHAT},
        row("a", "b", follow_up_query="c", follow_up_answer="d"),
        {"messages": ["a", "b", "c", "d"]},
    ]
    pool = pool_of(tmp_path, rows)
    assert list(pool) == [content_id("a", "b", "c", "d")]
    assert len(pool.report.of_kind("duplicate")) == 2


def test_an_empty_text_in_a_later_turn_is_left_out_and_reported_with_its_turn(tmp_path: Path) -> None:
    pool = pool_of(tmp_path, [row("a"), {"messages": ["a", "b", " ", "d"]}, {"messages": ["a", "b", "c", ""]}])
    assert len(pool) == 1
    texts = [problem.text.partition(", ")[2] for problem in pool.report.of_kind("empty")]
    assert texts == [
        "line 2: the query of turn 2 is empty; the row is left out",
        "line 3: the answer of turn 2 is empty; the row is left out",
    ]


def test_a_table_has_follow_ups_in_two_columns_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_text("query,answer,then,reply\na,b,c,d\ne,f,,\n", encoding="utf-8")
    pool = load_pool(PoolConfig(path=path, follow_up_query_field="then", follow_up_answer_field="reply"))
    assert [one.texts for one in pool.values()] == [("a", "b", "c", "d"), ("e", "f")]


def test_a_later_turn_that_spells_out_the_form_makes_a_row_unusable(tmp_path: Path) -> None:
    rows = [row("a"), {"messages": ["a", "b", "c", BACKTICKS.turn("inner", "inner") + "end"]}]
    pool = pool_of(tmp_path, rows, usable=lambda one: BACKTICKS.holds(*one.turns))
    assert len(pool) == 1
    assert len(pool.report.of_kind("ambiguous")) == 1


def test_follow_up_answers_that_slid_are_reported_by_themselves(tmp_path: Path) -> None:
    right, slid = pool_pairs(), shifted(pool_pairs(), 1)
    rows = [
        row(query, answer, follow_up_query=later, follow_up_answer=reply)
        for (query, answer), (later, reply) in zip(right, slid, strict=True)
    ]
    (problem,) = pool_of(tmp_path, rows).report.problems
    assert "most texts in 'follow_up_query' match the next row's answer better" in problem.text


def test_all_ids_that_stand_for_two_texts_are_named_at_once_and_of_many_the_first_ten(tmp_path: Path) -> None:
    pairs = [row(f"{first} {number}", id=str(number)) for first in ("a", "b") for number in range(12)]
    with pytest.raises(InputError) as few:
        pool_of(tmp_path, [*pairs[:3], *pairs[12:15]], id_field="id")
    *named, advice = str(few.value).splitlines()
    assert [line.partition("jsonl, ")[2][:18] for line in named] == [
        "line 4: the id '0'",
        "line 5: the id '1'",
        "line 6: the id '2'",
    ]
    assert advice == "3 rows have the id of another text; give each text an id of its own"
    with pytest.raises(InputError) as many:
        pool_of(tmp_path, pairs, id_field="id")
    *named, more, advice = str(many.value).splitlines()
    assert len(named) == 10
    assert (more, advice) == ("and 2 more", "12 rows have the id of another text; give each text an id of its own")
