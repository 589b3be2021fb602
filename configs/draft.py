"""A first config of one's own, commented, from a few answers: what `demosearch init` writes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import yaml

from configs.errors import InputError
from configs.schema.run import RunConfig
from configs.text_files import read_text
from configs.usual_fields import REFERENCE_FIELDS, PoolFields, pool_fields, question_fields, require_reference

SCHEMA = "demosearch.schema.json"  # by which an editor completes and checks the config; its first line names it
BASE_PROMPT = "base_prompt.txt"  # where none is given
DEFAULT_RULES = "Below are questions, each with a good answer. Answer the last question in the same way.\n"

_TOKENS_PER_SECOND = 2500  # of one GPU with a model of 7B: an assumption
_CPU_BYTES = 1e11  # of weights a second, all rows of a batch together: an assumption
_CPU_TOKENS = 50, 2000  # a second: of a model whose size is not known, and at most

JudgeKind = Literal["reference", "rubric", "reward_model", "function"]


@dataclass(frozen=True)
class Draft:
    """What a config is written from.

    Attributes:
        model: a hub's name or a local folder.
        questions, pool: files of rows.
        base_prompt: a prompt file; None where one is to be written beside the config.
        judge: its kind; `judge_name` is the served judge, the reward model or the function (`module:name`).
        gpus: of this machine; 0 runs the model in this process on the CPU.
    """

    model: str
    questions: Path
    pool: Path
    base_prompt: Path | None
    judge: JudgeKind
    judge_name: str
    gpus: int

    def check(self) -> None:
        """Raises InputError where the judge needs a name, or a file cannot be read or lacks a field."""
        needs = {"rubric": "the judging service's model", "reward_model": "a model", "function": "module:function"}
        if self.judge in needs and not self.judge_name:
            raise InputError(f"the judge '{self.judge}' needs a name: give --judge-name, {needs[self.judge]}")
        if self.base_prompt is not None:
            read_text(self.base_prompt)
        if self.judge == "reference":
            require_reference(self.questions)

    @cached_property
    def pool_fields(self) -> PoolFields:
        """How the pool is read. Raises InputError where it cannot be."""
        return pool_fields(self.pool)

    def write(self, path: Path) -> list[Path]:
        """Write the config to `path`, beside it this version's schema, and what else it names and is not there yet.

        Returns:
            The files written.

        Raises:
            InputError: a file is there already, cannot be written, or the data lack a field.
        """
        self.check()
        if path.exists():
            raise InputError(f"{path} already exists: move it, or choose another name")
        companions: dict[str, str] = {}
        if self.base_prompt is None:
            message = self.pool_fields.system_message
            companions[BASE_PROMPT] = f"{message}\n" if message else DEFAULT_RULES
        if self.judge == "rubric":
            companions["rubric.txt"] = _RUBRIC
        schema = json.dumps(RunConfig.model_json_schema(), indent=1) + "\n"
        files = {path: self._text(path), path.with_name(SCHEMA): schema}
        files |= {path.with_name(name): text for name, text in companions.items() if not path.with_name(name).exists()}
        for file, text in files.items():
            _write(file, text)
        return [*files]

    def _text(self, path: Path) -> str:
        """The config with its comments."""
        query, reference = question_fields(self.questions)
        return _TEMPLATE.format(
            name=path.stem,
            base_prompt=_value(_config_path(path, self.base_prompt) if self.base_prompt else BASE_PROMPT),
            pool=_value(_config_path(path, self.pool)),
            pool_query=_value(self.pool_fields.query),
            pool_answer=_value(self.pool_fields.answer),
            questions=_value(_config_path(path, self.questions)),
            query=_value(query),
            reference=_value(reference or REFERENCE_FIELDS[0]),
            model=_value(_config_path(path, Path(self.model)) if Path(self.model).is_dir() else self.model),
            dtype="bfloat16" if self.gpus else "float32",
            judge=_JUDGES[self.judge].format(name=_value(self.judge_name)) + self._module_folder(path),
            forecast=self._forecast(),
            workers=_RAY.format(gpus=self.gpus) if self.gpus else _LOCAL,
        )

    def _forecast(self) -> str:
        """What a dry run is to assume, so that it ends in numbers."""
        lines = ["forecast: # what --dry-run assumes until something is measured; correct it", "  answer_tokens: 256"]
        lines += ["  verdict_tokens: 60"] * (self.judge == "rubric")
        speed = _TOKENS_PER_SECOND * self.gpus or _cpu_speed(Path(self.model))
        lines += [f"  tokens_per_second: {speed}", f"  gpus: {self.gpus}"]
        return "\n".join(lines) + "\n"

    def _module_folder(self, path: Path) -> str:
        """The folder of the judge's module, if that is the working directory; elsewhere Python finds it by itself."""
        module = self.judge_name.partition(":")[0].partition(".")[0]
        if self.judge != "function" or not (Path(f"{module}.py").is_file() or Path(module).is_dir()):
            return ""
        return f"  folder: {_value(_config_path(path, Path.cwd()))} # the module is looked for there first\n"


def _cpu_speed(model: Path) -> int:
    """New tokens a second on a CPU, guessed from the size of the weights where they lie in a folder."""
    usual, most = _CPU_TOKENS
    weights = sum(file.stat().st_size for kind in ("safetensors", "bin") for file in model.glob(f"*.{kind}"))
    return max(1, min(most, round(_CPU_BYTES / weights))) if weights else usual


def _config_path(config: Path, file: Path) -> str:
    """The path of a file in the config: relative where the file is below the config's folder."""
    folder, absolute = config.absolute().parent, file.absolute()
    return str(absolute.relative_to(folder)) if absolute.is_relative_to(folder) else str(absolute)


def _value(text: str | None) -> str:
    """A text as YAML, quoted where it must be."""
    return str(yaml.safe_dump(text, width=10_000)).removesuffix("\n...\n").strip()


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}): choose another name") from None


_TEMPLATE = """\
# yaml-language-server: $schema=demosearch.schema.json
# Written by `demosearch init`. `demosearch run {name}.yaml --dry-run` checks it and says what it would cost;
# `demosearch knobs` explains every knob.
seed: 0

base_prompt:
  path: {base_prompt} # rules and demonstrations that every candidate starts from

pool: # the demonstrations that may be added
  path: {pool}
  query_field: {pool_query}
  answer_field: {pool_answer}

questions:
  path: {questions}
  query_field: {query}
  reference_field: {reference}
  split:
    held_out_share: 0.5 # these only judge the winner

model:
  name: {model}
  dtype: {dtype}

decoding:
  max_new_tokens: 512

judge:
{judge}
strategy:
  kind: screening # the fewest judged answers; docs/strategies.md compares all
  max_demonstrations: 3

{workers}
{forecast}"""
_JUDGES: Mapping[JudgeKind, str] = {
    "reference": "  kind: reference # similarity to the reference answer, 1 to 10\n  metric: chrf\n",
    "rubric": """\
  kind: rubric
  rubric_path: rubric.txt # edit it: it is the judge's whole prompt
  service:
    model: {name}
    api_key_variable: OPENAI_API_KEY # the name of the variable, never the key
    # base_url: http://127.0.0.1:8000/v1 # any OpenAI-compatible server
    # dollars_per_million_prompt_tokens: ... # so that a dry run is in dollars
    # dollars_per_million_new_tokens: ...
""",
    "reward_model": "  kind: reward_model\n  model:\n    name: {name}\n",
    "function": "  kind: function\n  function: {name} # module:function (docs/recipes.md)\n",
}
_LOCAL = "workers:\n  kind: local # this process; `ray` for GPUs and clusters\n"
_RAY = "workers:\n  kind: ray\n  count: {gpus} # one GPU each\nwindow: 48 # trials under way, so that no worker waits\n"
_RUBRIC = """\
Rate how well the answer serves the person who asked, from 1 (useless) to 10 (could not be better). Be strict: most
answers deserve less than 8. Length alone is no merit.

[Question]
{question}

[Answer]
{answer}

Say in one sentence why, then give the rating in double brackets, for example: [[5]]
"""
