"""Prompts that show one half of each demonstration."""

from collections.abc import Sequence

from search.prompts.demonstration import Demonstration, single_turns
from search.prompts.urial import BACKTICKS, BasePrompt

_ANSWER = BACKTICKS.middle.removeprefix(BACKTICKS.closing)


def queries_alone(rules: str, demonstrations: Sequence[Demonstration]) -> BasePrompt:
    """Rules and queries. Nothing stands where the answers would."""
    shown = "".join(BACKTICKS.opening + turn.query + BACKTICKS.closing for turn in single_turns(demonstrations))
    return BasePrompt(rules + shown, ())


def answers_alone(rules: str, demonstrations: Sequence[Demonstration]) -> BasePrompt:
    """Rules and answers. Nothing stands where the queries would."""
    shown = "".join(_ANSWER + turn.answer + BACKTICKS.closing for turn in single_turns(demonstrations))
    return BasePrompt(rules + shown, ())
