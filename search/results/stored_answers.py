"""What a prompt's answers were and what the judge said of them, found in the ledger again by their keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluators.judge import Verdict
from evaluators.ledger.keys import generation_keys, verdict_key
from evaluators.ledger.queries import read_completions, read_verdicts
from evaluators.objective import Objective
from evaluators.question import Question
from search.problem.candidate import Candidate
from search.problem.material import Material
from search.prompts.render import Renderer
from search.results.search_results import Evidence


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One prompt's answers to one question.

    Attributes:
        answers: turn by turn, as the judge read them; at least one.
        cut: one of them ended because it had reached the largest number of new tokens.
    """

    answers: tuple[str, ...]
    cut: bool


def find_answers(
    evidence: Evidence,
    renderer: Renderer,
    material: Material,
    candidate: Candidate,
    questions: Sequence[Question],
) -> dict[str, StoredAnswer]:
    """By question id; a question whose answers the ledger has not is left out."""
    decoding, shown = evidence.decoding(candidate), material.shown(candidate)
    answers: dict[str, tuple[str, ...]] = {one.id: () for one in questions}
    cut: set[str] = set()
    for turn in range(Objective.of(evidence.config.scoring).turns):
        going = [one for one in questions if len(one.turns) > turn and len(answers[one.id]) == turn]
        if not going:
            break
        block = renderer.block(material.rules, shown, [_conversation(one, answers[one.id]) for one in going])
        keys = generation_keys(evidence.manifest["model"], decoding, block)
        found = read_completions(evidence.ledger, keys)
        for one, key in zip(going, keys, strict=True):
            if key in found:
                answers[one.id] += (renderer.clean(found[key].text),)
                cut |= {one.id} if found[key].finish == "length" else set()
    return {name: StoredAnswer(own, name in cut) for name, own in answers.items() if own}


def _conversation(question: Question, answers: tuple[str, ...]) -> tuple[str, ...]:
    said = zip(question.turns, answers, strict=False)
    return (*(words for pair in said for words in pair), question.turns[len(answers)])


def find_verdicts(
    ledger: Path, judges: Sequence[tuple[str, float, int, str]], items: Sequence[tuple[Question, tuple[str, ...]]]
) -> dict[str, tuple[Verdict, ...]]:
    """On the last of each question's answers, by question id: judge by judge, repeat by repeat, without what failed.

    Args:
        judges: as the manifest has them.
        items: questions with their answers, turn by turn.
    """
    members = [(fingerprint, repeats) for fingerprint, _, repeats, _ in judges]
    keys = {
        question.id: [
            verdict_key(fingerprint, question, answers, repeat)
            for fingerprint, repeats in members
            for repeat in range(repeats)
        ]
        for question, answers in items
    }
    found = read_verdicts(ledger, [key for own in keys.values() for key in own])
    return {name: tuple(found[key] for key in own if key in found) for name, own in keys.items()}
