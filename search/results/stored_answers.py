"""What a prompt's answers were and what the judge said of them, looked up in the ledger by their keys."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from evaluators.answer_keys import AnswerKeys
from evaluators.judge import Verdict
from evaluators.ledger.queries import read_completions, read_prices, read_verdicts

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One prompt's answers to one question.

    Attributes:
        answers: turn by turn, as the judge read them; at least one.
        cut: one of them ended because it had reached the largest number of new tokens.
        verdicts: on the last of them, judge by judge, repeat by repeat.
        new_tokens: of all answers.
        dollars: that answers and verdicts of all turns have cost, whoever paid.
    """

    answers: tuple[str, ...]
    cut: bool
    verdicts: tuple[Verdict, ...]
    new_tokens: int = 0
    dollars: float = 0.0


def read_stored_answers(ledger: Path, keys: Mapping[K, str], clean: Callable[[str], str]) -> dict[K, StoredAnswer]:
    """Stored answers by question id, or whatever `keys` go by; a question whose answers are not all in the ledger is
    left out, and so is a verdict.

    Args:
        keys: `AnswerKeys` as text.
        clean: turns a completion's text into the answer that the judge read.
    """
    parsed = {name: AnswerKeys.from_text(text) for name, text in keys.items()}
    completions = read_completions(ledger, [key for own in parsed.values() for key in own.generations])
    verdicts, prices = _last_verdicts(ledger, parsed), _prices(ledger, parsed)
    answers = {}
    for name, own in parsed.items():
        if all(key in completions for key in own.generations):
            turns = [completions[key] for key in own.generations]
            answers[name] = StoredAnswer(
                answers=tuple(clean(completion.text) for completion in turns),
                cut=any(completion.finish == "length" for completion in turns),
                verdicts=verdicts[name],
                new_tokens=sum(completion.new_tokens for completion in turns),
                dollars=prices[name],
            )
    return answers


def _prices(ledger: Path, keys: Mapping[K, AnswerKeys]) -> dict[K, float]:
    """What each question's answers and verdicts have cost, in dollars."""
    judged = {name: [key for turn in own.verdicts for member in turn for key in member] for name, own in keys.items()}
    generated = read_prices(ledger, "generations", [key for own in keys.values() for key in own.generations])
    paid = read_prices(ledger, "verdicts", [key for own in judged.values() for key in own])
    return {
        name: sum(generated.get(key, 0.0) for key in own.generations) + sum(paid.get(key, 0.0) for key in judged[name])
        for name, own in keys.items()
    }


def _last_verdicts(ledger: Path, keys: Mapping[K, AnswerKeys]) -> dict[K, tuple[Verdict, ...]]:
    wanted = {name: [key for member in own.verdicts[-1] for key in member] for name, own in keys.items()}
    verdicts = read_verdicts(ledger, [key for own in wanted.values() for key in own])
    return {name: tuple(verdicts[key] for key in own if key in verdicts) for name, own in wanted.items()}
