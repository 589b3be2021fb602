"""The index of a run's answers, made once and added to as the run grows."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from search.results.answers_table import evaluation_answers, search_answers
from search.results.evaluation_results import EvaluationResults, read_evaluation_results
from search.results.search_results import SearchResults, read_search_results
from search.run_directory.run import is_evaluation
from search.view.answer_index import AnswerIndex, candidate_key

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
    if is_evaluation(path):
        results = read_evaluation_results(path)
        return RunAnswers(AnswerIndex(evaluation_answers(results), _first(results)), None, 0)
    journal = path / "journal.jsonl"
    size = journal.stat().st_size if journal.exists() else 0
    searched = read_search_results(path)
    if earlier is not None and size >= earlier.size and earlier.mark == _mark(path, earlier.size):
        earlier.index.add(search_answers(searched, earlier.index.trials), _roles(searched))
        return RunAnswers(earlier.index, _mark(path, size), size)
    return RunAnswers(AnswerIndex(search_answers(searched), _roles(searched)), _mark(path, size), size)


def _mark(path: Path, size: int) -> object:
    """What the journal's last bytes up to here are, and what was scored again in the place of failures."""
    journal, amended = path / "journal.jsonl", path / "amendments.jsonl"
    if not journal.exists():
        return None
    with journal.open("rb") as file:
        file.seek(max(0, size - _TAIL))
        tail = hashlib.sha256(file.read(min(size, _TAIL))).digest()
    return tail, amended.stat().st_size if amended.exists() else 0


def _roles(results: SearchResults) -> dict[str, str]:
    journal = results.journal
    best = "winner" if journal.end else "best so far"
    named = {"base prompt": journal.base, best: journal.winner, "runner-up": journal.runner_up}
    keys: dict[str, str] = {}
    for role, candidate in named.items():
        key = candidate and candidate_key(candidate.demonstrations, candidate.decoding)
        if key and key not in keys.values():
            keys[role] = key
    return keys


def _first(results: EvaluationResults) -> dict[str, str]:
    """The variant that others are compared with stands for the base prompt."""
    return {"base prompt": results.records[0].name} if results.records else {}
