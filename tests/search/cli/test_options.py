"""What the help of an option shows can be typed."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from configs.loading import load_config, load_evaluation, load_experiment, load_rejudge, override_config
from search.cli.app import app
from search.run_directory.run import read_config
from search.running.assembly import make_plan, planned_manifest
from search.running.extend import plan_extension
from tests.search.report.made_run import MadeRun

GROUP: Any = typer.main.get_command(app)
HELPS = {
    name: option.help for name, command in GROUP.commands.items() for option in command.params if "--set" in option.opts
}


def goes_on_as_it_was(path: Path, words: Sequence[str]) -> None:
    config = load_config("quickstart", ["workers.kind=ray"])
    before, now = (planned_manifest(make_plan(each, path)) for each in (config, override_config(config, words)))
    assert now == before


@pytest.mark.parametrize("name", HELPS)
def test_the_setting_in_the_help_of_a_command_is_one_that_it_takes(name: str, tmp_path: Path) -> None:
    def extends(words: Sequence[str]) -> None:
        strategy = "strategy={kind: screening, evaluations: 1000}"
        run = MadeRun(tmp_path / "run", {"g": ""}, {"h": ""}, lambda *_: 5.0, strategy=strategy)
        run.search()
        run.judge_finalists((), ())
        plan_extension(run.write(), override_config(read_config(run.path), words))

    (tmp_path / "judge.yaml").write_text("judge: {kind: reference, metric: chrf}", encoding="utf-8")
    takes: dict[str, Callable[[Sequence[str]], object]] = {
        "run": lambda words: load_config("quickstart", words),
        "resume": lambda words: goes_on_as_it_was(tmp_path, words),
        "retry-failed": lambda words: goes_on_as_it_was(tmp_path, words),
        "extend": extends,
        "evaluate": lambda words: load_evaluation("evaluate_quickstart", words),
        "experiment": lambda words: load_experiment("experiment_quickstart", words),
        "rejudge": lambda words: load_rejudge(tmp_path / "judge.yaml", words),
    }
    (example,) = re.findall("`(.+?=.+?)`", HELPS[name])
    takes[name]([example])
