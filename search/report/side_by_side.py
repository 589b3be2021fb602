"""What base prompt and winner said to the same questions, and what the judge made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from configs.errors import DemosearchError
from evaluators.question import Question
from search.problem.candidate import Candidate
from search.problem.material import Material
from search.prompts.render import Renderer, make_renderer
from search.results.search_results import Evidence, Side
from search.results.stored_answers import find_answers, find_verdicts

_EACH_WAY = 4


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """One prompt's answers to one question.

    Attributes:
        answers: turn by turn, as the judge read them.
        words: of the judge on the last turn, verdict by verdict; empty where it has none.
        cut: an answer ended because it had reached the largest number of new tokens; None where that is not known.
    """

    answers: tuple[str, ...]
    words: tuple[str, ...]
    cut: bool | None = None


@dataclass(frozen=True, slots=True)
class Contrast:
    """A question on which winner and base prompt differ."""

    question: Question
    base_score: float
    winner_score: float
    base: ShownAnswer
    winner: ShownAnswer

    @property
    def gain(self) -> float:
        return self.winner_score - self.base_score


@dataclass(frozen=True, slots=True)
class Contrasts:
    """The questions that changed most, on one side of the split.

    Attributes:
        better, worse: the largest change first; a question without a change is in neither.
        cut: share of all answers on this side that were cut, of base prompt and winner.
        missing: why there is nothing to show; "" when there is.
    """

    side: Side
    better: tuple[Contrast, ...] = ()
    worse: tuple[Contrast, ...] = ()
    cut: tuple[float, float] | None = None
    missing: str = ""


def contrasts(evidence: Evidence, winner: Candidate) -> Contrasts:
    """On held-out questions where they are scored, else on guiding ones."""
    base, material = evidence.base, evidence.material
    assert base is not None
    assert material is not None
    side = evidence.compared_on(winner)
    told = evidence.side(side)
    gains = told[winner].gains(told[base])
    questions = [material.questions[name] for name in gains]
    try:
        renderer = make_renderer(evidence.config.render, evidence.config.model)
        first, second = (_read_said(evidence, renderer, material, one, questions) for one in (base, winner))
    except DemosearchError as error:  # the model's chat template may be gone
        return Contrasts(side, missing=f"the prompts cannot be spelt here ({error})")
    found = [one for one in questions if one.id in first and one.id in second]
    if not found:
        return Contrasts(side, missing="the ledger does not hold the answers to the prompts that this version spells")
    pairs = [
        Contrast(one, told[base].scores[one.id], told[winner].scores[one.id], first[one.id], second[one.id])
        for one in sorted(found, key=lambda one: -gains[one.id])
    ]
    return Contrasts(
        side=side,
        better=tuple(pair for pair in pairs if pair.gain > 0)[:_EACH_WAY],
        worse=tuple(pair for pair in reversed(pairs) if pair.gain < 0)[:_EACH_WAY],
        cut=(_share_cut(first), _share_cut(second)),
    )


def _share_cut(said: Mapping[str, ShownAnswer]) -> float:
    return sum(one.cut is True for one in said.values()) / len(said)


def _read_said(
    evidence: Evidence, renderer: Renderer, material: Material, candidate: Candidate, questions: Sequence[Question]
) -> dict[str, ShownAnswer]:
    """By question id; a question whose answers the ledger has not is left out."""
    found = find_answers(evidence, renderer, material, candidate, questions)
    asked = [(one, found[one.id].answers) for one in questions if one.id in found]
    words = read_words(evidence.ledger, evidence.manifest["judge"], asked)
    return {name: ShownAnswer(own.answers, words[name], own.cut) for name, own in found.items()}


def read_words(
    ledger: Path, judges: Sequence[tuple[str, float, int, str]], items: Sequence[tuple[Question, tuple[str, ...]]]
) -> dict[str, tuple[str, ...]]:
    """What was said of the last of each question's answers, by question id.

    Args:
        judges: as the manifest has them.
    """
    verdicts = find_verdicts(ledger, judges, items)
    return {name: tuple(one.words for one in own if one.words) for name, own in verdicts.items()}
