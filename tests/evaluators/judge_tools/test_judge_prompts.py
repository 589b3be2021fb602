import json
from pathlib import Path

import pytest

from configs.errors import InputError
from evaluators.judge_tools.judge_prompts import JudgePrompt, read_judge_prompts

WANTED = {"single-v1": frozenset({"question", "answer"})}
GOOD = {"name": "single-v1", "system_prompt": "Be fair.", "prompt_template": "{question}\u2028{answer}"}


def _file(folder: Path, *lines: object) -> Path:
    path = folder / "judge_prompts.jsonl"
    text = (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    path.write_text("\n".join(text), encoding="utf-8")
    return path


def test_the_wanted_prompts_are_read_and_others_left(tmp_path: Path) -> None:
    path = _file(tmp_path, {"name": "pair-v2", "prompt_template": "{other}"}, "", GOOD)
    assert read_judge_prompts(path, WANTED) == {
        "single-v1": JudgePrompt("single-v1", "Be fair.", "{question}\u2028{answer}")
    }


def test_braces_in_what_fills_a_prompt_are_text() -> None:
    prompt = JudgePrompt("p", "", "{{x}} {question} {answer}")
    assert prompt.render(question="{answer} {0} {", answer="}} %s") == "{x} {answer} {0} { }} %s"


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "no judge prompt named single-v1.*found: nothing"),
        ([GOOD | {"name": "single-v2"}], r"no judge prompt named single-v1.*found: single-v2"),
        ([GOOD, "{not json"], "line 2: not a JSON object"),
        ([GOOD, "[]"], "line 2: not a JSON object"),
        ([GOOD, {"name": "x"}], "line 2: not a JSON object with"),
        ([GOOD | {"prompt_template": 7}], "line 1: .* must be text"),
        ([GOOD | {"prompt_template": "{question}"}], r"must have the fields \{answer\}, \{question\} and no other"),
        ([GOOD | {"prompt_template": "{question.__class__} {answer}"}], r"\{question\.__class__\} is not a field"),
        ([GOOD | {"prompt_template": "{question} {answer} {"}], "lone brace"),
    ],
)
def test_a_file_that_cannot_work_is_refused_in_one_sentence(
    tmp_path: Path, lines: list[object], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        read_judge_prompts(_file(tmp_path, *lines), WANTED)


def test_a_missing_file_is_named_with_the_knob_that_gives_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"judge\.prompts_path.*nothing\.jsonl: cannot be read"):
        read_judge_prompts(tmp_path / "nothing.jsonl", WANTED)


def test_the_digest_changes_with_each_part_of_a_prompt() -> None:
    prompts = [
        JudgePrompt("a", "b", "c"),
        JudgePrompt("x", "b", "c"),
        JudgePrompt("a", "bc", ""),
        JudgePrompt("a", "", "bc"),
    ]
    assert len({prompt.digest for prompt in prompts}) == 4
