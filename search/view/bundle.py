"""The view as files, for any web server: the list, every run's report and answers, and all of them compared."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import NamedTuple

from configs.errors import InputError
from search.report.forms import report
from search.results.answers_table import Answer
from search.run_directory.reviews import Review, Reviewed, readable_reviews
from search.view.answer_filter import Filter
from search.view.answer_index import PAGE, AnswerIndex
from search.view.answer_rows import AnswerPage, AnswerRow
from search.view.bundle_index import row_files, text_files
from search.view.compare import compare_runs
from search.view.pages import asset, render
from search.view.run_answers import index_answers
from search.view.runs import RunList, experiment_page, is_experiment

_AT_ONCE = 1_000  # answers that are read together


class Bundle(NamedTuple):
    """What was written.

    Attributes:
        reviews: of people, whose verdicts and comments it holds.
    """

    files: int
    reviews: int


def write_bundle(folder: Path, target: Path) -> Bundle:
    """Write the runs in `folder` into `target`, which must be empty or absent; nothing stays there where that fails.

    Raises:
        InputError: `target` holds files or cannot be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"{target} is not empty: choose another folder to --bundle, or empty it")
    try:
        try:
            return _write_all(RunList(folder), target)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
    except OSError as error:
        raise InputError(f"{target} cannot be written ({error.strerror}): choose another folder to --bundle") from None


def _write_all(runs: RunList, target: Path) -> Bundle:
    written, reviews = set[str](), 0

    def keep(name: str, text: str) -> None:
        path = target / name
        if path.exists():
            raise InputError(f"two pages would be written to {path}: rename one of the runs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.add(name)

    rows = runs.rows()
    readable = [(row, path) for row in rows if row.kind != "unreadable" and (path := runs.path(row.name))]
    for name in ("view.css", "view.js", "bundle.js"):
        keep(f"assets/{name}", asset(name))
    keep("index.html", render("index.html.jinja", "", static=True, rows=rows, folder=runs.folder.resolve().name))
    for row, path in readable:
        root = "../" * (1 + row.name.count("/"))
        keep(f"run/{row.name}.html", render("run.html.jinja", root, static=True, row=row, live=None, age=0.0))
        if is_experiment(path):
            keep(f"report/{row.name}.html", experiment_page(path) if row.state == "finished" else "")
            continue
        keep(f"report/{row.name}.html", report(path))
        own, damage = readable_reviews(path)
        reviews += len(own)
        for file, text in _answer_files(row.name, root, path, own, damage):
            keep(f"answers/{file}", text)
    scored = [(row.name, path) for row, path in readable if row.score is not None]
    compared = compare_runs(scored) if scored else ()
    keep("compare.html", render("compare.html.jinja", "", static=True, compared=compared, names=[], all=[]))
    return Bundle(len(written), reviews)


def _answer_files(
    name: str, root: str, path: Path, reviews: Mapping[Reviewed, Review], damage: str
) -> Iterator[tuple[str, str]]:
    """Pages of a run's answers, and what they are filtered and searched with; names and contents."""
    index = index_answers(path).index
    index.take_reviews(reviews, damage)
    try:
        rows = [*_all_rows(index)]
        texts = [*text_files(_all_answers(index, rows))]
        columns = [*row_files(rows)]
        for kind, files in (("rows", columns), ("texts", texts)):
            yield from ((f"{name}.{kind}-{number}.js", text) for number, text in enumerate(files))
        size = {"rows": len(columns), "texts": len(texts), "stem": name.rpartition("/")[2]}
        choices = {column: index.choices(column) for column in ("side", "category")}
        for page in range(max(1, -(-len(rows) // PAGE))):
            matching = AnswerPage(tuple(rows[page * PAGE : (page + 1) * PAGE]), len(rows))
            values = {"found": matching, "wanted": asdict(Filter(page=page)), "choices": choices, "size": PAGE}
            whole = _beside_base(index, matching.rows)
            shown = {**values, "damage": damage, "roles": index.roles, "whole": whole, "files": size}
            yield _page_name(name, page), render("answers.html.jinja", root, static=True, name=name, **shown)
    finally:
        index.close()


def _page_name(name: str, page: int) -> str:
    """The file of a page of answers; no other run's first page ends in `.htm`, whatever the run is called."""
    return f"{name}.page-{page}.htm" if page else f"{name}.html"


def _all_rows(index: AnswerIndex) -> Iterator[AnswerRow]:
    """All rows in the order in which they were asked."""
    for page in count():
        rows = index.find(Filter(page=page)).rows
        if not rows:
            return
        yield from rows


def _all_answers(index: AnswerIndex, rows: Sequence[AnswerRow]) -> Iterator[Answer]:
    for start in range(0, len(rows), _AT_ONCE):
        yield from index.whole([row.id for row in rows[start : start + _AT_ONCE]])


def _beside_base(index: AnswerIndex, rows: Sequence[AnswerRow]) -> dict[int, tuple[Answer, Answer | None]]:
    """Answers by the ids of their rows, and the base prompt's to the same question where that is another."""
    answers = index.whole([row.id for row in rows])
    base = index.of_role(answers, "base prompt")
    pairs = zip(rows, answers, base, strict=True)
    return {row.id: (own, None if row.role == "base prompt" else other) for row, own, other in pairs}
