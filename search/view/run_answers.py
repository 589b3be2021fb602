"""The index of a run's answers, made once and added to as the run grows."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from search.results.answers_table import asked_prompts, candidate_key, read_any_results, text_reader
from search.results.evaluation_results import EvaluationResults
from search.results.search_results import SearchResults
from search.view.answer_index import AnswerIndex

_TAIL = 4096  # bytes of a journal by which it is known again


@dataclass(slots=True)
class RunAnswers:
    """The answers of one run as they were last read.

    Attributes:
        mark: changes when trials that were read are no longer what they were.
        size: of the journal then, in bytes.
    """

    index: AnswerIndex
    mark: object
    size: int


def index_answers(path: Path, earlier: RunAnswers | None = None) -> RunAnswers:
    """Index the run at `path`; what is known already is added to, where it still holds.

    Raises:
        InputError: there is no run, or it cannot be read.
    """
    journal = path / "journal.jsonl"
    size = journal.stat().st_size if journal.exists() else 0
    mark = _mark(path, size)  # before the results are read: what is written meanwhile is then read again
    results = read_any_results(path)
    index = earlier.index if earlier is not None and _goes_on(path, size, earlier) else None
    if index is None:
        questions = results.material.questions if results.material else {}
        index = AnswerIndex(questions, text_reader(results), salt=path.absolute().name)
    index.add(asked_prompts(results, index.trials), _roles(results))
    return RunAnswers(index, mark, size)


def _goes_on(path: Path, size: int, earlier: RunAnswers) -> bool:
    """Whether the run at `path` is a search that has only grown since."""
    return earlier.index.trials > 0 and size >= earlier.size > 0 and earlier.mark == _mark(path, earlier.size)


def _mark(path: Path, size: int) -> object:
    """What the journal's last bytes up to here are, and what was scored again in the place of failures."""
    journal, amended = path / "journal.jsonl", path / "amendments.jsonl"
    if not journal.exists():
        return None
    with journal.open("rb") as file:
        file.seek(max(0, size - _TAIL))
        tail = hashlib.sha256(file.read(min(size, _TAIL))).digest()
    return tail, amended.stat().st_size if amended.exists() else 0


def _roles(results: SearchResults | EvaluationResults) -> dict[str, str]:
    if isinstance(results, EvaluationResults):  # the variant that others are compared with
        return {"base prompt": results.records[0].name} if results.records else {}
    journal = results.journal
    best = "winner" if journal.end else "best so far"
    named = {"base prompt": journal.base, best: journal.winner, "runner-up": journal.runner_up}
    keys: dict[str, str] = {}
    for role, candidate in named.items():
        key = candidate and candidate_key(candidate.demonstrations, candidate.decoding)
        if key and key not in keys.values():
            keys[role] = key
    return keys
