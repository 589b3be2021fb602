"""What variants said to the same questions, and what the judge made of it."""

from dataclasses import dataclass

from evaluators.question import Question
from search.report.side_by_side import ShownAnswer, spoken
from search.results.comparison import VariantResult
from search.results.evaluation_results import EvaluationResults, told
from search.results.stored_answers import read_last_verdicts

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


def contests(results: EvaluationResults) -> tuple[Contest, ...]:
    """The questions on which variants differ most, the largest spread first: for each variant but the first, as
    many where it gained as where it lost, as far as there are some."""
    if results.material is None or len(results.outcomes) < 2:
        return ()
    first, *others = results.outcomes
    each = max(1, _MOST // (2 * len(others)))
    chosen: dict[str, None] = {}
    for other in others:
        gains = told(other).gains(told(first))
        best = sorted(gains, key=lambda name: -gains[name])
        chosen |= dict.fromkeys(name for name in best[:each] if gains[name] > 0)
        chosen |= dict.fromkeys(name for name in best[: -each - 1 : -1] if gains[name] < 0)
    words = {one.name: _words(results, one, list(chosen)) for one in results.outcomes}
    found = [
        Contest(
            results.material.questions[name],
            {
                one.name: (one.scores[name], ShownAnswer(tuple(one.answers[name]), words[one.name].get(name, ())))
                for one in results.outcomes
                if name in one.scores
            },
        )
        for name in chosen
    ]
    return tuple(sorted(found, key=lambda one: -one.spread)[:_MOST])


def _words(results: EvaluationResults, outcome: VariantResult, names: list[str]) -> dict[str, tuple[str, ...]]:
    """The judge's words, by question id."""
    keys = {name: outcome.keys[name] for name in names if name in outcome.keys}
    return {name: spoken(verdicts) for name, verdicts in read_last_verdicts(results.ledger, keys).items()}
