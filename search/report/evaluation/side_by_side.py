"""What variants said to the same questions, and what the judge made of it."""

from dataclasses import dataclass

from evaluators.question import Question
from search.report.side_by_side import ShownAnswer, shown
from search.results.evaluation_results import EvaluationResults

_MOST = 8  # questions shown


@dataclass(frozen=True, slots=True)
class VariantContrast:
    """A question on which variants differ.

    Attributes:
        answers: by variant, with the score, in their order; a variant that failed here is absent, and so is one
            whose answers the ledger has not.
    """

    question: Question
    answers: dict[str, tuple[float, ShownAnswer]]

    @property
    def spread(self) -> float:
        """The difference between the highest and the lowest score."""
        scores = [score for score, _ in self.answers.values()]
        return max(scores) - min(scores)


def variant_contrasts(results: EvaluationResults) -> tuple[VariantContrast, ...]:
    """The questions on which variants differ most, the largest spread first: for each variant but the first, as
    many where it gained as where it lost, as far as there are some."""
    if results.material is None or len(results.variants) < 2:
        return ()
    first, *others = results.variants.values()
    each = max(1, _MOST // (2 * len(others)))
    chosen: dict[str, None] = {}
    for other in others:
        gains = other.gains(first)
        ranked = sorted(gains, key=lambda name: -gains[name])
        chosen |= dict.fromkeys(name for name in ranked[:each] if gains[name] > 0)
        chosen |= dict.fromkeys(name for name in ranked[: -each - 1 : -1] if gains[name] < 0)
    answers = {record.name: results.answers(record, chosen) for record in results.records}
    contrasts = [
        VariantContrast(
            results.material.questions[name],
            {
                variant: (scored.scores[name], shown(answers[variant][name]))
                for variant, scored in results.variants.items()
                if name in scored.scores and name in answers[variant]
            },
        )
        for name in chosen
    ]
    both_said = [contrast for contrast in contrasts if len(contrast.answers) > 1]
    return tuple(sorted(both_said, key=lambda contrast: -contrast.spread)[:_MOST])
