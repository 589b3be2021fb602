"""Winners of searches, compared without a config."""

from pathlib import Path

import pytest

from configs.errors import InputError
from search.problem.prompt_variant import load_variants
from search.running.winners import evaluation_of_winners
from tests.search.report.made_run import MadeRun, small_run, table

QUESTIONS = ("g1", "g2", "g3", "g4", "h1", "h2", "h3")
NAMES: tuple[tuple[str, ...], ...] = ((), ("a",), ("b",))
SCORES = {names: dict.fromkeys(QUESTIONS, 5.0 + len(names)) for names in NAMES}


def made(path: Path, winner: str) -> Path:
    run: MadeRun = small_run(path, table(SCORES))
    run.search(winner)
    run.judge_finalists((winner,), ())
    return run.write()


def test_base_prompt_and_every_winner_stand_side_by_side_on_held_out_questions(tmp_path: Path) -> None:
    runs = [made(tmp_path / "one", "a"), made(tmp_path / "two", "b")]
    config, notices = evaluation_of_winners(runs, tmp_path / "prompts")
    variants = load_variants(config)
    assert [variant.name for variant in variants] == ["base prompt", "one", "two"]
    assert config.side == "held_out"
    base, one, two = ([shown.texts for shown in variant.demonstrations] for variant in variants)
    assert one == [("query a", "answer a"), *base]
    assert two == [("query b", "answer b"), *base]
    assert notices == []


def test_runs_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    runs = [made(tmp_path / "x" / "run", "a"), made(tmp_path / "y" / "run", "b")]
    config, _ = evaluation_of_winners(runs, tmp_path / "prompts")
    assert [variant.name for variant in config.variants][1:] == [run.as_posix() for run in runs]


def test_a_run_that_is_named_twice_or_is_none_is_refused(tmp_path: Path) -> None:
    run = made(tmp_path / "one", "a")
    with pytest.raises(InputError, match="named twice"):
        evaluation_of_winners([run, run], tmp_path / "prompts")
    with pytest.raises(InputError, match="is not a run directory"):
        evaluation_of_winners([tmp_path], tmp_path / "prompts")
