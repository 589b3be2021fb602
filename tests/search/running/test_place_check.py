"""A config that keeps or finds things where it cannot is refused before anything is spent."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from configs.errors import InputError
from configs.loading import load_config
from configs.schema.model import AnyModelConfig
from search.running.place_check import (
    ModelPlace,
    models_of,
    notes_on_models,
    refuse_missing_equipment,
    refuse_missing_models,
    refuse_unusable_ledger,
)


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


def _place(**model: object) -> ModelPlace:
    return ModelPlace("model", TypeAdapter(AnyModelConfig).validate_python(model), is_here=True)


def test_a_folder_without_a_model_is_refused_where_it_is_loaded_and_told_where_it_is_not(tmp_path: Path) -> None:
    places = [_place(name=name) for name in (str(tmp_path), "./nowhere", "gpt2")]
    assert len([*notes_on_models(place._replace(is_here=False) for place in places)]) == 2
    for place in places[:2]:
        with pytest.raises(InputError, match=r"model\.name: .* is no folder with a model"):
            refuse_missing_models([place])


def test_a_model_s_name_that_no_folder_can_have_is_no_folder_and_raises_nothing_else() -> None:
    refuse_missing_models([_place(name="a" * 300)])
    with pytest.raises(InputError, match="is no folder with a model"):
        refuse_missing_models([_place(name="/" + "a" * 300)])


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (
            {"engine": "llama_cpp", "name": "/nowhere/m.gguf", "context_tokens": 512, "command": ["true"]},
            "no GGUF file",
        ),
        (
            {"engine": "served", "service": {"model": "m"}, "tokenizer": "/nowhere"},
            r"model\.tokenizer: /nowhere is no f",
        ),
    ],
)
def test_what_a_model_needs_on_this_machine_is_missed_before_anything_is_loaded(
    model: dict[str, object], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        refuse_missing_models([_place(**model)])


def test_a_program_that_a_machine_lacks_which_may_only_plan_is_refused_where_the_model_is_loaded_and_told_before() -> (
    None
):
    place = _place(engine="vllm", name="gpt2", command=["/nowhere/vllm"])
    refuse_missing_models([place])
    (note,) = notes_on_models([place])
    assert note.startswith("gpt2 cannot be loaded on this machine: model.engine is vllm, and /nowhere/vllm is not on")
    with pytest.raises(InputError, match="/nowhere/vllm is not on the workers' PATH"):
        refuse_missing_equipment([place])
    assert not [*notes_on_models([place._replace(is_here=False)])]
    refuse_missing_equipment([place._replace(is_here=False)])


@pytest.mark.parametrize("engine", ["llama_cpp", "vllm", "sglang"])
def test_a_gguf_file_is_a_model_of_every_server(engine: str, tmp_path: Path) -> None:
    (tmp_path / "m.gguf").touch()
    name = str(tmp_path / "m.gguf")
    refuse_missing_models([_place(engine=engine, name=name, context_tokens=512, command=["true"])])


def test_a_file_that_bears_the_name_of_a_hub_model_is_no_folder_without_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gpt2").touch()
    refuse_missing_models([_place(name="gpt2")])


@pytest.mark.parametrize(("workers", "is_here"), [("", True), ("workers.ray.address=auto", False)])
def test_ray_workers_are_elsewhere_where_they_have_an_address(workers: str, is_here: bool) -> None:
    assert [place.is_here for place in models_of(load_config("quickstart", [workers] if workers else []))] == [is_here]


def test_every_model_of_a_judge_is_looked_for_where_its_workers_are() -> None:
    reward = "{kind: reward_model, model: {name: /nowhere/rm}, workers: {%s}}"
    members = f"{{judge: {{kind: reference}}}}, {{judge: {reward % 'ray: {address: auto}'}}}"
    config = load_config(
        "quickstart",
        [
            f"judge={{kind: ensemble, members: [{members}], screening: {reward % 'kind: local'}}}",
            "workers.kind=local",
        ],
    )
    assert [(place.knob, place.is_here) for place in models_of(config)] == [
        ("model", True),
        ("judge.members[1].judge.model", False),
        ("judge.screening.model", True),
    ]
    with pytest.raises(InputError, match=r"judge\.screening\.model\.name: /nowhere/rm is no folder with a model"):
        refuse_missing_models(models_of(config))
