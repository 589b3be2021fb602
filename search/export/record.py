"""Demonstrations, scores with intervals, provenance: what `demosearch evaluate` reads, and what an archive keeps."""

from dataclasses import asdict
from typing import Any

from search.candidate import OWN
from search.export.found import Found
from search.run import read_manifest


def record(found: Found) -> dict[str, Any]:
    """A decoding stands in it where it was searched for like the demonstrations, without its stop strings: these are
    the template's affair."""
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
        **({} if found.decoding_name == OWN else {"decoding": {"name": found.decoding_name, **_decoding(found)}}),
        "prefix": found.block.prefix,
        "scores": {key: numbers[key] for key in ("search_score", "held_out_score", "held_out_gain", "base")},
        "trials": found.status.trials,
        "spend": asdict(found.status.spend),
        "provenance": manifest,
    }


def _decoding(found: Found) -> dict[str, Any]:
    return {name: value for name, value in asdict(found.decoding).items() if name != "stop"}
