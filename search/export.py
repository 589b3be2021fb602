"""The found demonstrations, in the forms in which other tools take them: exactly what was scored."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from configs.errors import InputError
from configs.schema import RunConfig
from evaluators.ledger import knows_prefix
from search.demonstration import Demonstration
from search.material import Material
from search.render import Renderer, make_renderer
from search.run import ledger_path, read_config, read_manifest, read_material
from search.status import Status, read_status
from workers.prompt import PromptBlock

Format = Literal["urial", "json", "messages"]
Message = dict[str, str]


def export(path: Path, form: Format, best_so_far: bool = False) -> str:
    """The best candidate of the run at `path` as text in this form.

    urial: a prompt file that loads as a base prompt again. json: demonstrations, scores with intervals, provenance.
    messages: an OpenAI chat, rules first, then a user and an assistant message a demonstration.

    Raises:
        InputError: nothing is scored yet; or the search has not ended and `best_so_far` is not asked for; or the prompt
            cannot be written in this form.
    """
    status = read_status(path)
    if status.winner is None:
        raise InputError(f"{path} has no scored candidate yet: try again when `demosearch status {path}` shows one")
    if status.state != "finished" and not best_so_far:
        raise InputError(
            f"the search in {path} has not ended: `demosearch resume {path}`, or export what it has with --best-so-far"
        )
    config = read_config(path)
    material = Material.from_json(read_material(path))
    chosen = [material.demonstrations[name] for name in status.winner.demonstrations]
    renderer = make_renderer(config.render, config.model)
    block = renderer.block(material.rules, chosen, [(question.query,) for question in material.guiding])
    _check_scored(path, config, block)
    if form == "urial":
        return _urial(renderer, material, chosen, block)
    if form == "messages":
        return _dump(messages(material.rules, chosen))
    return _dump(_record(path, config, status, material, chosen, block))


def _check_scored(path: Path, config: RunConfig, block: PromptBlock) -> None:
    ledger = ledger_path(path, config)
    if ledger.exists() and not knows_prefix(ledger, block.prefix):
        raise InputError(
            "the prompt that this demosearch renders is not the one that was scored: export with the version in "
            f"{path / 'manifest.json'}"
        )


def _urial(renderer: Renderer, material: Material, chosen: list[Demonstration], block: PromptBlock) -> str:
    text = renderer.prompt_text(material.rules, chosen)
    if text != block.prefix:
        raise InputError(
            "this run's prompts are in the model's chat template, and a URIAL file would be another prompt: export "
            "messages or json"
        )
    return text


def messages(rules: str, demonstrations: list[Demonstration]) -> list[Message]:
    """Rules and demonstrations as an OpenAI chat; the user's question is to be added at the end."""
    system = [{"role": "system", "content": rules.strip()}] if rules.strip() else []
    pairs = [
        {"role": role, "content": text}
        for one in demonstrations
        for role, text in (("user", one.query), ("assistant", one.answer))
    ]
    return [*system, *pairs]


def _record(
    path: Path,
    config: RunConfig,
    status: Status,
    material: Material,
    chosen: list[Demonstration],
    block: PromptBlock,
) -> dict[str, Any]:
    own = {one.id for one in material.base}
    numbers = status.to_json()
    return {
        "demosearch": read_manifest(path)["versions"]["demosearch"],
        "run": status.run,
        "state": status.state,
        "rules": material.rules,
        "demonstrations": [asdict(one) | {"from": "base prompt" if one.id in own else "pool"} for one in chosen],
        "template": config.render.template,
        "prefix": block.prefix,
        "scores": {key: numbers[key] for key in ("search_score", "held_out_score", "held_out_gain", "base")},
        "trials": status.trials,
        "spend": asdict(status.spend),
        "provenance": read_manifest(path),
    }


def _dump(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
