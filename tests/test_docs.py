"""README and docs say what is so: every file they show is valid, every command runs, or is planned, or is parsed."""

import ast
import contextlib
import importlib.util
import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from configs.knob_reference import reference
from configs.loading import load_config, load_evaluation
from evaluators.question import Question
from search.cli.app import app
from search.export import export
from search.forecast.dry_run import forecast_run
from search.results.wording import show_gain
from tests.cost_table import table
from tests.documents import ROOT, Block, Command, blocks, commands, fault_rows, furnish, links, named
from tests.kits.strategy_kit import SPACE, MakeStrategy, StrategyKit

pytestmark = pytest.mark.heavy

READS = ("status", "watch", "report", "export", "push", "knobs", "list", "compare", "tag")
PLANS = ("run", "evaluate", "resume", "extend", "experiment")
PARSED = ("retry-failed", "rejudge", "bench", "rm", "view", "init", "fetch")
OTHERS = ("cd", "export", "kubectl", "llama-server", "sbatch", "transformers", "vllm")
"""Other people's programs; nothing of ours is in their words."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files that the pages show and tell to bring, the run that the README's Python makes, and what it found."""
    folder = tmp_path_factory.mktemp("workspace")
    furnish(folder)
    with contextlib.chdir(folder):
        (example,) = (one for one in blocks("python") if one.page == "README.md")
        exec(compile(example.text, str(example), "exec"), {})
        for name in ("laptop", "slurm", "second"):
            (folder / "runs" / name).symlink_to(folder / "runs" / "first")
        Path("found.json").write_text(export(Path("runs/first"), "json"), encoding="utf-8")
        yield folder


def invoke(*words: str) -> str:
    done = CliRunner().invoke(app, words, env={"OPENAI_API_KEY": "none", "COLUMNS": "200"})
    assert done.exit_code == 0, done.exception or done.output
    return done.output


OURS = [one for one in commands() if one.words[0] == "demosearch"]


def shown(command: Command) -> str:
    return f"{command.where} {' '.join(command.words)[:60]}"


@pytest.mark.parametrize("command", [one for one in OURS if one.words[1] in READS], ids=shown)
def test_a_command_that_reads_runs(command: Command, workspace: Path) -> None:
    assert invoke(*command.words[1:])


def asked(command: Command) -> tuple[str, ...]:
    """What shall be planned, wherever the run is kept."""
    words = [word.replace("/work/", "") for word in command.words[1:] if word != "--dry-run"]
    if "--run-dir" in words:
        place = words.index("--run-dir")
        del words[place : place + 2]
    return tuple(words)


PLANNED = {asked(one): one for one in OURS if one.words[1] in PLANS}


@pytest.mark.parametrize("words", PLANNED, ids=lambda words: shown(PLANNED[words]))
def test_a_command_that_spends_can_be_planned(words: tuple[str, ...], workspace: Path) -> None:
    further = ["--set", "pool.limit=8"] if words[0] == "run" else []
    with found_in(PLANNED[words].environment.get("PYTHONPATH")):
        assert "generations" in invoke(*words, *further, "--dry-run")


@contextlib.contextmanager
def found_in(path: str | None) -> Iterator[None]:
    """Python looks for modules there too."""
    before = sys.path.copy()
    sys.path[:0] = [str(Path(path).absolute())] if path else []
    yield
    sys.path[:] = before


def test_the_examples_of_the_page_on_python_run_one_after_the_other(tmp_path: Path) -> None:
    furnish(tmp_path)
    names: dict[str, Any] = {}
    with contextlib.chdir(tmp_path):
        for example in (block for block in blocks("python") if block.page == "python.md"):
            exec(compile(example.text, str(example), "exec"), names)
        assert names["found"].status.state == "finished"
        assert names["stopped"].status.state == "stopped"
        assert 32 <= names["stopped"].status.spend.generated < 3000
        gain = names["found"].status.winner.held_out_gain
        assert f"<th>held-out gain</th><td>{show_gain(gain)}, n=48</td>" in names["found"]._repr_html_()


@pytest.mark.parametrize("command", [one for one in OURS if one.words[1] in PARSED], ids=shown)
def test_a_command_that_takes_long_is_understood(command: Command, workspace: Path) -> None:
    group: Any = typer.main.get_command(app)
    words = list(command.words[1:])
    while hasattr(group, "commands"):
        group = group.commands[words.pop(0)]
    group.make_context("demosearch", words).close()


def test_no_command_is_left_unread() -> None:
    assert {one.words[1] for one in OURS} <= {*READS, *PLANS, *PARSED}
    known = {"demosearch", "python", "pip", "make", *OTHERS}
    assert {one.words[0] for one in commands()} <= known


def test_every_command_that_there_is_stands_in_the_readme() -> None:
    group: Any = typer.main.get_command(app)
    assert set(group.commands) == {one.words[1] for one in OURS if one.where.startswith("README.md")}


MODULES = [one for one in commands() if one.words[:2] == ("python", "-m") and not one.words[2].startswith("sglang")]


@pytest.mark.parametrize("command", MODULES, ids=shown)
def test_the_options_of_a_module_are_ones_that_it_has(command: Command) -> None:
    module, *words = command.words[2:]
    said, before = StringIO(), sys.argv
    sys.argv = [module, *words, "--help"]
    with contextlib.redirect_stdout(said), pytest.raises(SystemExit) as end:
        runpy.run_module(module, run_name="__main__")
    sys.argv = before
    assert end.value.code == 0
    assert all(word in said.getvalue() for word in words if word.startswith("--"))


@pytest.mark.parametrize("command", [one for one in commands() if one.words[0] == "make"], ids=shown)
def test_a_target_of_make_exists(command: Command) -> None:
    subprocess.run([*command.words, "--dry-run"], cwd=ROOT, check=True, capture_output=True)


def test_every_extra_that_the_readme_names_exists_and_the_other_way_round() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "README.md").read_text(encoding="utf-8").partition("### Extras")[2].partition("\n## ")[0]
    names = [name for row in re.findall(r"^\| (`.*?) \|", lines, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(names) == sorted(project["optional-dependencies"])


CONFIGS = [one for one in blocks("yaml") if one.file != "rayjob.yaml"]


@pytest.mark.parametrize("block", [one for one in CONFIGS if one.file], ids=str)
def test_a_config_is_valid_and_planned_by_a_command_beside_it(block: Block, workspace: Path) -> None:
    load = load_evaluation if "variants" in yaml.safe_load(block.text) else load_config
    load(workspace / block.file)
    assert any(block.file in words for words in PLANNED)


@pytest.mark.parametrize("block", [one for one in CONFIGS if not one.file], ids=str)
def test_a_part_of_a_config_fits_into_another_and_can_be_planned(block: Block, workspace: Path) -> None:
    whole = yaml.safe_load(named("search.yaml").text) | yaml.safe_load(block.text)
    (workspace / "whole.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    config = load_config(workspace / "whole.yaml", ["strategy={kind: random, trials: 2}", "pool.limit=8"])
    assert forecast_run(config).quantities


def test_the_reference_of_knobs_is_the_schemas() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == reference()


def test_a_link_inside_the_repository_leads_somewhere() -> None:
    for page, target in links():
        path, _, anchor = target.partition("#")
        place = (Path(page).parent / path).resolve() if path else Path(page)
        assert place.exists(), f"{page}: {target}"
        assert not anchor or f"# {anchor.replace('-', ' ')}" in place.read_text(encoding="utf-8").lower(), target


def test_every_row_of_the_tables_of_faults_names_tests_that_exist() -> None:
    for row in fault_rows():
        tests = re.findall(r"`(tests/[\w/]+\.py)`", row.rpartition(" | ")[2])
        assert tests, row
        assert all((ROOT / test).is_file() for test in tests), row


def test_python_that_is_shown_can_be_read_and_imports_what_exists() -> None:
    for block in blocks("python"):
        for node in ast.walk(ast.parse(block.text)):
            if isinstance(node, ast.ImportFrom) and node.module and importlib.util.find_spec(node.module.split(".")[0]):
                module = importlib.import_module(node.module)
                assert all(hasattr(module, name.name) for name in node.names), str(block)


def shown_module(file: str, folder: Path) -> ModuleType:
    """The module that a page shows as this file."""
    (folder / file).write_text(named(file).text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(Path(file).stem, folder / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestShownStrategy(StrategyKit):
    """That of `docs/strategies.md` is a strategy."""

    finds = SPACE.compose(("c", "h"))

    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeStrategy:
        strategy = shown_module("best_together.py", tmp_path).BestTogether
        return lambda space: strategy(space, {}, seed=0)


def test_the_shown_judge_takes_off_for_what_is_too_long(tmp_path: Path) -> None:
    brief = shown_module("my_judge.py", tmp_path).brief
    question = Question("q", ("Why?",))
    assert brief(question, ("Because.",)) == (10.0, "0 characters too many")
    assert brief(question, ("x" * 240,)) == (8.0, "40 characters too many")


def test_the_manifest_of_a_ray_job_asks_for_one_version_and_one_image() -> None:
    spec = yaml.safe_load(named("rayjob.yaml").text)["spec"]
    cluster = spec["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    containers = [one for group in groups for one in group["template"]["spec"]["containers"]]
    assert len({one["image"] for one in containers}) == 1
    pinned = (ROOT / "configs" / "constraints.txt").read_text(encoding="utf-8").split()
    assert f"ray=={cluster['rayVersion']}" in pinned
    assert f"FROM rayproject/ray:{cluster['rayVersion']}-py311" in named("Dockerfile").text
    mounts = {one["name"] for container in containers for one in container.get("volumeMounts", [])}
    assert mounts == {volume["name"] for volume in cluster["headGroupSpec"]["template"]["spec"]["volumes"]}
    limits = containers[1]["resources"]["limits"]
    assert f"--set workers.gpus_per_worker={limits['nvidia.com/gpu']}" in spec["entrypoint"]


def test_the_script_for_slurm_is_one_that_bash_reads(workspace: Path) -> None:
    subprocess.run(["bash", "-n", workspace / "job.sbatch"], check=True)
    lines = named("job.sbatch").text.splitlines()
    assert lines[0] == "#!/bin/bash"
    assert all(line.startswith("#SBATCH --") for line in lines[2 : lines.index("set -euo pipefail")])


@pytest.mark.slow
def test_the_table_of_costs_is_what_dry_runs_say(tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        assert table(tmp_path) in (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
