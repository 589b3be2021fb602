"""One prompt of an evaluation: where it comes from, and how it is rendered."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from configs.conversation import shared_system_message
from configs.errors import InputError
from configs.records import read_rows
from configs.row import Row, kind_of
from configs.schema.data import RenderConfig
from configs.schema.decoding import DecodingConfig
from configs.schema.evaluation import EvaluationConfig, VariantConfig
from configs.schema.model import AnyModelConfig
from configs.text_files import JsonError, parse_json, read_text
from evaluators.question import Question
from search.problem.decodings import make_decoding
from search.problem.exchange import Fields, exchange_of
from search.prompts.demonstration import Demonstration, demonstration_of, numbered
from search.prompts.render import Renderer, make_renderer
from search.prompts.urial import BasePrompt, form_of, load_base_prompt
from workers.chat_template import ChatTemplate, LoadTemplate
from workers.prompt import Decoding, PromptBlock

_LISTS = (".jsonl", ".json", ".parquet", ".csv", ".tsv")


@dataclass(frozen=True, slots=True)
class PromptVariant:
    """A prompt to be evaluated: rules and demonstrations in front of a model.

    Attributes:
        rules: verbatim; may be empty.
        demonstrations: in order; their ids differ.
        model: that it is put to.
    """

    name: str
    rules: str
    demonstrations: tuple[Demonstration, ...]
    model: AnyModelConfig
    render: RenderConfig
    renderer: Renderer
    decoding: Decoding

    def block(self, questions: Sequence[Question]) -> PromptBlock:
        """The prompts of the first turns."""
        return self.renderer.block(self.rules, self.demonstrations, [(question.query,) for question in questions])

    @property
    def digest(self) -> str:
        """Changes with every character of the prompt; 16 hexadecimal digits."""
        texts = [self.rules, *(demonstration.texts for demonstration in self.demonstrations)]
        return sha256(json.dumps(texts).encode()).hexdigest()[:16]


def load_variants(
    config: EvaluationConfig, load_template: LoadTemplate = ChatTemplate.load
) -> tuple[PromptVariant, ...]:
    """Read every variant's files.

    Raises:
        InputError: a file is missing or malformed.
    """
    return tuple(_load(variant, config, load_template) for variant in config.variants)


def _load(variant: VariantConfig, config: EvaluationConfig, load_template: LoadTemplate) -> PromptVariant:
    exported = _exported(variant)
    model, render = variant.model or config.model, variant.render or _found_render(variant, config.render, exported)
    renderer = make_renderer(render, model, load_template)
    prompt = read_prompt(variant, render)
    decoding = variant.decoding or _found_decoding(variant, config.decoding, exported)
    return PromptVariant(
        name=variant.name,
        rules=prompt.rules,
        demonstrations=prompt.demonstrations,
        model=model,
        render=render,
        renderer=renderer,
        decoding=make_decoding(decoding, renderer),
    )


def _exported(variant: VariantConfig) -> dict[str, Any]:
    """What an export says beside its prompt, where the whole of it is used; empty where the file is none."""
    if variant.prompt is None or variant.use != "all" or variant.prompt.suffix.lower() != ".json":
        return {}
    content = _parsed(variant.prompt)
    return content if isinstance(content, dict) else {}


def _found_decoding(variant: VariantConfig, usual: DecodingConfig, exported: Mapping[str, Any]) -> DecodingConfig:
    """The usual one, changed as the prompt was found with where the search varied that too."""
    try:
        changes = {name: value for name, value in exported.get("decoding", {}).items() if name != "name"}
        return DecodingConfig.model_validate(usual.model_dump() | changes)
    except (ValidationError, AttributeError) as error:
        raise InputError(f"{variant.prompt}: `decoding` was not written by demosearch; export it again") from error


def _found_render(variant: VariantConfig, usual: RenderConfig, exported: Mapping[str, Any]) -> RenderConfig:
    """The usual one, with the separation tag that the prompt was found with where the evaluation names none."""
    if usual.template == "chat" or usual.separation_tag is not None:
        return usual
    changes = {name: exported[name] for name in ("separation_tag", "separation_tag_between") if name in exported}
    try:
        return RenderConfig.model_validate(usual.model_dump() | changes)
    except ValidationError as error:
        raise InputError(
            f"{variant.prompt}: `separation_tag` was not written by demosearch; export it again"
        ) from error


def read_prompt(config: VariantConfig, render: RenderConfig) -> BasePrompt:
    """The prompt that a variant names, in this form where it is a URIAL file. Raises InputError."""
    prompt = BasePrompt("", ()) if config.prompt is None else _read_prompt(config.prompt, config, render)
    rules = prompt.rules if config.use != "demonstrations" else ""
    chosen = prompt.demonstrations if config.use != "rules" else ()
    return BasePrompt(
        rules if config.rules is None else read_text(config.rules),
        numbered(chosen[: config.max_demonstrations]),
    )


def _read_prompt(path: Path, config: VariantConfig, render: RenderConfig) -> BasePrompt:
    if path.suffix.lower() not in _LISTS:
        return load_base_prompt(path, form_of(render))
    if path.suffix.lower() == ".json" and (exported := _read_export(path)) is not None:
        return exported
    rows, fields = read_rows(path), Fields(config.query_field, config.answer_field)
    message = shared_system_message(rows, fields.query)
    return BasePrompt(message and f"{message}\n", tuple(_from_row(row, fields) for row in rows))


def _read_export(path: Path) -> BasePrompt | None:
    """What `demosearch export --format json` wrote; None where the file is a list."""
    content = _parsed(path)
    if isinstance(content, list):
        return None
    rules = content.get("rules") if isinstance(content, dict) else None
    shown = content.get("demonstrations") if isinstance(content, dict) else None
    if not isinstance(rules, str) or not isinstance(shown, list):
        raise InputError(
            f"{path}: holds {kind_of(content)} that is not an export of demosearch (rules, demonstrations); give "
            "one, or a list of objects"
        )
    rows = [
        Row(value if isinstance(value, dict) else {}, f"{path}, demonstration {number}")
        for number, value in enumerate(shown, start=1)
    ]
    return BasePrompt(rules, tuple(_from_row(row, Fields()) for row in rows))


def _parsed(path: Path) -> Any:
    try:
        return parse_json(read_text(path))
    except JsonError as error:
        place = str(path) if error.line is None else f"{path}, line {error.line}"
        raise InputError(f"{place}: not JSON ({error}); fix it") from None


def _from_row(row: Row, fields: Fields) -> Demonstration:
    read = demonstration_of(exchange_of(row, fields).turns)
    if not all(text.strip() for text in read.texts):
        raise InputError(f"{row.place}: the query or the answer is empty; fill it or delete the row")
    return read
