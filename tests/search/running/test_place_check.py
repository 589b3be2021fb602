"""A config that keeps or finds things where it cannot is refused before anything is spent."""

from pathlib import Path

import pytest

from configs.errors import InputError
from configs.loading import load_config
from configs.schema.model import ModelConfig
from search.running.place_check import missing_models, refuse_unusable_ledger


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        ("", "is a folder"),
        ("file/ledger.sqlite", "is no folder"),
        ("/dev/full", "or a device"),
        ("a" * 300, "too long"),
    ],
)
def test_a_ledger_that_cannot_be_made_is_refused(tmp_path: Path, place: str, complaint: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=complaint):
        refuse_unusable_ledger(load_config("quickstart", [f"ledger_path={tmp_path / place}"]))


def test_a_ledger_in_a_folder_that_can_be_made_is_none_of_these(tmp_path: Path) -> None:
    refuse_unusable_ledger(load_config("quickstart", [f"ledger_path={tmp_path}/new/ledger.sqlite"]))
    refuse_unusable_ledger(load_config("quickstart"))


def test_a_folder_without_a_model_is_refused_where_it_is_loaded_and_told_where_it_is_not(tmp_path: Path) -> None:
    models = [ModelConfig(name=str(tmp_path)), ModelConfig(name="./nowhere"), ModelConfig(name="gpt2")]
    assert len([*missing_models(models, here=False)]) == 2
    for model in models[:2]:
        with pytest.raises(InputError, match="is no folder with a model"):
            [*missing_models([model], here=True)]


def test_a_model_s_name_that_no_folder_can_have_is_no_folder_and_raises_nothing_else() -> None:
    assert [*missing_models([ModelConfig(name="a" * 300)], here=True)] == []
    with pytest.raises(InputError, match="is no folder with a model"):
        [*missing_models([ModelConfig(name="/" + "a" * 300)], here=True)]
