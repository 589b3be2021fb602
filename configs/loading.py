"""Configs: from a YAML file and the words of a command line to a `RunConfig` or an `EvaluationConfig`."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from configs.errors import InputError
from configs.overrides import Overrides, apply_overrides, plain
from configs.schema.evaluation import EvaluationConfig
from configs.schema.knobs import FromCommandLine, Knobs
from configs.schema.rejudge import RejudgeConfig
from configs.schema.run import RunConfig
from configs.secrets import secrets_in
from configs.stored import dump_config, validated
from configs.text_files import is_file, read_text, shown_path
from configs.yaml_text import YamlError, parse_yaml

if TYPE_CHECKING:
    from configs.schema.experiment import ExperimentConfig

K = TypeVar("K", bound=Knobs)
C = TypeVar("C", RunConfig, EvaluationConfig)

_PRESETS = Path(__file__).parent
_EVALUATION, _EXPERIMENT = "evaluate_", "experiment_"  # so begin the names of presets for these commands


def load_config(source: str | Path | Mapping[str, Any], overrides: Overrides = ()) -> RunConfig:
    """A YAML file, a preset by its bare name (`quickstart`) or a mapping of settings, with overrides.

    Relative paths start at the folder of the file; of a mapping and of overrides, at the working directory.

    Raises:
        InputError: anything is wrong with any of it; every problem is listed.
    """
    values, name, folder = _read(source, preset_names(), overrides)
    return _checked(values, name, folder, RunConfig)


def load_evaluation(
    source: str | Path | Mapping[str, Any],
    overrides: Overrides = (),
    prompts: Mapping[str, str] | None = None,
) -> EvaluationConfig:
    """Load an evaluation's config; see `load_config`.

    Args:
        prompts: files by variant: further variants, or other files for those that the config names; "" for none.

    Raises:
        InputError: anything is wrong with any of it; every problem is listed.
    """
    values, name, folder = _read(source, evaluation_preset_names(), overrides)
    variants = values.setdefault("variants", [])
    if prompts and isinstance(variants, list):
        for variant, file in prompts.items():
            _add_prompt(variants, variant, file)
    return _checked(values, name, folder, EvaluationConfig)


def load_rejudge(source: str | Path, overrides: Sequence[str] = ()) -> RejudgeConfig:
    """What `demosearch rejudge` takes from a YAML file: `judge` and `budget`; whatever else stands there, as in a
    search's config, is not read.

    Raises:
        InputError: anything is wrong with these.
    """
    path = _find(source, preset_names(), "write the new judge there, as `judge` has it in a search's config")
    values = {name: value for name, value in _read_values(path, overrides).items() if name in {"judge", "budget"}}
    return _checked(values, str(source), path.resolve().parent, RejudgeConfig)


def load_experiment(source: str | Path, overrides: Sequence[str] = ()) -> "ExperimentConfig":
    """Load a config of experiments; see `load_config`."""
    from configs.schema.experiment import ExperimentConfig  # noqa: PLC0415 -- what runs alone do without

    path = _find(source, experiment_preset_names())
    return _checked(_read_values(path, overrides), str(source), path.resolve().parent, ExperimentConfig)


def _add_prompt(variants: list[Any], name: str, file: str) -> None:
    prompt = FromCommandLine(file) if file else None
    named = next((variant for variant in variants if isinstance(variant, dict) and variant.get("name") == name), None)
    if named is None:
        variants.append({"name": name, "prompt": prompt})
    else:
        named["prompt"] = prompt


def override_config(config: C, overrides: Overrides) -> C:
    """The same config, a search's or an evaluation's, with some knobs changed, as `load_config` takes them."""
    values = dump_config(config)
    apply_overrides(overrides, values)
    return _checked(values, "the overrides", Path("/"), type(config))


def preset_names() -> tuple[str, ...]:
    """The searches that come with the package."""
    return tuple(name for name in _all_presets() if not name.startswith((_EVALUATION, _EXPERIMENT)))


def evaluation_preset_names() -> tuple[str, ...]:
    """The evaluations that come with the package."""
    return tuple(name for name in _all_presets() if name.startswith(_EVALUATION))


def experiment_preset_names() -> tuple[str, ...]:
    """The pairs of models for experiments that come with the package."""
    return tuple(name for name in _all_presets() if name.startswith(_EXPERIMENT))


def read_presets() -> dict[str, dict[str, Any]]:
    """What the YAML files that come with the package hold, by name."""
    return {name: _read_mapping(_PRESETS / f"{name}.yaml") for name in _all_presets()}


def _all_presets() -> list[str]:
    return sorted(path.stem for path in _PRESETS.glob("*.yaml"))


def expanded(path: Path) -> Path:
    """The path with the home directory in the place of `~`, where there is one."""
    with suppress(RuntimeError):
        return path.expanduser()
    return path


def _find(source: str | Path, presets: Sequence[str], advice: str = "") -> Path:
    path = expanded(Path(source))
    if is_file(path):
        return path
    if str(source) in presets:
        return _PRESETS / f"{source}.yaml"
    if str(source) in _all_presets():
        commands = {_EVALUATION: "evaluate", _EXPERIMENT: "experiment NAME"}
        command = next((name for start, name in commands.items() if str(source).startswith(start)), "run")
        raise InputError(f"the preset '{source}' is for another command: `demosearch {command} {source}`")
    near = get_close_matches(path.stem, presets, n=1, cutoff=0.5)
    listed = advice or f"the presets are {', '.join(presets)}"
    hint = f"did you mean the preset '{near[0]}'?" if near else listed
    raise InputError(f"there is no config file '{shown_path(path)}'; {hint}")


def _read(
    source: str | Path | Mapping[str, Any], presets: Sequence[str], overrides: Overrides
) -> tuple[dict[str, Any], str, Path]:
    """The settings of a config, its name for people, and the folder that its paths start at."""
    if isinstance(source, Mapping):
        values = plain(source)
        apply_overrides(overrides, values)
        return values, "the config", Path.cwd()
    path = _find(source, presets)
    return _read_values(path, overrides), str(source), path.resolve().parent


def _read_values(path: Path, overrides: Overrides) -> dict[str, Any]:
    values = _read_mapping(path)
    apply_overrides(overrides, values)
    return values


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        values = parse_yaml(read_text(path))
    except YamlError as error:
        place = str(path) if error.line is None else f"{path}, line {error.line}"
        raise InputError(f"{place}: {error}; fix it") from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: has no settings; write lines such as `seed: 0`")
    return values


def _checked(values: dict[str, Any], source: str, folder: Path, kind: type[K]) -> K:
    """Validate settings whose relative paths start at this folder."""
    if held := [*secrets_in(values)]:
        raise InputError(
            f"{source}: `{held[0]}` seems to hold a key or password, and a config is kept with its run; put it into an "
            "environment variable, and name that (`api_key_variable`, `base_url_variable`, `header_variables`), or "
            "read it in your code"
        )
    return validated(values, source, kind, {"folder": folder, "is_preset": folder == _PRESETS.resolve()})
