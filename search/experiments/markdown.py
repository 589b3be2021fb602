"""An experiment's table as Markdown and as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import isfinite

from configs.plural import show_many
from configs.schema.experiment import ExperimentConfig
from search.experiments import crossing, gap
from search.experiments.cell import spell
from search.experiments.experiment import Experiment
from search.experiments.paper_tables import ALPACA
from search.experiments.results import ExperimentResults, Measure, ResultRow
from search.experiments.searches_table import rounds_table, searches_table
from search.experiments.table import Table
from search.experiments.toys import has_toys
from search.report.numbers import Numbers
from search.results.wording import show_estimate, show_gain
from search.statistics.estimates import Estimate

TOY = (
    "**A toy's numbers.** The models are toys of this project, trained for a minute: the numbers show that every part "
    "works, and claim nothing about language models or about the paper."
)


def markdown(results: ExperimentResults, paragraphs: Iterable[str], shown: Iterable[Table]) -> str:
    """What `summary` says, a table a measure as `tables` has them, then what is missing."""
    parts = [f"# {results.experiment.question}", *paragraphs]
    for table in shown:
        lines = [_line(table.head), _line(["---"] * len(table.head)), *map(_line, table.rows)]
        parts += [f"## {table.name}", "\n".join(lines)]
    if results.holes:
        parts += [f"## Missing: {len(results.holes)}", _holes(results)]
    return "\n\n".join(parts) + "\n"


def summary(results: ExperimentResults, shares: gap.SharesByMeasure) -> Iterator[str]:
    """What a reader must know before the numbers, a paragraph each."""
    if has_toys(results.config):
        yield TOY
    model = results.config.paper_model
    paper_columns = (
        f"its {model} beside ours"
        if model
        else "none of its models is compared here, so none of its figures stands here"
    )
    yield f"The paper's {results.experiment.source}; {paper_columns}."
    if model and any(measure.name == ALPACA for measure in results.measures):
        yield f"Its figures of {ALPACA} are win rates controlled for length; ours are preferences without that control."
    level = f"{100 * results.config.confidence:g} %"
    compared = [row for row in results.rows if row.difference is not None]
    within = results.experiment.within
    same = f" with the same {' and '.join(within)}" if within else ""
    reference = results.experiment.reference
    if reference is not None and any(reference.condition(results.config, row.condition) for row in compared):
        same += f"; {reference.in_words}"
    yield (
        f"Intervals are at {level}, over questions and, where prompts are drawn at random, over draws. A difference is "
        f"paired question by question and draw by draw, to the first condition{same}. {_compared(compared)}Failed "
        "questions are in no mean, and counted beside the others."
    )
    yield from _lucky(results)
    yield from _flattered(results)
    spend = results.spend
    dollars = "dollars unknown" if spend.dollars is None else f"${spend.dollars:,.2f}"
    yield (
        f"{_have_run(results)}; paid for here: {show_many(spend.generated, 'generation')}, "
        f"{show_many(spend.judged, 'verdict')}, {dollars}."
    )
    yield from gap.sentences(results, shares)
    yield from crossing.sentences(results)
    yield from results.notes


def _compared(rows: Sequence[ResultRow]) -> str:
    """How many differences are tested and how many are not, and what their marks mean."""
    tested = [row for row in rows if not row.search_questions]
    untested = len(rows) - len(tested)
    if not untested:
        return _tested(tested)
    marked = show_many(untested, "further difference" if tested else "difference")
    chosen = "questions of the benchmark have chosen one of the two prompts"
    return f"{_tested(tested)}† marks {marked} without a test: {chosen}. "


def _tested(rows: Sequence[ResultRow]) -> str:
    if not rows:
        return ""
    if len(rows) == 1:
        return "There is one difference here: * marks it where its test leaves zero out. "
    stay = sum(bool(row.stays) for row in rows)
    marked = {0: "none stays", 1: "* marks the one that stays"}.get(stay, f"* marks the {stay} that stay")
    return f"There are {len(rows)} differences here: {marked} when all of them are looked at together (Holm's test). "


def _lucky(results: ExperimentResults) -> Iterator[str]:
    """Say how many conditions rest on one random draw."""
    lucky = {number for (number, _), draws in results.scores.items() if len(draws) == 1 and 0 not in draws}
    if lucky:
        rest = "condition rests" if len(lucky) == 1 else "conditions rest"
        yield (
            f"{len(lucky):,} {rest} on one random draw: the luck of the draw is in no interval there; set more `draws` "
            "to have it in."
        )


def _flattered(results: ExperimentResults) -> Iterator[str]:
    """Say which benchmarks have questions that chose what is shown on them."""
    chose = frozenset[str]().union(*(sets.search_questions for sets in results.found_sets.values()))
    for benchmark in dict.fromkeys(measure.benchmark for measure in results.measures):
        measure = next(measure for measure in results.measures if measure.benchmark == benchmark)
        asked = results.categories[measure.name].keys()
        if both := len(asked & chose):
            have = "has" if both == 1 else "have"
            yield (
                f"{both:,} of the {show_many(len(asked), 'question')} of {benchmark} {have} guided the searches: its "
                "scores of "
                f"found sets are flattered by that choice; {overstatement_in_words(results.config, benchmark)}."
            )


def overstatement_in_words(config: ExperimentConfig, benchmark: str) -> str:
    """What the column "overstated by" says of this benchmark's scores."""
    judge = next(of.judge for of in config.benchmarks if of.name == benchmark)
    questions = config.greedy.questions or config.benchmarks[0].questions
    held_out = questions.split.held_out_benchmark
    by = []
    if (config.greedy.judge or config.benchmarks[0].judge) != judge:
        by.append("by the search's judge")
    if held_out is not None and held_out != questions.benchmark:
        by.append("on another benchmark's questions, so not by selection alone")
    column = '"overstated by" in the table of searches'
    return f"{column} says by how much" + (f", but {' and '.join(by)}" if by else "")


def _have_run(results: ExperimentResults) -> str:
    """`12 cells have run, 1 is missing`."""
    ran, holes = results.cells, len(results.holes)
    have = "has" if ran == 1 else "have"
    are = {0: "none is missing", 1: "1 is missing"}.get(holes, f"{holes:,} are missing")
    return f"{show_many(ran, 'cell')} {have} run, {are}"


def tables(results: ExperimentResults, shares: gap.SharesByMeasure) -> list[Table]:
    """One a measure, in their order; behind each its matrix, where the experiment has one; its searches at the end."""
    shown: list[Table] = []
    for measure in results.measures:
        rows = [row for row in results.rows if row.measure == measure]
        shown.append(_table(measure, rows))
        if results.experiment.is_matrix:
            shown.append(_matrix(results.experiment, measure, rows))
        shown += gap.tables(results, measure, shares[measure])
    return [*shown, *searches_table(results.found_sets), *rounds_table(results.found_sets, results.config.paper_model)]


def _matrix(experiment: Experiment, measure: Measure, rows: Sequence[ResultRow]) -> Table:
    """Scores of `y` by `x` with their intervals."""
    across, down = (list(dict.fromkeys(row.condition[label] for row in rows)) for label in (experiment.x, experiment.y))
    by_place = {(row.condition[experiment.y], row.condition[experiment.x]): row for row in rows}
    digits = _digits(rows)
    lines = [(spell(name), *(_place(by_place.get((name, column)), digits) for column in across)) for name in down]
    head = (f"{experiment.y} by {experiment.x}", *map(spell, across))
    return Table(f"{measure.name}: {experiment.y} by {experiment.x}", head, tuple(lines))


def _place(row: ResultRow | None, digits: int) -> str:
    if row is None or row.score is None:
        return "missing"
    printed = "" if row.printed is None else f"; the paper's {row.printed:.{digits}f}"
    return show_estimate(row.score, digits=digits) + printed


def _digits(rows: Sequence[ResultRow]) -> int:
    """Digits behind the point: 7.43, but 0.743."""
    return Numbers.fitting([row.score.mean for row in rows if row.score is not None]).digits


def _table(measure: Measure, rows: Sequence[ResultRow]) -> Table:
    labels = list(dict.fromkeys(name for row in rows for name in row.condition))
    has_paper = any(row.printed is not None for row in rows)
    head = (
        *labels,
        "draws",
        "score",
        "difference",
        *(["the paper's"] if has_paper else []),
        "characters",
        "questions",
        "failed",
    )
    digits = _digits(rows)
    return Table(measure.name, head, tuple(_cells(row, labels, has_paper, digits) for row in rows))


def _cells(row: ResultRow, labels: Sequence[str], has_paper: bool, digits: int) -> tuple[str, ...]:
    return (
        *(spell(row.condition[name]) if name in row.condition else "" for name in labels),
        str(row.draws),
        "missing" if row.score is None else show_estimate(replace(row.score, failed=0), with_n=False, digits=digits),
        "" if row.difference is None else show_gain(row.difference.estimate, digits) + row.mark,
        *(["" if row.printed is None else f"{row.printed:.{digits}f}"] if has_paper else []),
        "" if row.length is None else f"{row.length:,.0f}",
        str(row.score.n) if row.score else "0",
        str(row.failed),
    )


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _holes(results: ExperimentResults) -> str:
    lines = [_line(["cell", "benchmark", "reason"]), _line(["---"] * 3)]
    lines += [_line([hole.name, hole.benchmark or "all", " ".join(hole.reason.split())]) for hole in results.holes]
    return "\n".join(lines)


_FURTHER = (
    *("difference", "difference_low", "difference_high", "p_value"),
    *("stays_among_all", "search_questions", "paper", "length"),
)
_SHARE = ("gain_stays_among_all", "share", "share_low", "share_high", "share_questions")


def csv_table(results: ExperimentResults, shares: gap.SharesByMeasure) -> str:
    """A line for each condition and measure, every number in a column of its own."""
    labels = list(dict.fromkeys(name for row in results.rows for name in row.condition))
    of_conditions = [(measure, share) for measure, of_measure in shares.items() for share in of_measure]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = (*labels, "measure", "draws", "score", "low", "high", "questions", "failed", *_FURTHER)
    writer.writerow((*head, *(_SHARE if of_conditions else ()), "toy"))
    for row in results.rows:
        of_row = (
            share for measure, share in of_conditions if (measure, share.condition) == (row.measure, row.condition)
        )
        share = _share(next(of_row, None)) if of_conditions else []
        own = [row.condition.get(name, "") for name in labels]
        writer.writerow([*own, *_numbers(row), *share, "yes" if has_toys(results.config) else "no"])
    return out.getvalue()


def _share(share: gap.Share | None) -> list[object]:
    """What `sufficient` says of the row; bounds are empty where it is not clear that there is a gap."""
    if share is None or share.share is None:
        return [""] * len(_SHARE)
    ends = [end if isfinite(end) else "" for end in (share.share.low, share.share.high)]
    return ["" if share.stays is None else share.stays, share.share.mean, *ends, share.share.n]


def _numbers(row: ResultRow) -> list[object]:
    score, difference = row.score, row.difference
    ours = [*_in_columns(score), score.n] if score else ["", "", "", 0]
    gain = _in_columns(difference.estimate) if difference else [""] * 3
    p_value = difference.p_value if difference else ""
    stays = "" if row.stays is None else row.stays
    printed, length = ("" if value is None else value for value in (row.printed, row.length))
    rest = [p_value, stays, row.search_questions, printed, length]
    return [row.measure.name, row.draws, *ours, row.failed, *gain, *rest]


def _in_columns(value: Estimate) -> list[object]:
    """Mean, low and high; an end that is infinite stays empty."""
    return [value.mean, *(end if isfinite(end) else "" for end in (value.low, value.high))]
