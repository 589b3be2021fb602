from pathlib import Path

import pytest

from configs.errors import InputError
from evaluators.judge_tools.rubric_file import read_rubric, spell_conversation
from evaluators.question import Question

ALLOWED = frozenset({"question", "answer"})
NEEDED = (frozenset({"answer"}),)


def _file(folder: Path, text: str) -> Path:
    path = folder / "rubric.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_whole_file_is_the_message_without_its_last_line_break(tmp_path: Path) -> None:
    prompt, fields = read_rubric(_file(tmp_path, "\nGrade {answer},\nin {{braces}}.\n"), ALLOWED, NEEDED)
    assert prompt.system == ""
    assert prompt.render(question="", answer="{question}") == "\nGrade {question},\nin {braces}."
    assert fields == {"answer"}


def test_a_system_message_stands_between_its_two_marks(tmp_path: Path) -> None:
    prompt, _ = read_rubric(_file(tmp_path, "[system]\nBe strict.\n\nBe fair.\n[user]\n{answer}?\n"), ALLOWED, NEEDED)
    assert prompt.system == "Be strict.\n\nBe fair."
    assert prompt.messages(answer="so")[1] == {"role": "user", "content": "so?"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", r"does not show the judge \{answer\}"),
        ("{question}", r"does not show the judge \{answer\}"),
        ("{answer} {awnser}", r"line 1: \{awnser\} is not a field; use \{answer\} or \{question\}"),
        ("{answer}\n{answer: good}", r"line 2: \{answer: good\} is not a field; use .* double braces meant as text"),
        ("{answer!r}", r"\{answer!r\} is not a field"),
        ("{answer.__class__}", "is not a field"),
        ("{answer[0]}", "is not a field"),
        ("{answer:{question}}", "line 1: a lone brace"),
        ("{answer}\n\n}", "line 3: a lone brace }"),
        ("[system]\nBe {strict}.\n[user]\n{answer} {0}", r"line 4: \{0\} is not a field"),
        ("{answer} {", "lone brace"),
        ("{answer} {}", "is not a field"),
        ("[system]\nBe strict.\n{answer}", r"followed by a line \[user\]"),
    ],
)
def test_a_file_that_cannot_work_is_refused_in_one_sentence(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read_rubric(_file(tmp_path, text), ALLOWED, NEEDED)


def test_a_missing_file_is_named_with_the_knob_that_gives_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"judge\.rubric_path: .*nothing\.txt: cannot be read"):
        read_rubric(tmp_path / "nothing.txt", ALLOWED, NEEDED)


def test_a_conversation_ends_in_the_answer_judged() -> None:
    question = Question("q", ("Why?", "And now?"))
    first = "### User:\nWhy?\n\n### Assistant:\nSo."
    assert spell_conversation(question.turns, ("So.",)) == first
    assert spell_conversation(question.turns, ("So.", "")) == f"{first}\n\n### User:\nAnd now?\n\n### Assistant:\n"
