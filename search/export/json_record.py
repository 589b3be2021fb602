"""Demonstrations, scores with intervals, provenance: what `demosearch evaluate` reads, and what an archive keeps."""

from dataclasses import asdict
from typing import Any

from configs.schema import VaryingKnobs
from search.export.best_prompt import Found
from search.run_directory.run import read_manifest


def record(found: Found) -> dict[str, Any]:
    """Where the decoding was searched for like the demonstrations, what it changes of the run's own stands in it."""
    own = {one.id for one in found.material.base}
    manifest, numbers = read_manifest(found.path), found.status.to_json()
    return {
        "demosearch": manifest["versions"]["demosearch"],
        "run": found.status.run,
        "state": found.status.state,
        "rules": found.material.rules,
        "demonstrations": [
            asdict(one) | {"from": "base prompt" if one.id in own else "pool"} for one in found.demonstrations
        ],
        "template": found.config.render.template,
        **_decoding(found),
        "prefix": found.block.prefix,
        "scores": {key: numbers[key] for key in ("search_score", "held_out_score", "held_out_gain", "base")},
        "trials": found.status.trials,
        "spend": asdict(found.status.spend),
        "provenance": manifest,
    }


def _decoding(found: Found) -> dict[str, Any]:
    strategy = found.config.strategy
    further = strategy.decodings if isinstance(strategy, VaryingKnobs) else ()
    chosen = [one.model_dump(exclude_none=True) for one in further if one.name == found.decoding_name]
    return {"decoding": chosen[0]} if chosen else {}
