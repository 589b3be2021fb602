"""What one line of a journal says, typed, and its JSON.

Scores and failures are objects by question id; `lengths`, `turns` and `keys` are arrays in the order of the scores,
left out where nothing is known.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isclose
from sys import intern
from typing import Any, NamedTuple, TypeVar, get_args

from search.problem.candidate import OWN, Candidate
from search.problem.trial import ScoredTrial, Side, Trial
from search.run_directory.files import Damage

LEADERS = 2  # the winner so far and the runner-up
_SIDES: tuple[Side, ...] = get_args(Side)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A trial that the strategy was told of.

    Attributes:
        side: of the split that its questions are on.
        scored: what came of it.
        leaders: the best candidates known after it, at most `LEADERS`; none on the held-out side.
    """

    side: Side
    scored: ScoredTrial
    leaders: tuple[Candidate, ...] = ()

    @property
    def candidate(self) -> Candidate:
        return self.scored.trial.candidate

    def to_json(self) -> dict[str, Any]:
        """A line of the journal."""
        return {
            self.side: self.candidate.to_json(),
            **scored_to_json(self.scored),
            "leaders": [candidate.to_json() for candidate in self.leaders],
        }


class ExpectedGain(NamedTuple):
    """What all search scores together make of a candidate's gain over the base prompt on further questions: posterior
    mean and the ends of its interval, in points."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class EndRecord:
    """The last record: what is exported, and what came next.

    Attributes:
        win_probability: that what the search ranked first is better than the base prompt; None where it ranked the base
            prompt first itself.
        expected: of winner and runner-up; None for the base prompt, and in journals that do not say it.
        drift: how far the judge's level has moved while the search ran, in points; 0 where the scores do not say that
            it has.
        agreement: correlation of demonstrations' effects in the eyes of screening judge and judge, as the search has
            learnt it, in [0, 1); None where nobody is asked first.
    """

    winner: Candidate
    runner_up: Candidate | None
    win_probability: float | None
    expected: tuple[ExpectedGain | None, ExpectedGain | None] = (None, None)
    drift: float = 0.0
    agreement: float | None = None

    def to_json(self) -> dict[str, Any]:
        """A line of the journal."""
        runner_up = None if self.runner_up is None else self.runner_up.to_json()
        end = {"winner": self.winner.to_json(), "runner_up": runner_up, "win_probability": self.win_probability}
        expected = {"expected": [*self.expected]} if any(self.expected) else {}
        agreement = {} if self.agreement is None else {"agreement": self.agreement}
        return {"end": end | expected | ({"drift": self.drift} if self.drift else {}) | agreement}


JournalRecord = TrialRecord | EndRecord


def column(values: Mapping[str, _T], names: Iterable[str]) -> list[_T | None]:
    """Values in the order of these names, None where there is none; empty where there is none at all."""
    return [values.get(name) for name in names] if values else []


def from_column(values: Sequence[_T | None], names: Iterable[str]) -> dict[str, _T]:
    """The inverse of `column`. Raises ValueError where the two have different lengths."""
    pairs = zip(names, values, strict=True) if values else ()
    return {name: value for name, value in pairs if value is not None}


def scored_to_json(scored: ScoredTrial) -> dict[str, Any]:
    """What came of a trial, without its candidate."""
    columns = {
        "lengths": column(scored.lengths, scored.scores),
        "turns": column(scored.turns, scored.scores),
        "keys": column(scored.keys, scored.scores),
    }
    return {
        "mean": scored.mean,
        "scores": scored.scores,
        "failures": scored.failures,
        **({"again": scored.trial.again} if scored.trial.again else {}),
        **({"screening": True} if scored.trial.screening else {}),
        **{name: values for name, values in columns.items() if values},
    }


def record_from_json(content: Any, *, with_keys: bool = True) -> JournalRecord:
    """The inverse of `to_json`, the keys of answers left out where they are not asked for. Raises ValueError where the
    content is no record's."""
    try:
        if "end" in content:
            return _end(content["end"])
        (side,) = (side for side in _SIDES if side in content)
        content = content if with_keys else content | {"keys": ()}
        scored = scored_from_json(candidate_from_json(content[side]), content)
        return TrialRecord(side, scored, tuple(map(candidate_from_json, content["leaders"])))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _end(content: Mapping[str, Any]) -> EndRecord:
    runner_up, probability = content["runner_up"], content["win_probability"]
    return EndRecord(
        winner=candidate_from_json(content["winner"]),
        runner_up=None if runner_up is None else candidate_from_json(runner_up),
        win_probability=_probability(probability),
        expected=_expected(content.get("expected", (None, None))),
        drift=_only(_NUMBER, [content.get("drift", 0.0)])[0],
        agreement=_only(_NUMBER_OR_NONE, [content.get("agreement")])[0],
    )


def _probability(value: Any) -> float | None:
    probability: float | None = _only(_NUMBER_OR_NONE, [value])[0]
    if probability is not None and not 0 <= probability <= 1:
        raise Damage("its win_probability is not between 0 and 1")
    return probability


def _expected(content: Any) -> tuple[ExpectedGain | None, ExpectedGain | None]:
    first, second = (None if ends is None else ExpectedGain(*_only(_NUMBER, ends)) for ends in content)
    return first, second


def candidate_from_json(content: Any) -> Candidate:
    """The inverse of `Candidate.to_json`. Raises KeyError, TypeError or ValueError where the content is none."""
    names, decoding = (content["demonstrations"], content["decoding"]) if isinstance(content, dict) else (content, OWN)
    _only((list,), [names])
    return Candidate(tuple(map(intern, names)), intern(decoding))  # a journal names the same ones again and again


def scored_from_json(candidate: Candidate, content: Mapping[str, Any]) -> ScoredTrial:
    """The inverse of `scored_to_json`. Raises KeyError, TypeError or ValueError where the content is none of it, and
    Damage where a score is another one than was written."""
    scores, failures = content["scores"], content["failures"]
    mean = _mean(content["mean"], _only(_NUMBER, scores.values()))
    _only((str,), failures.values())
    turns = from_column(_only((list, type(None)), content.get("turns", ())), scores)
    for values in turns.values():
        _only(_NUMBER_OR_NONE, values)
    return ScoredTrial(
        trial=Trial(
            candidate,
            (*scores, *failures),
            _only((int,), [content.get("again", 0)])[0],
            _only((bool,), [content.get("screening", False)])[0],
        ),
        scores=scores,
        failures=failures,
        mean=mean,
        lengths=from_column(_only((int, type(None)), content.get("lengths", ())), scores),
        turns={name: tuple(values) for name, values in turns.items()},
        keys=_keys(content.get("keys", ()), scores),
    )


def _mean(value: Any, scores: Sequence[float]) -> float | None:
    """The mean as it stands in a record. Raises Damage where these scores have another one."""
    mean: float | None = _only(_NUMBER_OR_NONE, [value])[0]
    if mean is None:
        return None
    try:
        is_theirs = bool(scores) and isclose(mean * len(scores), fsum(scores), rel_tol=1e-9, abs_tol=_ROUNDING)
    except OverflowError:
        is_theirs = False
    if not is_theirs:
        raise Damage("its mean is not that of its scores")
    return mean


def _keys(values: Sequence[Any], scores: Mapping[str, float]) -> dict[str, str]:
    """Each as `AnswerKeys.to_text` spells it."""
    keys = from_column(_only((str, type(None)), values), scores)
    for text in keys.values():
        if _KEYS.fullmatch(text) is None:
            raise ValueError("keys that were not written by us")
    return keys


_ROUNDING = 1e-9
"""Points by which the sum of scores around zero may be off."""

_KEY = r"[A-Za-z0-9_-]{43}"
_TURN = rf"{_KEY}:(?:{_KEY}(?:[,|]{_KEY})*)?"
_KEYS = re.compile(rf"{_TURN}(?:;{_TURN})*")
_NUMBER = (float, int)
_NUMBER_OR_NONE = (float, int, type(None))


def _only(types: tuple[type, ...], values: Iterable[Any]) -> list[Any]:
    """The values; raises ValueError where one has another type."""
    checked = [*values]
    unexpected = {type(value) for value in checked} - {*types}
    if unexpected:
        raise ValueError(f"{unexpected.pop().__name__} where {types[0].__name__} is expected")
    return checked
