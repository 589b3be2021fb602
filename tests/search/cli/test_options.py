"""What the help of an option shows can be typed."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from configs.loading import load_config, load_evaluation, load_experiment, load_rejudge
from search.cli.app import app

GROUP: Any = typer.main.get_command(app)
HELPS = {
    name: option.help for name, command in GROUP.commands.items() for option in command.params if "--set" in option.opts
}


@pytest.mark.parametrize("name", HELPS)
def test_the_setting_in_the_help_of_a_command_is_one_that_it_takes(name: str, tmp_path: Path) -> None:
    (tmp_path / "judge.yaml").write_text("judge: {kind: reference, metric: chrf}", encoding="utf-8")
    loads: dict[str, Callable[[Sequence[str]], object]] = {
        "evaluate": lambda words: load_evaluation("evaluate_quickstart", words),
        "experiment": lambda words: load_experiment("experiment_quickstart", words),
        "rejudge": lambda words: load_rejudge(tmp_path / "judge.yaml", words),
    }
    load = loads.setdefault(name, lambda words: load_config("quickstart", words))
    (example,) = re.findall("`(.+?=.+?)`", HELPS[name])
    assert load([example])
