"""Several prompts on the same questions, side by side: every mean with its interval, differences in pairs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import TypeAdapter

from search.problem.trial import TOO_LONG, ScoredTrial, mean_of
from search.run_directory.files import read_json, refusing_damage, write_json
from search.statistics.estimates import Estimate, estimate, paired_difference
from search.statistics.intervals import Bounds


@dataclass(frozen=True, slots=True)
class VariantResult:
    """What a variant's answers got.

    Attributes:
        scores: by question id, on the judge's scale; a failed question is absent.
        failures: by question id, the cause in a few words.
        lengths: of the answers, by question id, in characters.
        turns: by question id, the scores by turn where there are several; None for a turn that does not count.
        answers: by question id, turn by turn.
        keys: by question id, under which the ledger has answers and verdicts (`AnswerKeys`, as text).
        not_asked: why it was not put to its model at all; "" where it was.
    """

    name: str
    scores: Mapping[str, float]
    failures: Mapping[str, str]
    lengths: Mapping[str, int]
    turns: Mapping[str, Sequence[float | None]]
    answers: Mapping[str, Sequence[str]]
    keys: Mapping[str, str] = field(default_factory=dict)
    not_asked: str = ""

    @classmethod
    def of(cls, name: str, scored: ScoredTrial) -> "VariantResult":
        return cls(name, scored.scores, scored.failures, scored.lengths, scored.turns, scored.answers, scored.keys)

    @classmethod
    def too_long(cls, name: str, questions: Iterable[str], why: str) -> "VariantResult":
        """The result of a variant whose prompts do not fit its model's context."""
        return cls(name, {}, dict.fromkeys(questions, TOO_LONG), {}, {}, {}, not_asked=why)


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table.

    Attributes:
        score: over all questions; None when more failed than the config allows.
        difference: to the first variant, over the questions that both have scores for; None for the first, and
            where one of the two has no score.
        turns: by turn where several count; None for a turn that does not count.
        categories: by category, where the benchmark has some.
        length: mean length of the answers, in characters: a judge that likes long ones shows here.
        n, failed: questions with a score, and without.
    """

    name: str
    score: Estimate | None
    difference: Estimate | None
    turns: tuple[Estimate | None, ...]
    categories: Mapping[str, Estimate | None]
    length: float | None
    n: int
    failed: int

    def to_json(self) -> dict[str, Any]:
        """An infinite end of an interval is null."""
        return {
            "name": self.name,
            "score": _json(self.score),
            "difference": _json(self.difference),
            "turns": [_json(one) for one in self.turns],
            "categories": {name: _json(one) for name, one in self.categories.items()},
            "length": self.length,
            "n": self.n,
            "n_failed": self.failed,
        }


def compare(
    outcomes: Sequence[VariantResult],
    categories: Mapping[str, str],
    confidence: float,
    max_failed_share: float,
    bounds: Bounds | None = None,
) -> tuple[Result, ...]:
    """Return a line for each variant, in their order.

    Args:
        categories: by question id; "" for none.
        bounds: lowest and highest score there can be; None where that is not known.
    """
    return tuple(_result(one, outcomes[0], categories, confidence, max_failed_share, bounds) for one in outcomes)


def _result(
    one: VariantResult,
    first: VariantResult,
    categories: Mapping[str, str],
    confidence: float,
    max_failed_share: float,
    bounds: Bounds | None,
) -> Result:
    allowed, comparable = (mean_of(it.scores, len(it.failures), max_failed_share) is not None for it in (one, first))
    paired = one is not first and allowed and comparable
    return Result(
        name=one.name,
        score=estimate([*one.scores.values()], confidence, len(one.failures), bounds) if allowed else None,
        difference=paired_difference(one.scores, first.scores, confidence, bounds) if paired else None,
        turns=_by_turn(one, confidence, bounds),
        categories=_by_category(one, categories, confidence, bounds),
        length=fmean(one.lengths.values()) if one.lengths else None,
        n=len(one.scores),
        failed=len(one.failures),
    )


def _by_turn(one: VariantResult, confidence: float, bounds: Bounds | None) -> tuple[Estimate | None, ...]:
    turns = max((len(scores) for scores in one.turns.values()), default=0)
    by_turn = [[s for scores in one.turns.values() if (s := _at(scores, turn)) is not None] for turn in range(turns)]
    return tuple(estimate(scores, confidence, bounds=bounds) for scores in by_turn)


def _at(scores: Sequence[float | None], turn: int) -> float | None:
    return scores[turn] if turn < len(scores) else None


def _by_category(
    one: VariantResult, categories: Mapping[str, str], confidence: float, bounds: Bounds | None
) -> dict[str, Estimate | None]:
    names = sorted({*categories.values()})
    if len(names) < 2:
        return {}
    groups = {name: [score for key, score in one.scores.items() if categories[key] == name] for name in names}
    return {name: estimate(scores, confidence, bounds=bounds) for name, scores in groups.items()}


def _json(value: Estimate | None) -> dict[str, float | int | None] | None:
    return None if value is None else value.to_json()


def write_variant_results(path: Path, outcomes: Sequence[VariantResult], categories: Mapping[str, str]) -> None:
    """Keep them in the file at `path`, whole or not at all."""
    write_json(path, {"categories": dict(categories), "variants": [asdict(one) for one in outcomes]})


def read_variant_results(path: Path) -> tuple[list[VariantResult], dict[str, str]]:
    """The inverse of `write_variant_results`; nothing where there is no file."""
    content = read_json(path)
    if not content:
        return [], {}
    with refusing_damage(path):
        return _VARIANTS.validate_python(content["variants"]), _CATEGORIES.validate_python(content["categories"])


_VARIANTS = TypeAdapter(list[VariantResult])
_CATEGORIES = TypeAdapter(dict[str, str])
