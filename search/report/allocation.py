"""The allocation of answers to search questions: how many each demonstration and each question got."""

from collections import Counter
from dataclasses import dataclass

from search.results.search_results import SearchResults


@dataclass(frozen=True, slots=True)
class AnswerShare:
    """Answers behind one demonstration, or to one question.

    Attributes:
        name: its id.
        answers: scored ones, by question and candidate.
        candidates: different ones among them.
        chosen: it is part of the winner, or of the best so far.
    """

    name: str
    answers: int
    candidates: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Allocation:
    """How a search divides its answers.

    Attributes:
        demonstrations: those that some candidates have and others have not, most answers first; pool members that were
            never tried are at the end.
        questions: in the order of the material.
        answers: of all candidates on search questions.
    """

    demonstrations: tuple[AnswerShare, ...]
    questions: tuple[AnswerShare, ...]
    answers: int

    @property
    def behind(self) -> dict[str, int]:
        """Answers by demonstration."""
        return {share.name: share.answers for share in self.demonstrations}


def allocation(results: SearchResults) -> Allocation | None:
    """None before anything is scored."""
    material, search = results.material, results.search
    asked = Counter(search.answers_by_question())
    if material is None or not asked.total():
        return None
    answers: Counter[str] = Counter()
    candidates: Counter[str] = Counter()
    for candidate in search:
        count = len(search.scores_of(candidate)[1])
        for name in set(candidate.demonstrations):
            answers[name] += count
            candidates[name] += 1
    winner = results.journal.winner
    chosen = set(winner.demonstrations) if winner else set()
    named = dict.fromkeys([shown.id for shown in (*material.base, *material.pool)])
    shares = [
        AnswerShare(name, answers[name], candidates[name], name in chosen)
        for name in named
        if candidates[name] < len(search)
    ]
    return Allocation(
        demonstrations=tuple(sorted(shares, key=lambda share: -share.answers)),
        questions=tuple(
            AnswerShare(question.id, asked[question.id], asked[question.id]) for question in material.search
        ),
        answers=asked.total(),
    )
