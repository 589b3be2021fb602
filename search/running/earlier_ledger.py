"""Demonstrations of a pool in the prompts of a ledger, and what those prompts scored.

A ledger keeps what precedes the question in each prompt as text, in whatever form it was written. A demonstration
stands in it where its queries and answers follow each other with nothing but a separator between them.
"""

import re
from collections.abc import Iterable, Sequence, Set
from pathlib import Path
from statistics import fmean, pstdev

from evaluators.ledger.queries import read_judged_prompts
from search.running.scored_prompt import ScoredPrompt, Texts

_SEPARATOR = r"[^\0]{1,100}?"
_TAKEN = "\0"


def prompts_of_ledger(path: Path, pool: Sequence[Texts], held_out: Set[str]) -> list[ScoredPrompt]:
    """Return the scored prompts of a ledger that hold some of these demonstrations. Each judge's scores of each model
    are brought to one scale, with mean 0 and standard deviation 1.

    Args:
        held_out: ids of questions whose scores are not looked at, not for the scale either.

    Raises:
        InputError: there is no ledger that can be read.
    """
    judged = {
        prefix: {source: score for source, score in scores.items() if source[2] not in held_out}
        for prefix, scores in read_judged_prompts(path).items()
    }
    unit = _units((source[:2], score) for scores in judged.values() for source, score in scores.items())
    prompts = []
    for prefix, scores in judged.items():
        held = demonstrations_in(prefix, pool) if scores else ()
        if held:
            values = {
                "\0".join(source): (score - unit[source[:2]][0]) / unit[source[:2]][1]
                for source, score in scores.items()
            }
            prompts.append(ScoredPrompt(held, values))
    return prompts


def _units(scores: Iterable[tuple[tuple[str, str], float]]) -> dict[tuple[str, str], tuple[float, float]]:
    """Mean and standard deviation, 1 where it is 0, of each source's scores."""
    by_source: dict[tuple[str, str], list[float]] = {}
    for source, score in scores:
        by_source.setdefault(source, []).append(score)
    return {source: (fmean(values), pstdev(values) or 1.0) for source, values in by_source.items()}


def demonstrations_in(prefix: str, pool: Sequence[Texts]) -> tuple[Texts, ...]:
    """Return those that a prompt holds, in its order. Longer ones are looked for first, so that one whose texts are
    part of another's does not pass for held."""
    places: dict[Texts, int] = {}
    for texts in sorted(pool, key=lambda texts: -sum(map(len, texts))):
        stripped = [text.strip() for text in texts]
        if stripped[0] in prefix and (place := re.search(_SEPARATOR.join(map(_whole, stripped)), prefix, re.DOTALL)):
            places[texts] = place.start()
            prefix = prefix[: place.start()] + _TAKEN * (place.end() - place.start()) + prefix[place.end() :]
    return tuple(sorted(places, key=places.__getitem__))


def _whole(text: str) -> str:
    """A pattern for a text that neither begins nor ends within a word."""
    return rf"(?<!\w){re.escape(text)}(?!\w)"
