"""Findings and answer indexes of the runs that somebody looks at, kept in memory and read again when a run grows."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from search.report.evaluation.findings import EvaluationFindings
from search.report.findings import Findings
from search.report.forms import read
from search.run_directory import reviews
from search.view.answer_index import AnswerIndex
from search.view.prompt_text import PromptTexts, read_prompt_texts
from search.view.run_answers import RunAnswers, index_answers
from search.view.runs import signature

T = TypeVar("T")
_MOST = 8  # runs kept


class _Kept(Generic[T]):
    """The latest values of a function of a run directory, for as long as its files stay as they are.

    Args:
        make: takes the directory and the value before, None at first. A value that is no longer kept is left to whoever
            still uses it.
        further: files that it is made of beside those that every value is.
    """

    def __init__(self, make: Callable[[Path, T | None], T], *further: str) -> None:
        self._make = make
        self._further = further
        self._lock = threading.Lock()
        self._values: OrderedDict[Path, tuple[object, T]] = OrderedDict()

    def of(self, path: Path) -> T:
        with self._lock:
            now = signature(path, *self._further)
            before = self._values.pop(path, None)
            if before is None or before[0] != now:
                before = now, self._make(path, before[1] if before else None)
            self._values[path] = before
            while len(self._values) > _MOST:
                self._values.popitem(last=False)
            return before[1]


class Looks:
    """Findings and answers of a run as its files are now. Blocks while it reads: call it in a thread."""

    def __init__(self) -> None:
        self._findings = _Kept[Findings | EvaluationFindings](lambda path, _: read(path), reviews.FILE)
        self._answers = _Kept[RunAnswers](index_answers)
        self._prompts = _Kept[PromptTexts](lambda path, _: read_prompt_texts(path))

    def findings(self, path: Path) -> Findings | EvaluationFindings:
        """What it has found. Raises InputError where the run cannot be read."""
        return self._findings.of(path)

    def answers(self, path: Path) -> AnswerIndex:
        """The index of its answers. Raises InputError where the run cannot be read."""
        index = self._answers.of(path).index
        index.take_reviews(*reviews.readable_reviews(path))
        return index

    def prompts(self, path: Path) -> PromptTexts:
        """The texts of its prompts. Raises InputError where the run cannot be read."""
        return self._prompts.of(path)
