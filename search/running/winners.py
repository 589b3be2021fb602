"""An evaluation made of what searches have found: the base prompt and every winner, on held-out questions."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from configs.errors import InputError
from configs.plural import show_many
from configs.schema.evaluation import EvaluationConfig, VariantConfig
from configs.schema.run import RunConfig
from configs.schema.search_judge import judge_alone
from search.export import export
from search.export.json_record import row_of
from search.problem.material import Material
from search.results.search_results import SearchResults, read_search_results
from search.run_directory.run import require_search

_BASE = "base prompt"
_SHARED = ("questions", "render", "model", "decoding", "scoring", "workers")


def evaluation_of_winners(
    runs: Sequence[Path], folder: Path, *, pay_again: bool = False
) -> tuple[EvaluationConfig, list[str]]:
    """The base prompt of the first run and the best prompt of each, on the held-out questions of the first and by its
    judge; a run with another model, template or decoding keeps these.

    Args:
        folder: where the prompts are kept as files; made where it is not.
        pay_again: also where a ledger has lost answers that were paid for.

    Returns:
        The evaluation, and what should be known of it, a sentence each.

    Raises:
        InputError: one of them is not a search, or has scored nothing yet; or its ledger has lost rows.
    """
    results = []
    for run in runs:
        require_search(run, "evaluate")
        results.append(read_search_results(run))
        if (lost := results[-1].lost) and not pay_again:
            raise InputError(
                f"{run}: {lost} Restore the ledger from a copy, or add --pay-again, which asks and pays for what is "
                "missing a second time"
            )
    first, material = results[0], results[0].material
    if material is None:
        raise InputError(f"{first.path} has scored nothing yet: compare it when it has")
    if first.path.resolve() in {result.path.resolve() for result in results[1:]}:
        raise InputError(f"{first.path} is named twice: name each run once")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        variants = [VariantConfig(name=_BASE, prompt=_kept(folder, _BASE, _base_prompt(material)))]
        for name, result in zip(_names(runs), results, strict=True):
            file = _kept(folder, name, export(result.path, "json", best_so_far=True, anyway=True))
            variants.append(VariantConfig(name=name, prompt=file, **_own(result.config, first.config)))
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}): choose another --run-dir") from None
    shared = {name: getattr(first.config, name) for name in _SHARED} | {"judge": judge_alone(first.config.judge)}
    config = EvaluationConfig(variants=tuple(variants), side="held_out", **shared)
    return config, [text for result in results[1:] for text in _seen(result, first)]


def _names(runs: Sequence[Path]) -> list[str]:
    """Names of runs: their directories' names, or whole paths where two are alike."""
    short = [run.resolve().name for run in runs]
    return short if len({*short, _BASE}) > len(short) else [run.as_posix() for run in runs]


def _kept(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name.strip('/').replace('/', '-').replace(' ', '-')}.json"
    file.write_text(text, encoding="utf-8")
    return file.resolve()


def _base_prompt(material: Material) -> str:
    content = {"rules": material.rules, "demonstrations": [row_of(demonstration) for demonstration in material.base]}
    return json.dumps(content, indent=1, ensure_ascii=False)


def _own(config: RunConfig, first: RunConfig) -> dict[str, Any]:
    """What a run's answers were made with, where that is not as in the first run."""
    names = ("model", "render", "decoding")
    return {name: getattr(config, name) for name in names if getattr(config, name) != getattr(first, name)}


def _seen(results: SearchResults, first: SearchResults) -> list[str]:
    """A sentence where a search was guided by questions that are asked here."""
    if results.material is None or first.material is None:
        return []
    guided = {question.turns for question in results.material.search}
    seen = sum(question.turns in guided for question in first.material.held_out)
    if not seen:
        return []
    return [
        f"{results.path} was guided by {seen:,} of the "
        f"{show_many(len(first.material.held_out), 'question that is', 'questions that are')} asked here: "
        "its score is too high; compare runs with one split"
    ]
