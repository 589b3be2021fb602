"""MT-Bench, first turn, from FastChat's files (Zheng et al. 2023).

Only mathematics, reasoning and coding are judged against a reference. FastChat's question file holds references for
other categories too, and other ones for these three; its judge reads those of `reference_answer/gpt-4.jsonl`, so give
that file wherever scores shall be comparable. (FastChat looks it up by the judge's name; here it belongs to the
benchmark.)
"""

from collections.abc import Mapping
from pathlib import Path

from configs.errors import InputError
from configs.records import read_rows
from configs.row import Row
from evaluators.benchmarks.jsonl import first_turn
from evaluators.question import Question

JUDGED_BY_REFERENCE = frozenset({"math", "reasoning", "coding"})


def read_references(path: Path) -> dict[str, str]:
    """First-turn reference answers, by question id.

    Raises:
        InputError: the file is not in FastChat's answer format.
    """
    references = {}
    for row in read_rows(path):
        key = row.identifier("question_id")
        answer = _first_choice(row)
        if key is None or answer is None:
            raise InputError(
                f"{row.place}: not a FastChat answer (question_id, choices[0].turns[0]); give another file."
            )
        references[key] = answer
    return references


def question_from_row(row: Row, references: Mapping[str, str] | None = None) -> Question:
    """The first turn of a row of question.jsonl.

    Args:
        row: with `question_id`, `category`, `turns` and perhaps `reference`.
        references: of the benchmark; the row's own is taken where they are None.

    Raises:
        InputError: the row is in another format, or `references` lack an answer that the judge needs.
    """
    key, query = row.identifier("question_id"), first_turn(row, "turns")
    if key is None or not (query or "").strip():
        raise InputError(
            f"{row.place}: not an MT-Bench question (question_id, turns); set questions.benchmark to jsonl."
        )
    category = row.optional_text("category") or ""
    return Question(key, query or "", category, _reference(row, key, category, references))


def _reference(row: Row, key: str, category: str, references: Mapping[str, str] | None) -> str | None:
    if category not in JUDGED_BY_REFERENCE:
        return None
    if references is None:
        return first_turn(row, "reference")
    if key not in references:
        raise InputError(
            f"{row.place}: questions.reference_path has no answer to question {key}; add it, or drop the row."
        )
    return references[key]


def _first_choice(row: Row) -> str | None:
    choices = row.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return None
    return first_turn(Row(choices[0], row.place), "turns")
