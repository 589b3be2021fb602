"""What a prompt's answers were and what the judge said of them, looked up in the ledger by their keys."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from evaluators.answer_keys import AnswerKeys
from evaluators.judge import Verdict
from evaluators.ledger.queries import read_paid

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
    judged = {
        name: [[key for member in turn for key in member] for turn in own.verdicts] for name, own in parsed.items()
    }
    completions, verdicts = read_paid(
        ledger,
        [key for own in parsed.values() for key in own.generations],
        [key for turns in judged.values() for own in turns for key in own],
    )
    answers = {}
    for name, own in parsed.items():
        if all(key in completions for key in own.generations):
            turns = [completions[key] for key in own.generations]
            heard = [[verdicts[key] for key in turn if key in verdicts] for turn in judged[name]]
            answers[name] = StoredAnswer(
                answers=tuple(clean(completion.text) for completion, _ in turns),
                cut=any(completion.finish == "length" for completion, _ in turns),
                verdicts=tuple(verdict for verdict, _ in heard[-1]),
                new_tokens=sum(completion.new_tokens for completion, _ in turns),
                dollars=sum(paid for _, paid in turns) + sum(paid for turn in heard for _, paid in turn),
            )
    return answers
