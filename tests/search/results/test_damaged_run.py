"""A damaged file of a run directory is one sentence that names it, whatever reads it; never a wrong result."""

import asyncio
import contextlib
import json
import random
import re
import shutil
from collections.abc import Callable, Iterator
from io import StringIO
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest

from configs.errors import DemosearchError, InputError
from configs.schema.judge import ReferenceJudgeConfig
from configs.schema.rejudge import RejudgeConfig
from evaluators.ledger.ledger import Ledger
from search.cli.watch import watch
from search.export import export
from search.export.optuna_study import fill_study
from search.live.safe_console import SafeConsole
from search.report.forms import report
from search.results.answers_table import read_answers
from search.results.evaluation_status import read_evaluation
from search.results.status import read_status
from search.run_directory.run import Run
from search.running.rejudge import rejudge
from search.running.winners import evaluation_of_winners
from search.view.bundle import write_bundle
from search.view.compare import compare_runs
from search.view.runs import RunList
from tests.search.report.made_evaluation import made_evaluation
from tests.search.report.made_run import small_run

pytestmark = pytest.mark.heavy

FILES = ("config.json", "manifest.json", "material.json", "state.json", "journal.jsonl", "ledger.sqlite")
EVALUATION_FILES = ("config.json", "manifest.json", "material.json", "state.json", "results.json", "ledger.sqlite")
GARBLED = 12
PYTHONS = re.compile(r"codec|Expecting|validation error|Traceback|object has no|recursion|delimiter|Error\b|\[type=")
CONTENTS = (b"", b"{}", b"null", b"[]", b"5", b'{"', b"\xff\xfe", b"[" * 99_999, b'{"state": 5, "run": [], "rules": 5}')


def score(names: tuple[str, ...], question: str) -> float:
    return 5.0 + len(names) + int(question[1])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = small_run(tmp_path_factory.mktemp("runs") / "run", score)
    run.search("a")
    run.judge_finalists(("a",), ())
    return run.write()


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evaluations") / "run"
    return made_evaluation(path, {"q1": "", "q2": ""}, ("x", "y"), lambda name, question: float(question[1]))


def fill(path: Path) -> None:
    fill_study(path, f"sqlite:///{path.parent}/study.db")


def write(path: Path) -> None:
    Run.open(path).close()


SEARCH_READERS: tuple[Callable[[Path], Any], ...] = (
    *(read_status, report, read_answers, fill, write),
    lambda path: report(path, "md"),
    lambda path: export(path, "urial"),
    lambda path: export(path, "json"),
)
EVALUATION_READERS: tuple[Callable[[Path], Any], ...] = (read_evaluation, report, read_answers, write)


def listed(path: Path) -> None:
    for row in RunList(path).rows():
        if row.kind == "unreadable":
            raise InputError(row.note)


LOOKERS: tuple[Callable[[Path], Any], ...] = (
    listed,
    lambda path: watch(path, SafeConsole(file=StringIO()), once=True),
    lambda path: compare_runs([("one", path), ("other", path)]),
    lambda path: write_bundle(path, path.with_name(f"{path.name}-pages")),
)


def damages(file: Path) -> Iterator[bytes | None]:
    """Contents of a file that was cut, emptied, overwritten or deleted (None)."""
    content = file.read_bytes()
    yield None
    yield from CONTENTS
    for part in (1, 20, len(content) // 3, len(content) // 2, len(content) - 3):
        yield content[:part]
    if file.suffix == ".json":
        known = json.loads(content)
        for name in known:
            yield json.dumps({key: value for key, value in known.items() if key != name}).encode()
            for wrong in (None, 7, "x", [7], {"x": 7}):
                yield json.dumps(known | {name: wrong}).encode()


def garbled(file: Path, draw: random.Random) -> bytes:
    """A range of the file's bytes lost, doubled, zeroed or overwritten."""
    content = file.read_bytes()
    start = draw.randrange(len(content))
    stop = start + draw.choice((1, 3, 30, 300, 4096))
    part = content[start:stop]
    wrong = bytes(draw.choice(b'0123456789{}[]",:abc -.e') for _ in part)
    return (
        content[:start]
        + draw.choice((b"", part * 2, bytes(len(part)), draw.randbytes(len(part)), wrong))
        + content[stop:]
    )


def complaint(read: Callable[[Path], Any], path: Path) -> str:
    try:
        read(path)
    except DemosearchError as error:
        return str(error)
    return "nothing"


def try_all(whole: Path, name: str, readers: tuple[Callable[[Path], Any], ...], folder: Path, every: int = 1) -> None:
    sentences: list[str] = []
    draw = random.Random(name)
    garbage = (garbled(whole / name, draw) for _ in range(GARBLED))
    for number, content in enumerate(islice(chain(damages(whole / name), garbage), 0, None, every)):
        # Under one name the Optuna study is filled once; config.json says whose study it is.
        path = Path(shutil.copytree(whole, folder / (str(number) if name == "config.json" else "run")))
        if content is None:
            (path / name).unlink()
        else:
            (path / name).write_bytes(content)
        for read in readers:
            sentences.append(complaint(read, path))
        shutil.rmtree(path)
    assert [sentence for sentence in sentences if str(folder) not in sentence and sentence != "nothing"] == []
    assert [sentence for sentence in sentences if PYTHONS.search(sentence)] == []


@pytest.mark.parametrize("name", FILES)
def test_whatever_is_damaged_in_a_search_is_a_sentence_or_changes_nothing(
    name: str, whole: Path, tmp_path: Path
) -> None:
    try_all(whole, name, SEARCH_READERS, tmp_path)


@pytest.mark.parametrize("name", EVALUATION_FILES)
def test_whatever_is_damaged_in_an_evaluation_is_a_sentence_or_changes_nothing(
    name: str, evaluation: Path, tmp_path: Path
) -> None:
    try_all(evaluation, name, EVALUATION_READERS, tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_whatever_is_damaged_is_a_sentence_or_changes_nothing_for_those_who_list_watch_compare_and_view(
    name: str, whole: Path, tmp_path: Path
) -> None:
    try_all(whole, name, LOOKERS, tmp_path, every=7)


@pytest.mark.parametrize("name", ["manifest.json", "material.json"])
def test_a_lost_file_of_a_run_that_has_begun_is_said_to_be_missing(name: str, whole: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(whole, tmp_path / "run"))
    (path / name).unlink()
    with pytest.raises(InputError, match=f"{name} is missing, and the run has begun: restore the file from a copy"):
        report(path)


def test_the_material_of_another_run_is_refused(whole: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(whole, tmp_path / "run"))
    material = json.loads((path / "material.json").read_text())
    material["search"] = material["search"][1:]
    del material["checksum"]
    (path / "material.json").write_text(json.dumps(material))
    with pytest.raises(InputError, match=r"material.json is damaged .it has no 'g1', which the journal names"):
        report(path)


@pytest.mark.parametrize("name", ["config.json", "state.json"])
def test_a_damaged_file_leaves_the_run_free_for_others(name: str, whole: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(whole, tmp_path / "run"))
    content = (path / name).read_bytes()
    (path / name).write_bytes(b"{")
    with contextlib.suppress(InputError):
        Run.open(path)
    (path / name).write_bytes(content)
    Run.open(path).close()


@pytest.mark.parametrize("tallied", [True, False])
def test_a_lost_ledger_is_said_aloud(tallied: bool, whole: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(whole, tmp_path / "run"))
    assert read_status(path).lost == ""
    (path / "ledger.sqlite").unlink()
    if tallied:
        (path / "tally.json").write_text('{"generations": 3, "verdicts": 3}')
    lost = read_status(path).lost
    assert (
        lost == f"The ledger {path}/ledger.sqlite is missing: what was paid for, answered and failed cannot be shown."
    )
    assert "is missing: what was paid for, answered and failed cannot be shown" in report(path, "md")
    assert read_status(path).to_json()["generated"] is None


def test_rows_that_a_ledger_has_lost_are_said_aloud(whole: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(whole, tmp_path / "run"))
    asyncio.run(Ledger(tmp_path / "empty.sqlite", "other").close())
    shutil.copy(tmp_path / "empty.sqlite", path / "ledger.sqlite")
    assert read_status(path).lost == "The ledger has lost rows: 4 of 4 answers looked up are not in it."
    (path / "tally.json").write_text('{"generations": 3, "verdicts": 2}')
    assert "it holds 0 answers and 0 verdicts of this run, and 3 and 2 were written" in read_status(path).lost
    with pytest.raises(InputError, match=r"has lost rows.*or add --pay-again, which asks and pays for what is missing"):
        evaluation_of_winners([path], tmp_path / "prompts")
    assert evaluation_of_winners([path], tmp_path / "prompts", pay_again=True)[0].variants
    with pytest.raises(InputError, match=r"has lost rows.*Restore the ledger from a copy, then rejudge"):
        rejudge(path, RejudgeConfig(judge=ReferenceJudgeConfig(kind="reference")))
    assert export(path, "urial") == export(whole, "urial")


def test_a_finished_search_whose_journal_was_cut_is_refused_and_never_read_as_another_result(
    whole: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(whole, tmp_path / "run"))
    lines = (path / "journal.jsonl").read_bytes().splitlines(keepends=True)
    for kept in range(len(lines)):
        (path / "journal.jsonl").write_bytes(b"".join(lines[:kept]))
        with pytest.raises(InputError, match=r"journal.jsonl has lost lines, since the search has finished"):
            read_status(path)


def rearranged(lines: list[bytes]) -> Iterator[list[bytes]]:
    """The lines with one of them doubled, one lost, or two exchanged."""
    for at in range(1, len(lines) - 1):
        yield lines[:at] + lines[at - 1 :]
        yield lines[:at] + lines[at + 1 :]
        yield [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]


@pytest.mark.parametrize(
    ("name", "read"), [("journal.jsonl", read_status), ("material.json", lambda path: export(path, "json"))]
)
def test_a_finished_search_whose_lines_were_doubled_lost_or_exchanged_is_refused_or_has_the_same_content(
    name: str, read: Callable[[Path], Any], whole: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(whole, tmp_path / "run"))
    before, lines = read(path), (path / name).read_bytes().splitlines(keepends=True)
    same, said = [], []
    for changed in islice(rearranged(lines), 40):
        (path / name).write_bytes(b"".join(changed))
        try:
            same.append(read(path))
        except InputError as error:
            said.append(str(error))
    assert [*filter(re.compile(rf"{name}.* is damaged").search, said)] == said
    assert same == [before] * len(same)
    assert len(same) < len(said) if name == "material.json" else not same
