"""Judge prompts in FastChat's format: JSONL rows with `name`, `system_prompt`, `prompt_template`."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.errors import InputError
from configs.text_files import parse_json, read_text
from evaluators.judge_tools.template import TemplateError, fields_of, fill
from workers.prompt import ChatMessage


@dataclass(frozen=True, slots=True)
class JudgePrompt:
    """One prompt of the file.

    Attributes:
        name: for example `single-v1`.
        system: the system message; "" for none.
        template: of the user message, with `{fields}` (see `evaluators.judge_tools.template`).
    """

    name: str
    system: str
    template: str

    def render(self, **fields: str) -> str:
        """The user message. Braces in the values are text."""
        return fill(self.template, fields)

    def messages(self, **fields: str) -> list[ChatMessage]:
        """What the judge is sent."""
        user: ChatMessage = {"role": "user", "content": self.render(**fields)}
        return [{"role": "system", "content": self.system}, user] if self.system else [user]

    @property
    def digest(self) -> str:
        text = json.dumps([self.name, self.system, self.template])
        return hashlib.sha256(text.encode()).hexdigest()


def read_judge_prompts(path: Path, wanted: Mapping[str, frozenset[str]]) -> dict[str, JudgePrompt]:
    """The prompts of these names, each checked to have exactly these fields.

    Raises:
        InputError: no such file, a malformed line, a missing prompt, or one with other fields.
    """
    path = path / "judge_prompts.jsonl" if path.is_dir() else path
    prompts = _read_all(path)
    missing = [name for name in wanted if name not in prompts]
    if missing:
        raise InputError(
            f"{path} has no judge prompt named {' or '.join(missing)}; give FastChat's judge_prompts.jsonl as "
            f"judge.prompts_path (found: {', '.join(prompts) or 'nothing'})"
        )
    for name, fields in wanted.items():
        _check_fields(path, prompts[name], fields)
    return {name: prompts[name] for name in wanted}


def _read_all(path: Path) -> dict[str, JudgePrompt]:
    try:
        lines = read_text(path).split("\n")
    except InputError as error:
        raise InputError(f"judge.prompts_path, the path of FastChat's judge_prompts.jsonl: {error}") from None
    prompts: dict[str, JudgePrompt] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            prompt = _row(path, number, line)
            if prompts.setdefault(prompt.name, prompt) != prompt:
                raise InputError(f"{path}, line {number}: another prompt is named '{prompt.name}' too; delete one")
    return prompts


def _row(path: Path, number: int, line: str) -> JudgePrompt:
    try:
        row: Any = parse_json(line)
        texts = [row["name"], row.get("system_prompt") or "", row["prompt_template"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}, line {number}: not a JSON object with name, system_prompt and prompt_template"
        ) from error
    if not all(isinstance(text, str) for text in texts):
        raise InputError(f"{path}, line {number}: name, system_prompt and prompt_template must be text")
    return JudgePrompt(*texts)


def _check_fields(path: Path, prompt: JudgePrompt, wanted: frozenset[str]) -> None:
    try:
        fields = fields_of(prompt.template, wanted)
    except TemplateError as error:
        raise InputError(f"{path}: the template of {prompt.name}, {error}") from error
    if fields != wanted:
        raise InputError(
            f"{path}: the template of {prompt.name} must have the fields {_names(wanted)} and no other, "
            f"not {_names(fields) or 'none'}"
        )


def _names(fields: frozenset[str]) -> str:
    return ", ".join(f"{{{field}}}" for field in sorted(fields))
