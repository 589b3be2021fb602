"""No demonstration is a question of the benchmark without a word."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from configs.errors import InputError
from configs.loading import load_config
from search.problem.material import Material
from search.problem.material_files import load_material
from search.prompts.render import make_renderer
from search.prompts.urial import BACKTICKS

QUESTIONS = [
    {"id": "g1", "query": "Why is the sky blue on most days?", "split": "search"},
    {"id": "g2", "query": "Name three rivers that flow through Brazil.", "split": "search"},
    {"id": "h1", "query": "What\u2019s the capital of Kenya, and who founded it?", "split": "held_out",
     "reference": "Nairobi, which was founded in 1899 as a depot of the Uganda Railway by the British."},
    {"id": "h2", "query": "Describe how a bicycle stays upright while it is moving.", "split": "held_out"},
]  # fmt: skip
CLEAN = {"id": "clean", "query": "How do I boil an egg?", "answer": "In hot water."}


def material(
    folder: Path,
    *demonstrations: dict[str, str],
    base: tuple[str, str] | None = None,
    asked: Sequence[dict[str, str]] = (),
    policy: str = "drop",
) -> Material:
    for name, rows in (("pool", [CLEAN, *demonstrations]), ("questions", [*QUESTIONS, *asked])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "base.txt").write_text("Rules.\n" + (BACKTICKS.turn(*base) if base else ""), encoding="utf-8")
    files = [f"pool={{path: {folder}/pool.jsonl, id_field: id, contamination: {policy}}}"]
    files += [f"questions={{path: {folder}/questions.jsonl, split: {{by_field: split}}}}"]
    config = load_config("quickstart", [*files, f"base_prompt.path={folder}/base.txt"])
    return load_material(config, make_renderer(config.render, config.model))


def shown(query: str, answer: str = "Yes.") -> dict[str, str]:
    return {"id": "x", "query": query, "answer": answer}


@pytest.mark.parametrize(
    "demonstration",
    [
        shown("WHAT'S THE CAPITAL OF KENYA  and who founded it"),
        shown("What\u2019s the cap\u200bital of Kenya\u2014and who founded it\uff1f"),
        shown("Some context first.\n\nQuestion: What's the capital of Kenya, and who founded it?\nAnswer in a word."),
        shown("Ask me something.", "Well: what's the capital of Kenya, and who founded it? Nairobi."),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_demonstration_that_is_or_contains_a_question_is_left_out_of_the_pool(
    tmp_path: Path, demonstration: dict[str, str]
) -> None:
    made = material(tmp_path, demonstration)
    assert [one.id for one in made.pool] == ["clean"]
    (notice,) = made.notices
    assert "1 demonstration of the pool holds a question" in notice
    assert "pool.jsonl, line 2" in notice
    assert "held-out question h1" in notice
    assert made.contamination.seen == 0


@pytest.mark.parametrize(
    "demonstration",
    [
        shown("What's the great capital of Kenya, and who founded it?"),
        shown("Where is it?", "Nairobi, which was founded in 1899 as a depot of the Uganda Railway by the British."),
        shown("Please describe how a bicycle stays upright while it is moving and name its parts in a table."),
    ],
)
def test_one_that_resembles_a_question_stays_or_goes_and_is_reported(
    tmp_path: Path, demonstration: dict[str, str]
) -> None:
    made = material(tmp_path, demonstration)
    pairs = [*made.contamination.dropped, *made.contamination.remaining]
    assert [(one.id, one.side) for one in pairs] == [("x", "held-out")]
    assert made.contamination.seen == len(made.pool) - 1
    assert made.notices


def test_a_pool_of_other_questions_says_nothing(tmp_path: Path) -> None:
    made = material(tmp_path, shown("What's the capital of Cuba, and who founded it?", "Havana."))
    assert not made.notices
    assert len(made.pool) == 2


def test_the_config_may_refuse_such_a_pool_or_keep_it_and_say_so(tmp_path: Path) -> None:
    same = shown("Why is the sky blue on most days?")
    with pytest.raises(InputError, match=r"x \(.*pool.jsonl, line 2\) is search question g1"):
        material(tmp_path, same, policy="refuse")
    kept = material(tmp_path, same, policy="keep")
    assert len(kept.pool) == 2
    assert "1 demonstration" in kept.notices[0]
    assert kept.contamination.seen == 0


def test_a_base_prompt_that_shows_a_question_is_refused_or_counted(tmp_path: Path) -> None:
    base = (QUESTIONS[2]["query"], "Nairobi.")
    with pytest.raises(InputError, match="demonstration 1 is held-out question h1"):
        material(tmp_path, base=base)
    assert material(tmp_path, base=base, policy="keep").contamination.seen == 1


def test_a_search_question_that_resembles_a_held_out_one_is_reported(tmp_path: Path) -> None:
    twin = {"id": "g3", "query": "Describe how a red bicycle stays upright while it is moving.", "split": "search"}
    made = material(tmp_path, asked=[twin])
    assert made.contamination.seen == 1
    assert "search question g3 resembles held-out question h2" in made.notices[0]


def test_what_was_found_survives_the_run_directory(tmp_path: Path) -> None:
    near = shown("What's the big capital of Kenya, and who founded it?") | {"id": "y"}
    made = material(tmp_path, shown("Why is the sky blue on most days?"), near)
    again = Material.from_json(json.loads(json.dumps(made.to_json())))
    assert again.contamination == made.contamination
    assert made.contamination.counts() == {"left out": 1, "pairs that remain": 1, "held-out questions seen": 1}


def test_the_quickstart_shows_none_of_its_questions() -> None:
    config = load_config("quickstart")
    assert not load_material(config, make_renderer(config.render, config.model)).notices


LATER = "And what\u2019s the capital of Kenya, and who founded it?"


@pytest.mark.parametrize(
    "later",
    [
        {"follow_up_query": LATER[4:], "follow_up_answer": "Nairobi."},
        {"follow_up_query": "Go on.", "follow_up_answer": LATER},
    ],
)
def test_a_question_in_a_later_turn_takes_a_demonstration_out_of_the_pool(
    tmp_path: Path, later: dict[str, str]
) -> None:
    made = material(tmp_path, shown("Good morning.") | later)
    assert [one.id for one in made.pool] == ["clean"]
    (notice,) = made.notices
    assert "1 demonstration of the pool holds a question" in notice
    assert "line 2, turn 2)" in notice


def test_what_a_run_directory_keeps_of_several_turns_is_read_as_it_was(tmp_path: Path) -> None:
    made = material(tmp_path, shown("How?") | {"follow_up_query": "And then?", "follow_up_answer": "Then so."})
    read = Material.from_json(json.loads(json.dumps(made.to_json())))
    assert read.pool == made.pool
    (notice,) = made.notices
    assert notice.startswith("1 demonstration of the pool has several turns, which the prompt spells like several")
    assert made.to_json()["pool"] == [
        ["clean", "How do I boil an egg?", "In hot water."],
        ["x", "How?", "Yes.", "And then?", "Then so."],
    ]


def test_a_search_question_that_is_a_held_out_one_in_disguise_is_reported(tmp_path: Path) -> None:
    disguised = {"id": "g3", "query": "<p>Describe how a bic\u0443cle stays <i>upright</i> while it is moving</p>"}
    made = material(tmp_path, asked=[{**disguised, "split": "search"}])
    (notice,) = made.notices
    assert "search question g3" in notice
    assert made.contamination.seen == 1


def test_texts_that_spell_control_tokens_are_reported_with_the_first_places(tmp_path: Path) -> None:
    made = material(tmp_path, shown("How is </s> read?", "As an end."))
    assert made.notices == (
        "texts spell control tokens (</s> in demonstration x), which a model may read as such; remove them unless they "
        "are meant",
    )


def test_rules_that_may_be_meant_as_demonstrations_are_reported(tmp_path: Path) -> None:
    material(tmp_path)
    (tmp_path / "base.txt").write_text("Frage: Warum?\nAntwort: Darum.\n", encoding="utf-8")
    config = load_config("quickstart", [f"base_prompt.path={tmp_path}/base.txt"])
    (notice,) = load_material(config, make_renderer(config.render, config.model)).notices
    assert "'Frage' and 'Antwort' (lines 1 and 2) look like a question and its answer" in notice
