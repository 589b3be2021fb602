"""A prompt of an earlier search, as what it tells of demonstrations needs it."""

from collections.abc import Mapping
from dataclasses import dataclass

Texts = tuple[str, ...]
"""Queries and answers of a demonstration in turn: demonstrations are the same where these are."""


@dataclass(frozen=True, slots=True)
class ScoredPrompt:
    """Demonstrations of a prompt in order, and its score on each question."""

    demonstrations: tuple[Texts, ...]
    scores: Mapping[str, float]
