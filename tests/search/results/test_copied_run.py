"""A run directory that was copied to a machine without the model, the pool and the questions says all that it said."""

import shutil
from pathlib import Path

import pytest

from search.export import Format, export
from search.export.optuna_study import fill_study
from search.report.forms import report
from search.results.answers_table import read_answers
from search.results.search_results import read_search_results
from tests.command_line import demosearch
from tests.search.export.scored import CHAT, scored

pytestmark = pytest.mark.heavy

FORMS: dict[str, tuple[Format, ...]] = {
    "urial_backticks": ("urial", "json", "messages", "openai", "hugging_face", "chat_template", "vllm", "langchain"),
    "chat": ("json", "messages", "openai", "hugging_face", "vllm", "langchain", "dspy", "promptfoo"),
}


@pytest.fixture(scope="module", params=["urial_backticks", "chat"])
def copied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    template = str(request.param)
    folder = tmp_path_factory.mktemp("first")
    run = scored(folder, template, CHAT if template == "chat" else None).path
    elsewhere = Path(shutil.copytree(run, tmp_path_factory.mktemp("second") / "run"))
    shutil.rmtree(folder)
    return elsewhere, template


def test_every_answer_is_found_with_its_verdict(copied: tuple[Path, str]) -> None:
    rows = read_answers(copied[0])
    assert {row.answers for row in rows} <= {("An answer.",), ("No.",)}
    assert all(row.answers and row.verdicts == (row.score,) for row in rows)


def test_every_form_is_exported(copied: tuple[Path, str]) -> None:
    path, template = copied
    assert all(export(path, form) for form in FORMS[template])


def test_the_report_shows_answers_side_by_side(copied: tuple[Path, str]) -> None:
    path, _ = copied
    assert "An answer." in report(path, "html")
    assert "An answer." in report(path, "md")


def test_an_optuna_study_is_filled(copied: tuple[Path, str], tmp_path: Path) -> None:
    assert fill_study(copied[0], f"sqlite:///{tmp_path}/study.db") == len(read_search_results(copied[0]).search) >= 3


@pytest.mark.parametrize("command", ["status", "watch", "report", "export"])
def test_the_commands_need_no_hub_and_no_cache_of_it(command: str, copied: tuple[Path, str]) -> None:
    path, _ = copied
    arguments = ["--format", "json"] if command == "export" else []
    done = demosearch(command, str(path), *arguments)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
