"""Questions that are asked more than once are listed together, or left out."""

import json
from pathlib import Path

import pytest

from configs.errors import InputError
from configs.schema.data import QuestionsConfig
from search.problem.split import load_split

ASKED = ["Why?", "How so?", "why ?", "When, exactly?", "How  so", "WHY", "Where?"]


def config(folder: Path, asked: list[str] = ASKED, **knobs: object) -> QuestionsConfig:
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps({"id": at, "query": query}) + "\n" for at, query in enumerate(asked)))
    return QuestionsConfig.model_validate({"path": path, **knobs})


@pytest.mark.parametrize("seed", range(4))
def test_all_repetitions_are_listed_with_their_lines_whatever_the_seed_of_the_split(tmp_path: Path, seed: int) -> None:
    with pytest.raises(InputError, match=r"set questions\.repeated to drop") as refused:
        load_split(config(tmp_path, split={"seed": seed}))
    assert "2 questions are asked more than once" in str(refused.value)
    assert "lines 1, 3 and 6; " in str(refused.value)
    assert "lines 2 and 5; " in str(refused.value)


def test_later_repetitions_are_left_out_and_named_where_the_config_says_so(tmp_path: Path) -> None:
    split = load_split(config(tmp_path, repeated="drop"))
    assert sorted(one.id for one in (*split.search, *split.held_out)) == ["0", "1", "3", "6"]
    assert "3 rows are left out" in split.notices[0]
    assert "lines 1, 3 and 6" in split.notices[0]


def test_repetitions_may_be_kept_where_each_has_an_id(tmp_path: Path) -> None:
    split = load_split(config(tmp_path, repeated="keep"))
    assert len((*split.search, *split.held_out)) == len(ASKED)
    with pytest.raises(InputError, match="ids are given to several questions"):
        load_split(config(tmp_path, ["Why?", "Why?", "How?", "How?"], repeated="keep", id_field="none"))


def test_questions_that_differ_in_a_number_or_an_operator_are_not_the_same(tmp_path: Path) -> None:
    asked = ["What is 2 + 2?", "What is 2 - 2?", "What is 2 * 2?", "What is 2.2?", "What is 22?", "What is -22?"]
    split = load_split(config(tmp_path, asked))
    assert len((*split.search, *split.held_out)) == len(asked)
    assert not split.notices
