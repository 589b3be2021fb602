"""How much of the way from the base model to the instruct model each prompt closes."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from configs.plural import show_many
from search.experiments.cell import Condition
from search.experiments.results import ExperimentResults, Measure
from search.experiments.sufficient import BASE, EXPERIMENT, TARGET
from search.experiments.table import Table
from search.results.wording import show_gain
from search.statistics.draws import Difference, Draws, difference_of_draws, share_of_gap
from search.statistics.estimates import Estimate


@dataclass(frozen=True, slots=True)
class Share:
    """The share of the gap from base to instruct model that a condition closes.

    Attributes:
        gain: over the base model, the row's own difference; None where they have no question in common.
        share: of the gap, 1 at the instruct model; without bounds where it is not clear that there is a gap.
        stays: the gain stays when all of the table's differences are looked at together (Holm).
        mark: behind the gain, the row's.
        printed: the same of the paper's figures; None where it printed them not.
        is_prompted: whether a prompt closes it, and neither training nor decoding alone.
        failed: questions without a score, of the condition, base and instruct model together.
    """

    condition: Condition
    score: Estimate
    gain: Difference | None
    share: Estimate | None
    stays: bool | None
    mark: str
    printed: float | None
    is_prompted: bool
    failed: int


SharesByMeasure = Mapping[Measure, Sequence[Share]]


def gap_of(results: ExperimentResults, measure: Measure, category: str | None = None) -> Difference | None:
    """Instruct model against base model, neither with a prompt; None where one of them has no scores."""
    base, target = (_draws(results, condition, measure, category) for condition in (BASE, TARGET))
    if not base or not target:
        return None
    return difference_of_draws(target, base, results.config.confidence, results.bounds(measure))


def is_clear(gap: Difference | None) -> bool:
    """Whether the interval of the gap leaves 0 out."""
    return gap is not None and not gap.estimate.low <= 0 <= gap.estimate.high


def shares(results: ExperimentResults, measure: Measure) -> list[Share]:
    """One for each condition with scores, but for base and instruct model themselves; none in other experiments."""
    if results.experiment.name != EXPERIMENT.name:
        return []
    with_share = []
    for row in results.rows:
        if row.measure == measure and row.score is not None and row.condition not in (BASE, TARGET):
            share = _share(results, row.condition, measure)
            printed = _printed(results, row.condition, measure)
            is_prompted = results.conditions.index(dict(row.condition)) in results.prompted
            failed = _failed(results, (row.condition, BASE, TARGET), measure)
            marks = row.stays, row.mark
            with_share.append(
                Share(row.condition, row.score, row.difference, share, *marks, printed, is_prompted, failed)
            )
    return with_share


def shares_by_measure(results: ExperimentResults) -> SharesByMeasure:
    """The shares of every measure of the experiment."""
    return {measure: shares(results, measure) for measure in results.measures}


def printed_of_holes(results: ExperimentResults, measure: Measure) -> list[tuple[Condition, float]]:
    """The paper's shares of conditions that have no score here."""
    holes = [row.condition for row in results.rows if row.measure == measure and row.score is None]
    printed = ((condition, _printed(results, condition, measure)) for condition in holes)
    return [(condition, share) for condition, share in printed if share is not None and condition not in (BASE, TARGET)]


def _share(
    results: ExperimentResults, condition: Condition, measure: Measure, category: str | None = None
) -> Estimate | None:
    reached, base, target = (_draws(results, compared, measure, category) for compared in (condition, BASE, TARGET))
    if not reached or not base or not target:
        return None
    return share_of_gap(reached, base, target, results.config.confidence, results.bounds(measure))


def _draws(results: ExperimentResults, condition: Condition, measure: Measure, category: str | None = None) -> Draws:
    """Scores of a condition, of one category of questions or of all; empty where it has none."""
    draws = results.scores.get((results.conditions.index(dict(condition)), measure.name), {})
    if category is None:
        return draws
    of = results.categories[measure.name]
    kept = {
        number: {name: score for name, score in scores.items() if of.get(name) == category}
        for number, scores in draws.items()
    }
    return kept if all(kept.values()) else {}


def _printed(results: ExperimentResults, condition: Condition, measure: Measure) -> float | None:
    rows = (results.row(compared, measure) for compared in (condition, BASE, TARGET))
    reached, base, target = (None if row is None else row.printed for row in rows)
    if reached is None or base is None or target is None or target == base:
        return None
    return (reached - base) / (target - base)


def sentences(results: ExperimentResults, all_shares: SharesByMeasure) -> Iterator[str]:
    """The answer to the question, measure by measure."""
    if results.experiment.name != EXPERIMENT.name:
        return
    for measure in results.measures:
        gap = gap_of(results, measure)
        if gap is None:
            yield f"{measure.name}: no question has a score of both models, so there is no gap to close."
        elif not is_clear(gap):
            yield (
                f"**{measure.name}: the gap from base to instruct model is {show_gain(gap.estimate)} and cannot be "
                f"told from zero on {show_many(gap.estimate.n, 'question')}: no share of it means anything.**"
            )
        else:
            counted = f"{show_many(gap.estimate.n, 'question')}, {_failed(results, (BASE, TARGET), measure):,} failed"
            gap_in_words = f"the gap from base to instruct model is {show_gain(gap.estimate)} ({counted})"
            yield f"{measure.name}: {gap_in_words}. {_best(all_shares[measure])}"
    if number := sum(share.share is not None for of_measure in all_shares.values() for share in of_measure):
        yield (
            f"Intervals of shares ({number} here, and those by category) stand alone: none is widened for their number."
        )


def _best(of_measure: Iterable[Share]) -> str:
    compared = [share for share in of_measure if share.share is not None]
    prompted = [share for share in compared if share.is_prompted]
    if not prompted:
        return "No prompt has a score on the questions of both models."
    best = max(prompted, key=lambda share: share.score.mean)
    assert best.share is not None
    enough = "reaches" if best.share.low >= 1 else "may reach" if best.share.high >= 1 else "does not reach"
    others = len(compared) - len(prompted)
    have = "has" if others == 1 else "have"
    others_shown = (
        f" {show_many(others, 'condition')} beside them {have} no prompt, or a trained model." if others else ""
    )
    return (
        f"The best of {show_many(len(prompted), 'prompt')} ({name_of(best.condition)}) closes {show_share(best.share)} "
        f"of it and {enough} the instruct model; as the best of many, chosen by these scores, it is flattered."
        f"{others_shown}"
    )


def tables(results: ExperimentResults, measure: Measure, of_measure: Sequence[Share]) -> list[Table]:
    """Shares by condition; and by category, where the questions have several, of each experiment's best."""
    if not of_measure:
        return []
    has_paper = any(share.printed is not None for share in of_measure)
    all_prompted = all(share.is_prompted for share in of_measure)
    head = (
        "experiment",
        "condition",
        "gain over base",
        "share of the gap",
        *(["the paper's"] if has_paper else []),
        "questions",
        "failed",
        *([] if all_prompted else ["by"]),
    )
    rows = tuple(
        (
            *map(str, share.condition.values()),
            "" if share.gain is None else show_gain(share.gain.estimate) + share.mark,
            show_share(share.share),
            *([] if not has_paper else ["" if share.printed is None else f"{100 * share.printed:.0f} %"]),
            str(share.share.n if share.share else 0),
            str(share.failed),
            *([] if all_prompted else ["prompt" if share.is_prompted else "no prompt, or trained"]),
        )
        for share in of_measure
    )
    prompts = [share for share in of_measure if share.is_prompted]
    return [Table(f"{measure.name}: share of the gap", head, rows), *_by_category(results, measure, prompts)]


def _failed(results: ExperimentResults, conditions: Iterable[Condition], measure: Measure) -> int:
    """Questions without a score, of all these conditions and their draws together."""
    rows = (results.row(condition, measure) for condition in conditions)
    return sum(row.failed for row in rows if row is not None)


def _by_category(results: ExperimentResults, measure: Measure, prompts: list[Share]) -> Iterator[Table]:
    categories = sorted({*results.categories[measure.name].values()} - {""})
    if len(categories) < 2:
        return
    best: dict[object, Share] = {}
    for share in prompts:
        name = share.condition["experiment"]
        if name not in best or share.score.mean > best[name].score.mean:
            best[name] = share
    clear = {category: is_clear(gap_of(results, measure, category)) for category in categories}
    rows = []
    for share in best.values():
        by_category = {category: _share(results, share.condition, measure, category) for category in categories}
        cells = (
            "gap not clear" if not clear[category] else f"{show_share(part)}, n = {part.n}" if part else ""
            for category, part in by_category.items()
        )
        rows.append((name_of(share.condition), *cells))
    yield Table(
        f"{measure.name}: share of the gap by category, best of each experiment",
        ("condition", *categories),
        tuple(rows),
    )


def name_of(condition: Condition) -> str:
    """`greedy: strategy paper, chosen 3`."""
    return f"{condition['experiment']}: {condition['condition']}"


def show_share(share: Estimate | None) -> str:
    """A share in per cent."""
    if share is None:
        return "no gap"
    if not math.isfinite(share.low):
        return f"{100 * share.mean:.0f} % [no bounds: the gap is not clear]"
    return f"{100 * share.mean:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def to_json(all_shares: SharesByMeasure) -> list[Mapping[str, object]]:
    """Every share by condition and measure, for scripts."""
    return [
        {
            **share.condition,
            "measure": measure.name,
            "gain": share.gain and share.gain.estimate.to_json(),
            "share": share.share and share.share.to_json(),
            "paper": share.printed,
            "stays_among_all": share.stays,
            "is_prompted": share.is_prompted,
            "n_failed": share.failed,
        }
        for measure, of_measure in all_shares.items()
        for share in of_measure
    ]
