"""AlpacaEval's files of model outputs (Li et al. 2023; Dubois et al. 2024): instructions, each with a model's answer.

The baseline's file is the benchmark: its instructions are the questions, its answers what others are compared with.
AlpacaEval 2.0 takes `gpt4_1106_preview`.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from configs.errors import InputError
from configs.records import read_rows
from configs.row import Row
from evaluators.question import Question


def question_from_row(row: Row) -> Question:
    """The question of a row with `instruction`, `output` and perhaps `dataset`, which becomes its category.

    Raises:
        InputError: the row is in another format.
    """
    instruction = row.optional_text("instruction")
    if not (instruction or "").strip():
        raise InputError(f"{row.place}: not an AlpacaEval output (instruction, output); use another file")
    query = instruction or ""
    key = sha256(query.encode()).hexdigest()[:16]
    return Question(key, (query,), row.optional_text("dataset") or "", baseline=row.optional_text("output"))


def read_baselines(path: Path) -> dict[str, str]:
    """A model's answers, by instruction.

    Raises:
        InputError: a row is in another format, or has no answer.
    """
    baselines: dict[str, str] = {}
    for row in read_rows(path):
        question = question_from_row(row)
        answer = question.baseline or ""
        if not answer.strip():
            raise InputError(f"{row.place}: there is no text in 'output'; a baseline must answer every instruction")
        if baselines.setdefault(question.query, answer) != answer:
            raise InputError(
                f"{row.place}: another row has a different answer to the same instruction; delete one of them"
            )
    return baselines


def with_baseline(question: Question, baselines: Mapping[str, str]) -> Question:
    """The question with its answer of that model.

    Raises:
        InputError: the model has not answered it.
    """
    if question.query not in baselines:
        raise InputError(
            f"questions.baseline_path has no answer to question {question.id} ({question.query[:60]!r}); give another "
            "file, or drop the question"
        )
    return replace(question, baseline=baselines[question.query])
