"""Demonstrations, scores with intervals, provenance: what `demosearch evaluate` reads, and what an archive keeps."""

from dataclasses import asdict
from typing import Any

from configs.schema.data import RenderConfig
from configs.schema.search_space import VaryingKnobs
from search.export.best_prompt import BestPrompt
from search.prompts.demonstration import Demonstration


def record(best: BestPrompt) -> dict[str, Any]:
    """The prompt as JSON. Where the decoding was searched for like the demonstrations, what it changes of the run's own
    stands in it.
    """
    own = {demonstration.id for demonstration in best.material.base}
    manifest, base = best.results.manifest, best.status.to_json()["base"]
    return {
        "demosearch": manifest["versions"]["demosearch"],
        "run": best.status.run,
        "state": best.status.state,
        "rules": best.material.rules,
        "demonstrations": [
            row_of(demonstration) | {"from": "base prompt" if demonstration.id in own else "pool"}
            for demonstration in best.demonstrations
        ],
        **_template(best.config.render),
        **_decoding(best),
        "prefix": best.block.prefix,
        "scores": best.chosen.scores_to_json() | {"base": base},
        **({"warning": best.warning} if best.warning else {}),
        "trials": best.status.trials,
        "spend": asdict(best.status.spend),
        "provenance": manifest,
    }


def _template(render: RenderConfig) -> dict[str, Any]:
    """How the prompt is spelled; a separation tag where there is one."""
    content = render.model_dump(mode="json")
    return {"template": content.pop("template"), **{name: content[name] for name in content if name.startswith("sep")}}


def row_of(demonstration: Demonstration) -> dict[str, Any]:
    """A row that a pool reads as this demonstration."""
    return {"id": demonstration.id, **demonstration.fields}


def _decoding(best: BestPrompt) -> dict[str, Any]:
    strategy = best.config.strategy
    further = strategy.decodings if isinstance(strategy, VaryingKnobs) else ()
    chosen = [decoding.model_dump(exclude_none=True) for decoding in further if decoding.name == best.decoding_name]
    return {"decoding": chosen[0]} if chosen else {}
