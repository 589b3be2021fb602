import json
from functools import cache
from pathlib import Path
from typing import Any, get_args

import jsonschema  # type: ignore[import-untyped]  # comes with ray
import pytest

from configs.errors import InputError
from configs.knobs import describe_knobs
from configs.loading import (
    load_config,
    load_evaluation,
    override_config,
    preset_names,
    read_presets,
)
from configs.schema.judge import MTBenchJudgeConfig
from configs.schema.model import ModelConfig
from configs.schema.run import RunConfig
from configs.schema.strategy import OptunaConfig, RandomConfig, StrategyConfig
from configs.stored import dump_config, restore_config

SMALL = """\
base_prompt: {path: prompt.txt}
pool: {path: pool.jsonl}
questions: {path: questions.jsonl}
model: {name: some/model}
judge: {kind: reference}
strategy: {kind: random}
"""

KINDS = ", ".join(
    get_args(member.model_fields["kind"].annotation)[0] for member in get_args(get_args(StrategyConfig)[0])
)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "small.yaml").write_text(SMALL)
    return folder / "small.yaml"


def complaint(source: Path, *overrides: str) -> str:
    with pytest.raises(InputError) as caught:
        load_config(source, overrides)
    return str(caught.value)


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_valid(name: str) -> None:
    config = load_config(name)
    assert restore_config(dump_config(config)) == config


def test_the_presets_of_the_paper_are_there() -> None:
    assert {"urial_mt_bench_greedy", "urial_mt_bench_optuna"} <= set(preset_names())


def test_a_config_survives_json_and_loads_from_any_folder(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small.parent)
    config = load_config("small.yaml")
    monkeypatch.chdir(tmp_path)
    assert restore_config(json.loads(json.dumps(dump_config(config)))) == config


def test_paths_in_a_file_start_at_the_file_and_typed_ones_where_they_are_typed(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config(small, ["questions={path: here.jsonl, split: {held_out_path: ../up.jsonl}}"])
    assert config.pool.path == (small.parent / "pool.jsonl").resolve()
    assert config.questions.path == tmp_path.resolve() / "here.jsonl"
    assert config.questions.split.held_out_path == (tmp_path / "../up.jsonl").resolve()


def test_a_model_folder_is_found_beside_the_file_that_names_it(small: Path) -> None:
    (small.parent / "some" / "model").mkdir(parents=True)
    assert load_config(small).model.name == str((small.parent / "some" / "model").resolve())


def test_a_model_folder_is_found_where_its_name_is_typed(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_config(small, ["model.name=mine"]).model.name == str((tmp_path / "mine").resolve())


def test_overrides_are_read_as_yaml(small: Path) -> None:
    config = load_config(
        small,
        ["strategy={kind: optuna, trials: 7}", "strategy.insert=2", "decoding.stop=['# Query', b]", "pool.limit=null"],
    )
    assert isinstance(config.strategy, OptunaConfig)
    assert (config.strategy.trials, config.strategy.insert) == (7, 2)
    assert config.decoding.stop == ("# Query", "b")
    assert all(type(word) is str for word in config.decoding.stop or ())
    assert config.pool.limit is None


def test_an_override_may_hold_an_equals_sign_and_open_a_new_group(small: Path) -> None:
    config = load_config(
        small, ["judge={kind: mt_bench, prompts_path: p}", "judge.service.model=a=b", "workers.ray.address=auto"]
    )
    assert isinstance(config.judge, MTBenchJudgeConfig)
    assert config.judge.service is not None
    assert config.judge.service.model == "a=b"
    assert config.workers.ray.address == "auto"


def test_a_loaded_config_takes_overrides_and_keeps_the_rest(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config(small)
    changed = override_config(config, ["ledger_path=mine.sqlite"])
    assert changed.ledger_path == tmp_path.resolve() / "mine.sqlite"
    assert changed.model_copy(update={"ledger_path": None}) == config
    with pytest.raises(InputError, match=r"^the overrides: `window` must be"):
        override_config(config, ["window=0"])


def test_later_overrides_win(small: Path) -> None:
    strategy = load_config(small, ["strategy.trials=3", "strategy.trials=4"]).strategy
    assert isinstance(strategy, RandomConfig)
    assert strategy.trials == 4


@pytest.mark.parametrize(
    ("override", "wanted"),
    [
        ("strategy.max_demos=3", "`strategy.max_demos`: unknown setting; did you mean `strategy.max_demonstrations`?"),
        ("strategy.trails=3", "`strategy.trails`: unknown setting; did you mean `strategy.trials`?"),
        ("strategy.threshold=3", "`strategy.threshold`: unknown setting; it belongs to the kind exhaustive_greedy"),
        ("strategies.trials=3", "`strategies`: unknown setting; did you mean `strategy`?"),
        ("workers.ray.adress=auto", "`workers.ray.adress`: unknown setting; did you mean `workers.ray.address`?"),
        ("max_new_tokens=3", "`max_new_tokens`: unknown setting; did you mean `decoding.max_new_tokens`?"),
        ("strategy.kind=optnua", f"`strategy.kind` must be one of {KINDS}, not 'optnua'; "
         "did you mean 'optuna'?"),
        ("strategy={trials: 3}", f"`strategy.kind` is required: one of {KINDS}"),
        ("strategy=null", "`strategy` must be a mapping with `kind`, not None"),
        ("strategy.insert=-1", "`strategy.insert` must be 'front' or 'back' or a whole number of at least 0, not -1"),
        ("workers.count=many", "`workers.count` must be a whole number of at least 1 or 'auto', not 'many'"),
        ("decoding.temperature=hot",
         "`decoding.temperature` must be a number of at least 0 and at most 10, not 'hot'"),
        ('decoding.stop=[""]', "`decoding.stop` holds an empty text: write a character at least, or leave it out"),
        ("decoding.stop='# Query'", "`decoding.stop` must be a list, each text or null, not '# Query'"),
        ("model.revision=1e10", None),
        ("model.revision=12345", "`model.revision` must be text or null, not 12345 (quote it)"),
        ("base_prompt={}", "`base_prompt.path` is required: a path"),
        ("scoring.confidence=1", "`scoring.confidence` must be a number above 0 and below 1, not 1"),
    ],
)  # fmt: skip
def test_a_wrong_knob_is_named_with_what_it_may_be(small: Path, override: str, wanted: str | None) -> None:
    if wanted is None:
        model = load_config(small, [override]).model
        assert isinstance(model, ModelConfig)
        assert model.revision == "1e10"
    else:
        assert complaint(small, override) == f"{small}: {wanted}"


def test_every_problem_is_listed_in_a_line_of_its_own(small: Path) -> None:
    text = complaint(small, "seed=x", "pool.limit=0", "window=0", "strategy.max_demos=1")
    assert text.splitlines() == [
        f"{small} has 4 problems:",
        "  `seed` must be a whole number of at least 0 and at most 4294967295, not 'x'",
        "  `pool.limit` must be a whole number of at least 1 or null, not 0",
        "  `strategy.max_demos`: unknown setting; did you mean `strategy.max_demonstrations`?",
        "  `window` must be a whole number of at least 1, not 0",
    ]


@pytest.mark.parametrize("override", ["seed", "=3", "a..b=3", ".a=3"])
def test_an_override_without_a_knob_or_a_value_says_how_to_write_one(small: Path, override: str) -> None:
    assert "write KNOB=VALUE" in complaint(small, override)


def test_an_override_cannot_reach_into_a_plain_value(small: Path) -> None:
    assert "'seed', which has no further settings" in complaint(small, "seed=1", "seed.more=2")


def test_an_override_that_is_not_yaml_is_quoted_back(small: Path) -> None:
    assert complaint(small, "seed=[1").startswith("'seed=[1' cannot be read")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("seed: 1\npool:\n  path: a\n  path: b\n", "line 4: the key 'path' occurs twice"),
        ("seed: 1\nseed: 1\n", "line 2: the key 'seed' occurs twice"),
        ("seed: [1\n", "line 2: "),
        ("", "has no settings"),
        ("- a\n", "has no settings"),
    ],
)
def test_a_file_that_is_no_config_is_refused_with_its_line(small: Path, text: str, wanted: str) -> None:
    small.write_text(text)
    assert wanted in complaint(small)


def test_yaml_cannot_construct_python_objects(small: Path) -> None:
    small.write_text("seed: !!python/object/apply:os.getcwd []\n")
    assert "line 1" in complaint(small)


def test_a_missing_config_suggests_the_nearest_preset() -> None:
    assert complaint(Path("urial_mt_bench_gredy")) == (
        "there is no config file 'urial_mt_bench_gredy'; did you mean the preset 'urial_mt_bench_greedy'?"
    )


def test_a_dump_holds_plain_json_values_only(small: Path) -> None:
    dumped: dict[str, Any] = dump_config(load_config(small))
    assert dumped["pool"]["path"] == str(small.parent / "pool.jsonl")
    assert dumped["strategy"]["kind"] == "random"


RENAMED = {
    "scoring.sure=0.9": "scoring.min_win_probability",
    "strategy.apart=[[a, b]]": "strategy.mutually_exclusive",
    "strategy.any_place=true": "strategy.vary_position",
}


@pytest.mark.parametrize("override", RENAMED)
def test_a_setting_that_was_renamed_is_told_its_new_name(small: Path, override: str) -> None:
    assert complaint(small, override).endswith(f"unknown setting; it is called `{RENAMED[override]}` now")


def test_contestants_are_called_variants_now() -> None:
    with pytest.raises(InputError, match="`contestants`: unknown setting; it is called `variants` now"):
        load_evaluation("evaluate_quickstart", ["contestants=[]"])


def test_a_setting_that_was_removed_is_told_why(small: Path) -> None:
    assert "`strategy.polish`: unknown setting; it was removed, since a local search" in complaint(
        small, "strategy.polish=100"
    )


@pytest.mark.parametrize("new", RENAMED.values())
def test_the_new_name_exists(new: str) -> None:
    assert new in {knob.name for knob in describe_knobs()}


BROKEN = {
    "date.yaml": ("seed: 2024-99-99\n", "`seed` must be a whole number"),
    "stamp.yaml": ("seed: !!timestamp 2024-99-99\n", "line 1: '2024-99-99' cannot be read"),
    "integer.yaml": ("a: 1\nseed: !!int abc\n", "line 2: 'abc' cannot be read"),
    "bool.yaml": ("seed: !!bool abc\n", "line 1: 'abc' cannot be read"),
    "digits.yaml": ("seed: " + "1" * 5000 + "\n", "line 1: '1111"),
    "large.yaml": ("seed: " + "1" * 30 + "\n", "is too large"),
    "deep.yaml": ("seed: " + "[" * 100_000, "nested too deeply"),
    "deeper.yaml": ("seed: " + "[" * 150 + "]" * 150, "nested too deeply"),
    "self.yaml": ("seed: &a [*a]\n", "line 1: a value refers to itself"),
    "bomb.yaml": (
        "x0: &x0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        + "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 12)),
        "too many values",
    ),
    "list.yaml": ("? [a, b]\n: c\n", "line 1: a list or mapping cannot be a setting's name"),
    "number.yaml": ("5: 6\n", "line 1: '5' cannot be a setting's name"),
    "empty.yaml": ('"": x\n', "line 1: '' cannot be a setting's name"),
    "surrogate.yaml": ('seed: "\\ud800"\n', "half a character"),
    "tag.yaml": ("seed: !unknown x\n", "line 1: could not determine a constructor"),
    "two.yaml": ("seed: 1\n---\nseed: 2\n", "line 2: but found another document"),
    "control.yaml": ("seed: \x01\n", "line 1: holds the character"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_gets_one_sentence_with_its_place(tmp_path: Path, name: str) -> None:
    text, wanted = BROKEN[name]
    (tmp_path / name).write_text(text)
    said = complaint(tmp_path / name)
    assert wanted in said
    assert said.startswith(str(tmp_path / name))


@pytest.mark.parametrize("override", ["seed=2024-99-99", "seed=&a [*a]", "seed=? [a]", "seed=!!int x", "pool.path=a\0b",
                                      "pool.path=''", "seed=-1", "pool.path=~nobody-x/x",
                                      "decoding.temperature=.nan",
                                      "seed=4294967296", "judge.options={1: 2}"])  # fmt: skip
def test_a_broken_override_gets_one_sentence(small: Path, override: str) -> None:
    with pytest.raises(InputError):
        load_config(small, [override])


def test_a_config_may_begin_with_a_byte_order_mark(small: Path) -> None:
    small.write_text("\ufeff" + SMALL, encoding="utf-8")
    assert load_config(small).seed == 0


@pytest.mark.parametrize(("written", "means"), [("010", "8"), ("-0_17", "-15"), ("1:30", "90"), ("1:30.5", "90.5")])
def test_a_number_that_yaml_reads_as_another_one_is_refused(small: Path, written: str, means: str) -> None:
    with pytest.raises(InputError, match=f"'{written}' is {means} to YAML"):
        load_config(small, [f"seed={written}"])


@pytest.mark.parametrize("override", ["seed=yes", "window=true", "decoding.temperature=on", "budget.dollars=off"])
def test_yes_and_no_are_no_numbers(small: Path, override: str) -> None:
    with pytest.raises(InputError, match=r"` must be a number, not (true|false)"):
        load_config(small, [override])


def test_a_date_is_text(small: Path) -> None:
    model = load_config(small, ["model.revision=2024-11-05"]).model
    assert isinstance(model, ModelConfig)
    assert model.revision == "2024-11-05"


def test_a_character_that_yaml_does_not_take_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("seed: 0\njudge:\n  kind: \x16function\n")
    with pytest.raises(InputError, match=r"run\.yaml, line 3: holds the character '\\x16', which YAML does not take"):
        load_config(path)


def test_a_config_may_be_a_mapping_whose_paths_start_at_the_working_directory(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small.parent)
    values = {
        "base_prompt": {"path": Path("prompt.txt")},
        "pool": {"path": "pool.jsonl"},
        "questions": {"path": "questions.jsonl"},
        "model": {"name": "some/model"},
        "judge": {"kind": "reference"},
        "strategy": {"kind": "random"},
    }
    assert load_config(values) == load_config(small)
    assert load_config(values, {"strategy.trials": 7}) == load_config(small, ["strategy.trials=7"])
    assert values["strategy"] == {"kind": "random"}


def test_overrides_may_be_a_mapping_and_are_refused_as_those_of_the_command_line(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    changed = load_config(small, {"pool": {"path": Path("mine.jsonl"), "limit": 5}, "render.clean_up": "strip"})
    assert changed == load_config(small, ["pool={path: mine.jsonl, limit: 5}", "render.clean_up=strip"])
    assert changed.pool.path == tmp_path.resolve() / "mine.jsonl"
    for wrong in ({"strategy.trails": 3}, {"strategy": {"kind": "random", "trails": 3}}):
        with pytest.raises(InputError, match=r"did you mean `strategy\.trials`"):
            load_config(small, wrong)
    with pytest.raises(InputError, match="reaches into 'name'"):
        load_config(small, {"model.name.of.nothing": 1})
    assert override_config(changed, {"seed": 4}).seed == 4


def test_what_a_preset_reads_and_does_not_bring_along_is_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    preset = load_config("urial_mt_bench_greedy")
    assert preset.base_prompt.path == tmp_path.resolve() / "data" / "urial.txt"
    assert load_config("quickstart").base_prompt.path.is_file()


@cache
def _editors_schema() -> jsonschema.Draft202012Validator:
    schema = RunConfig.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_fits_the_schema_that_editors_are_given(name: str) -> None:
    _editors_schema().validate(read_presets()[name])
