"""What commands write where they are told to, and say when they are interrupted."""

import errno
import os
import resource
from pathlib import Path

import pytest
import typer

from configs.errors import STOPPED, InputError, RunStopped
from search.cli.terminal import continuable, write
from search.running.coordinator import BasePromptRefused


def test_a_file_that_is_there_stays_as_it_is_where_the_disk_does_not_take_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("an earlier report")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(InputError, match=r"report\.html cannot be written \(File too large\): choose another"):
            write(path, "a new report " * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "an earlier report"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_pipe_is_written_into_and_a_link_is_followed(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("target")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(pipe, "words")
    assert os.read(reader, 99) == b"words"
    os.close(reader)
    write(link, "more words")
    assert (tmp_path / "target").read_text() == "more words"
    assert link.is_symlink()


def test_a_folder_that_is_not_there_is_a_sentence_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be written \(No such file or directory\): choose another --output"):
        write(tmp_path / "missing" / "prompt.txt", "words")
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("begun", ["config.json", "experiment.json", None])
def test_whoever_interrupts_a_run_or_an_experiment_is_told_how_to_go_on(
    begun: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if begun:
        (tmp_path / begun).write_text("{}")
    with pytest.raises(typer.Exit), continuable(tmp_path, "`demosearch resume`"):
        raise KeyboardInterrupt
    spoken = capsys.readouterr().err
    assert ("go on with `demosearch resume`" in spoken) is bool(begun)
    assert ("before the run started" in spoken) is not bool(begun)


def test_a_stop_ends_with_how_this_command_goes_on_and_errors_name_the_directory_as_the_user_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    named = Path("run")
    named.mkdir()
    (named / "config.json").write_text("{}")
    with pytest.raises(typer.Exit) as end, continuable(named, "the same command"):
        raise RunStopped(f"{named.absolute()} is on a full disk: free some space, then go on")
    assert end.value.exit_code == STOPPED
    first, last = capsys.readouterr().err.splitlines()
    assert first == "demosearch: run is on a full disk: free some space, then go on"
    assert last == "stopped; go on with the same command"
    with pytest.raises(InputError, match=r"^run was started with"), continuable(named, "the same command"):
        raise InputError(f"{named.absolute()} was started with different settings")


def test_neighbours_of_the_directory_keep_their_names_in_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path / "runs")
    place = str(Path.cwd())
    neighbours = f"not {place}2/a, {place}.old or /b{place}/a"
    with pytest.raises(InputError) as error, continuable(Path(), "the same command"):
        raise InputError(f"{place}: {place}/config.json, {neighbours}")
    assert str(error.value) == f".: ./config.json, {neighbours}"


def test_a_full_stop_behind_the_directory_is_not_of_its_name_and_no_dot_of_the_folder_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = f"wait for {tmp_path}/run. Then free {tmp_path}/run. {tmp_path}/run..old stays"
    with pytest.raises(InputError) as error, continuable(Path("run"), "the same command"):
        raise InputError(text)
    assert str(error.value) == f"wait for run. Then free run. {tmp_path}/run..old stays"
    with pytest.raises(InputError) as error, continuable(Path(), "the same command"):
        raise InputError(f"free {tmp_path}. Then wait")
    assert str(error.value) == f"free {tmp_path}. Then wait"


@pytest.mark.parametrize(
    ("error", "last"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "stopped; go on with the same command"),
        (BasePromptRefused("too long: start a new run"), "demosearch: too long: start a new run"),
    ],
)
def test_a_full_disk_ends_with_how_to_go_on_and_a_prompt_that_is_refused_for_good_does_not(
    error: Exception, last: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(typer.Exit) as end, continuable(tmp_path, "the same command"):
        raise error
    assert end.value.exit_code == STOPPED
    assert capsys.readouterr().err.splitlines()[-1] == last


def test_an_error_that_is_no_full_disk_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), continuable(tmp_path, "the same command"):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")
