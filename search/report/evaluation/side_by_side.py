"""What variants said to the same questions, and what the judge made of it."""

from dataclasses import dataclass

from evaluators.question import Question
from search.report.side_by_side import ShownAnswer, read_words
from search.results.comparison import VariantResult
from search.results.evaluation_results import EvaluationEvidence, told

_MOST = 8  # questions shown


@dataclass(frozen=True, slots=True)
class Contest:
    """A question on which variants differ.

    Attributes:
        said: by variant, with the score, in their order; a variant that failed here is absent.
    """

    question: Question
    said: dict[str, tuple[float, ShownAnswer]]

    @property
    def spread(self) -> float:
        """Between the highest and the lowest score."""
        scores = [score for score, _ in self.said.values()]
        return max(scores) - min(scores)


def contests(evidence: EvaluationEvidence) -> tuple[Contest, ...]:
    """The questions on which variants differ most, the largest spread first: for each variant but the first, as
    many where it gained as where it lost, as far as there are some."""
    if evidence.material is None or len(evidence.outcomes) < 2:
        return ()
    first, *others = evidence.outcomes
    each = max(1, _MOST // (2 * len(others)))
    chosen: dict[str, None] = {}
    for other in others:
        gains = told(other).gains(told(first))
        best = sorted(gains, key=lambda name: -gains[name])
        chosen |= dict.fromkeys(name for name in best[:each] if gains[name] > 0)
        chosen |= dict.fromkeys(name for name in best[: -each - 1 : -1] if gains[name] < 0)
    words = {one.name: _words(evidence, one, list(chosen)) for one in evidence.outcomes}
    found = [
        Contest(
            evidence.material.questions[name],
            {
                one.name: (one.scores[name], ShownAnswer(tuple(one.answers[name]), words[one.name].get(name, ())))
                for one in evidence.outcomes
                if name in one.scores
            },
        )
        for name in chosen
    ]
    return tuple(sorted(found, key=lambda one: -one.spread)[:_MOST])


def _words(evidence: EvaluationEvidence, outcome: VariantResult, names: list[str]) -> dict[str, tuple[str, ...]]:
    """Of the judge, by question id."""
    assert evidence.material is not None
    items = [
        (evidence.material.questions[name], tuple(outcome.answers[name])) for name in names if name in outcome.scores
    ]
    return read_words(evidence.ledger, evidence.manifest["judge"], items)
