"""What base prompt and winner said to the same questions, and what the judge made of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from evaluators.question import Question
from search.problem.candidate import Candidate
from search.problem.trial import Side
from search.prompts.render import answer_cleaner
from search.results.search_results import SearchResults
from search.results.stored_answers import StoredAnswer, read_stored_answers

_EACH_WAY = 4


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """One prompt's answers to one question.

    Attributes:
        answers: turn by turn, as the judge read them.
        words: of the judge on the last turn, verdict by verdict; empty where it has none.
        cut: an answer ended because it had reached the largest number of new tokens.
    """

    answers: tuple[str, ...]
    words: tuple[str, ...]
    cut: bool


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


def contrasts(results: SearchResults, winner: Candidate) -> Contrasts:
    """Contrasts on held-out questions where they are scored, else on search ones."""
    base, material = results.base, results.material
    assert base is not None
    assert material is not None
    side = results.journal.compared_on(winner)
    scored = results.side(side)
    gains = scored[winner].gains(scored[base])
    first, second = (_read_shown(results, side, candidate) for candidate in (base, winner))
    both = [material.questions[name] for name in gains if name in first and name in second]
    if not both:
        return Contrasts(side, missing="the ledger does not hold the answers")
    pairs = [
        Contrast(
            question=question,
            base_score=scored[base].scores[question.id],
            winner_score=scored[winner].scores[question.id],
            base=first[question.id],
            winner=second[question.id],
        )
        for question in sorted(both, key=lambda question: -gains[question.id])
    ]
    return Contrasts(
        side=side,
        better=tuple(pair for pair in pairs if pair.gain > 0)[:_EACH_WAY],
        worse=tuple(pair for pair in reversed(pairs) if pair.gain < 0)[:_EACH_WAY],
        cut=(_share_cut(first), _share_cut(second)),
    )


def _share_cut(answers: Mapping[str, ShownAnswer]) -> float:
    return sum(answer.cut for answer in answers.values()) / len(answers)


def _read_shown(results: SearchResults, side: Side, candidate: Candidate) -> dict[str, ShownAnswer]:
    """Answers by question id; a question whose answers the ledger has not is left out."""
    stored = read_stored_answers(results.ledger, results.keys(side, candidate), answer_cleaner(results.config.render))
    return {name: shown(answer) for name, answer in stored.items()}


def shown(stored: StoredAnswer) -> ShownAnswer:
    """What of an answer in the ledger is for people."""
    words = tuple(verdict.words for verdict in stored.verdicts if verdict.words)
    return ShownAnswer(stored.answers, words, stored.cut)
