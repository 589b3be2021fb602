"""Every preset that reads public files can be planned after `demosearch fetch`, without network, key or GPU."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from configs.loading import load_config, preset_names
from search.cli.app import app
from search.fetch.selection import public_files
from search.forecast.dry_run import forecast_run
from tests.search.fetch.file_server import FileServer
from tests.search.fetch.test_selection import REAL
from tests.shared_data import shared

pytestmark = pytest.mark.heavy

READING = [name for name in preset_names() if name.startswith("urial")]
LOCAL_JUDGES = {"urial_open_judge_local": "Qwen/Qwen2.5-32B-Instruct", "urial_reward_model": "Skywork/Skywork-Reward"}
"""Presets whose judge has a tokenizer on the hub, and how its name begins."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What `demosearch fetch all` has written from a mirror of the real files; it is the working directory."""
    folder = tmp_path_factory.mktemp("fetched")
    published = {f"/{file.url.removeprefix('https://')}": shared(REAL[file.path]) for file in public_files(["all"])}
    with (
        FileServer({address: path.read_bytes() for address, path in published.items()}) as server,
        contextlib.chdir(folder),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.delenv("OPENAI_API_KEY", raising=False)
        patch.setenv("HF_HUB_OFFLINE", "1")
        done = CliRunner().invoke(app, ["fetch", "all", "--mirror", server.address])
        assert done.exit_code == 0, done.output
        assert f"fetched: {Path('data/pool.jsonl')} (MIT)" in done.output
        assert "next: demosearch run urial_mt_bench_screening --dry-run" in done.output
        yield folder


def test_every_file_is_below_data_and_nothing_else(folder: Path) -> None:
    assert sorted(str(path.relative_to(folder / "data")) for path in folder.rglob("*") if path.is_file()) == sorted(
        REAL
    )


@pytest.mark.parametrize("name", READING)
def test_a_preset_reads_what_was_fetched(name: str, folder: Path) -> None:
    config = load_config(name)
    read = (
        config.base_prompt.path,
        config.pool.path,
        config.questions.path,
        getattr(config.judge, "prompts_path", None),
    )
    assert all(path.is_file() and path.is_relative_to(folder / "data") for path in read if path)


@pytest.mark.parametrize("name", READING)
def test_every_figure_of_a_preset_s_forecast_is_a_number_before_anything_has_run(name: str, folder: Path) -> None:
    forecast = forecast_run(load_config(name, ["strategy={kind: random, trials: 2}", "questions.limit=40"]))
    unknown = [row.name for row in forecast.quantities if row.about is None or row.at_most is None]
    assert unknown == []
    assert any("the pool has 100" in note for note in forecast.notes)
    elsewhere = [note for note in forecast.notes if "here, chats are spelled in a usual template" in note]
    assert len(elsewhere) == (name in LOCAL_JUDGES)
    assert all(LOCAL_JUDGES[name] in note for note in elsewhere)


def test_the_pool_of_presets_is_a_hundred_of_a_thousand(folder: Path) -> None:
    config = load_config("urial_mt_bench_screening")
    assert config.pool.path == folder / "data" / "pool.jsonl"
    assert config.pool.limit == 100
    assert len((folder / "data" / "pool.jsonl").read_text(encoding="utf-8").splitlines()) == 1000
