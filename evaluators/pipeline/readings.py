"""How many of a run's verdicts another way to read the judge's words would have changed."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from evaluators.failures import VerdictUnreadable
from evaluators.judge_tools.decision import read_decision
from evaluators.judge_tools.grading import DISTRIBUTION
from evaluators.judge_tools.ratings import RatingForm
from evaluators.judges.table import rating_form
from evaluators.ledger.queries import SpokenVerdict


@dataclass(frozen=True, slots=True)
class ReadingDifference:
    """What the published reading (`rating: first`) and that of decisions make of one judge's words.

    Attributes:
        fingerprint: of the judge.
        verdicts: compared; all of them have a score.
        differ: have another score, or none, in the reading that the judge does not use.
        is_first: the judge uses the published reading.
    """

    fingerprint: str
    verdicts: int
    differ: int
    is_first: bool


def reading_differences(spoken: Iterable[SpokenVerdict]) -> list[ReadingDifference]:
    """One for each judge that gives ratings in words, in the order of the verdicts."""
    tallies: dict[str, list[int]] = {}
    judges: dict[str, tuple[RatingForm, dict[str, Any]] | None] = {}
    for verdict in spoken:
        if verdict.fingerprint not in judges:
            judges[verdict.fingerprint] = _judge_of(verdict.fingerprint)
        judge = judges[verdict.fingerprint]
        if judge is None:
            continue
        form, knobs = judge
        is_cut = verdict.calls == 1 and verdict.new_tokens >= knobs["max_tokens"]
        first, decision = _both(verdict.words.split(DISTRIBUTION)[0], "length" if is_cut else "", form)
        tally = tallies.setdefault(verdict.fingerprint, [0, 0])
        tally[0] += 1
        tally[1] += first != decision
    return [
        ReadingDifference(fingerprint, verdicts, differ, json.loads(fingerprint)["rating"] == "first")
        for fingerprint, (verdicts, differ) in tallies.items()
    ]


def _both(words: str, finish: str, form: RatingForm) -> tuple[float | None, float | None]:
    """The published reading and the decision; None where there is none."""
    try:
        first: float | None = form.read(words)
    except VerdictUnreadable:
        first = None
    try:
        decision: float | None = read_decision(words, finish, form).score
    except VerdictUnreadable:
        decision = None
    return first, decision


def _judge_of(fingerprint: str) -> tuple[RatingForm, dict[str, Any]] | None:
    """What its ratings look like, and its knobs; None for a judge that gives no ratings in words."""
    try:
        knobs: Any = json.loads(fingerprint)
        form = rating_form(knobs) if isinstance(knobs, dict) and "rating" in knobs else None
    except (ValueError, KeyError, TypeError, re.error):
        return None
    return None if form is None else (form, knobs)
