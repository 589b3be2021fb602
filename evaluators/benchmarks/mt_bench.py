"""MT-Bench from FastChat's files (Zheng et al. 2023).

Only mathematics, reasoning and coding are judged against references. FastChat's question file holds references for
other categories too, and other ones for these three; its judge reads those of `reference_answer/gpt-4.jsonl`, so give
that file (or the folder they all stand in) wherever scores shall be comparable. (FastChat looks it up by the judge's
name; here it belongs to the benchmark.)
"""

from collections.abc import Mapping
from pathlib import Path

from configs.errors import InputError
from configs.records import read_rows
from configs.row import Row
from configs.schema.data import QuestionsConfig
from evaluators.benchmarks.jsonl import texts
from evaluators.question import Question

JUDGED_BY_REFERENCE = frozenset({"math", "reasoning", "coding"})

References = Mapping[str, tuple[str | None, ...]]
"""Right answers by turn, by question id."""


def in_folder(config: QuestionsConfig) -> QuestionsConfig:
    """The same config with FastChat's file names spelled out, where `path` is the folder they stand in."""
    if config.path is None or not config.path.is_dir():
        return config
    references = config.path / "reference_answer" / "gpt-4.jsonl"
    reference_path = references if references.is_file() else None
    return config.model_copy(
        update={"path": config.path / "question.jsonl", "reference_path": config.reference_path or reference_path}
    )


def read_references(path: Path) -> References:
    """Reference answers to every turn.

    Raises:
        InputError: the file is not in FastChat's answer format.
    """
    references: dict[str, tuple[str | None, ...]] = {}
    for row in read_rows(path):
        key = row.identifier("question_id")
        answers = _first_choice(row)
        if key is None or not answers or None in answers:
            raise InputError(f"{row.place}: not a FastChat answer (question_id, choices[0].turns); use another file")
        if references.setdefault(key, answers) != answers:
            raise InputError(f"{row.place}: another row has different answers to question {key}; delete one of them")
    return references


def question_from_row(row: Row, references: References | None = None) -> Question:
    """A row of question.jsonl.

    Args:
        row: with `question_id`, `category`, `turns` and perhaps `reference`.
        references: of the benchmark; the row's own are taken where they are None.

    Raises:
        InputError: the row is in another format, or `references` lack an answer that the judge needs.
    """
    key, turns = row.identifier("question_id"), texts(row, "turns")
    if key is None or not turns or not all((turn or "").strip() for turn in turns):
        raise InputError(
            f"{row.place}: not an MT-Bench question (question_id, turns); set questions.benchmark to jsonl"
        )
    category = row.optional_text("category") or ""
    return Question(key, tuple(turn or "" for turn in turns), category, _references(row, key, category, references))


def _references(row: Row, key: str, category: str, references: References | None) -> tuple[str | None, ...]:
    if category not in JUDGED_BY_REFERENCE:
        return ()
    if references is None:
        return texts(row, "reference")
    if key not in references:
        raise InputError(
            f"{row.place}: questions.reference_path has no answer to question {key}; add it, or drop the row"
        )
    return references[key]


def _first_choice(row: Row) -> tuple[str | None, ...]:
    choices = row.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return ()
    return texts(Row(choices[0], row.place), "turns")
