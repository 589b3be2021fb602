"""What is to be said where draws of a condition do not have scores for the same questions."""

from collections.abc import Iterator, Mapping, Sequence

from search.experiments.cell import Condition, Hole, cell_name
from search.statistics.draws import Draws

Scores = Mapping[tuple[int, str], Draws]
"""Scores of each draw, by number of the condition and by name of the measure."""


def holes_without_common_question(
    conditions: Sequence[Condition], scores: Scores, measure: str, benchmark: str
) -> Iterator[Hole]:
    """Conditions that have no score, or whose draws have none for the same question."""
    for condition, draws in _by_condition(conditions, scores, measure):
        if not _common(draws):
            in_all = f" in all {len(draws):,} draws" if len(draws) > 1 else ""
            reason = f"no question of {measure} has a score{in_all}"
            yield Hole(condition, reason, benchmark=benchmark)


def notes_on_common_questions(conditions: Sequence[Condition], scores: Scores, measure: str) -> Iterator[str]:
    """Sentences about means that leave out questions which only some of the draws have a score for."""
    for condition, draws in _by_condition(conditions, scores, measure):
        common, of_any = len(_common(draws)), len(set[str]().union(*draws.values()))
        if 0 < common < of_any:
            yield (
                f"{measure}, {cell_name(condition, None)}: the mean is over the {common:,} of {of_any:,} questions "
                f"that all {len(draws):,} draws have a score for."
            )


def _by_condition(conditions: Sequence[Condition], scores: Scores, measure: str) -> Iterator[tuple[Condition, Draws]]:
    """Conditions that have run."""
    for number, condition in enumerate(conditions):
        draws = scores.get((number, measure), {})
        if draws:
            yield condition, draws


def _common(draws: Draws) -> set[str]:
    return set.intersection(*({*scores} for scores in draws.values()))
