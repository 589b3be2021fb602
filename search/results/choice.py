"""Why a run's winner won: what was measured of it and of the runner-up, and what all scores together make of that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from configs.plural import show_many
from search.problem.candidate import Candidate
from search.results.leads import leads
from search.results.search_results import SearchResults
from search.results.wording import show_gain
from search.run_directory.records import ExpectedGain
from search.statistics.estimates import Estimate, paired_difference
from search.statistics.intervals import of_difference

_DIGITS = 0.005  # points; less is not seen in two decimals


@dataclass(frozen=True, slots=True)
class Contender:
    """One of the first two on the search questions.

    Attributes:
        role: "winner", "best so far" or "runner-up".
        measured: paired difference to the base prompt.
        expected: what all search scores of the run together make of it, for further questions of this kind; None before
            the end. `n` counts the answers of its own that it rests on.
        later: scores in `measured`, its own or the base prompt's, that were added when candidates had been ranked.
    """

    role: str
    measured: Estimate
    expected: Estimate | None
    later: int = 0

    def to_json(self) -> dict[str, Any]:
        """A part of what `demosearch status --json` prints."""
        expected = self.expected and self.expected.to_json()
        return {"role": self.role, "measured": self.measured.to_json(), "expected": expected}


@dataclass(frozen=True, slots=True)
class Choice:
    """Why one won.

    Attributes:
        ranks_by: what the strategy orders candidates by.
        contenders: the winner first, then the runner-up; only the latter where the base prompt won.
        ahead: paired difference of the first two on the questions that both have met; None without two.
        kept_base: the base prompt won, since none was surely better.
        ended: whether the search has; before, the best so far may change.
        candidates, answers: of the whole search.
        later: scores among these that were added when candidates had been ranked, which decided nothing.
        highest: the largest gain that a best so far has had, where that is more than the present one's; None elsewhere,
            and after the end.
    """

    ranks_by: str
    contenders: tuple[Contender, ...]
    ahead: Estimate | None
    kept_base: bool
    ended: bool
    candidates: int
    answers: int
    later: int = 0
    highest: tuple[float, int] | None = None  # points, questions

    @property
    def title(self) -> str:
        """What the sentences explain."""
        if self.kept_base:
            return "Why the base prompt stayed"
        return "Why this one won" if self.ended else "Why this one leads"

    def sentences(self) -> list[str]:
        """The explanation, a sentence or two each."""
        return [
            *self._rule(),
            *(text for contender in self.contenders for text in self._of(contender)),
            *self._between(),
            *self._fallen(),
        ]

    def _rule(self) -> Iterator[str]:
        yield f"Candidates are ranked by {self.ranks_by}."

    def _of(self, contender: Contender) -> Iterator[str]:
        text = (
            f"The {contender.role}: its own {show_many(contender.measured.n, 'answer')} to search questions measured "
            f"{show_gain(contender.measured)} over the base prompt"
        )
        if contender.expected is None:
            yield f"{text}."
            return
        taken = contender.measured.mean - contender.expected.mean
        scores = "the scores known during the search" if self.later else f"all {self.answers:,} search scores together"
        less = "" if contender.later else f", {self._shrinkage(taken)}"
        yield f"{text}; {scores} predict {show_gain(contender.expected)} on further questions{less}."

    def _shrinkage(self, taken: float) -> str:
        if abs(taken) < _DIGITS:
            return "as measured"
        if taken > 0:
            many = show_many(self.candidates, "candidate")
            return f"{taken:.2f} less than measured (shrinkage: the best of {many} is partly lucky)"
        return f"{-taken:.2f} more than measured (its demonstrations did better in other candidates)"

    def _between(self) -> Iterator[str]:
        if len(self.contenders) < 2:
            return
        first, second = self.contenders
        if first.measured.n != second.measured.n:
            yield (
                f"The two gains were measured on different questions ({first.measured.n:,} and {second.measured.n:,}) "
                "and cannot be compared."
            )
        if self.ahead is not None:
            yield (
                f"On the {show_many(self.ahead.n, 'search question')} that both have met, the {first.role} minus the "
                f"runner-up is {show_gain(self.ahead)} points."
            )
        if second.measured.mean > first.measured.mean + _DIGITS:
            yield f"The runner-up measured the larger gain; it is second because {self._reason(first, second)}."

    def _reason(self, first: Contender, second: Contender) -> str:
        if first.later or second.later:
            return "scores were added after the candidates had been ranked"
        if second.measured.n < first.measured.n:
            return "a gain on fewer questions counts less"
        expected = [contender.expected.mean for contender in (first, second) if contender.expected]
        if len(expected) == len((first, second)) and expected[1] <= expected[0] + _DIGITS:
            return "all search scores together do not predict a larger gain for it"
        return "the ranking does not go by the measured gain alone"

    def _fallen(self) -> Iterator[str]:
        if self.highest is not None:
            gain, n = self.highest
            yield (
                f"An earlier best so far had measured {gain:+.2f} on {show_many(n, 'question')}; that did not hold on "
                "further questions, or a candidate with more evidence took the lead."
            )

    def to_json(self) -> dict[str, Any]:
        """A part of what `demosearch status --json` prints."""
        return {
            "ranks_by": self.ranks_by,
            "contenders": [contender.to_json() for contender in self.contenders],
            "ahead": self.ahead and self.ahead.to_json(),
            "kept_base": self.kept_base,
            "highest": self.highest and {"gain": self.highest[0], "n": self.highest[1]},
            "sentences": self.sentences(),
        }


def explain_choice(results: SearchResults) -> Choice | None:
    """None where nothing but the base prompt has been ranked."""
    journal, base = results.journal, results.base
    first, second = journal.winner, journal.runner_up
    expected = journal.end.expected if journal.end else (None, None)
    role = "winner" if journal.end else "best so far"
    named = ((role, first, expected[0]), ("runner-up", second, expected[1]))
    contenders = [
        contender
        for name, candidate, gain in named
        if candidate is not None and (contender := _contender(results, name, candidate, gain)) is not None
    ]
    if not contenders:
        return None
    return Choice(
        ranks_by=results.config.strategy.ranks_by,
        contenders=tuple(contenders),
        ahead=_ahead(results, first, second) if base not in (first, second) else None,
        kept_base=journal.end is not None and first == base,
        ended=journal.end is not None,
        candidates=len(results.search),
        answers=len(results.search.all_scores),
        later=sum(len(added) for (side, _), added in results.later.items() if side == "search"),
        highest=_highest(results, contenders) if journal.end is None else None,
    )


def _highest(results: SearchResults, contenders: Sequence[Contender]) -> tuple[float, int] | None:
    """The largest gain of a best so far, and on how many questions; None where that is the present one's."""
    now = next((contender.measured.mean for contender in contenders if contender.role != "runner-up"), 0.0)
    gains = ((float(lead.ahead.mean()), len(lead.ahead)) for lead in leads(results) if lead.is_new)
    highest = max(gains, default=(0.0, 0))
    return highest if highest[0] > now + _DIGITS else None


def _contender(
    results: SearchResults, role: str, candidate: Candidate, expected: ExpectedGain | None
) -> Contender | None:
    """None for the base prompt, and for one without a score on the questions that it has."""
    if candidate == results.base or results.base is None or candidate not in results.search:
        return None
    own, base = results.search[candidate], results.search[results.base]
    measured = own.gain(base, results.confidence)
    if measured is None:
        return None
    later = frozenset[str]().union(*(results.later.get(("search", tried), ()) for tried in (candidate, results.base)))
    touched = len(later & own.scores.keys() & base.scores.keys())
    return Contender(role, measured, expected and _inside(expected, measured.n, results), touched)


def _inside(expected: ExpectedGain, answers: int, results: SearchResults) -> Estimate:
    """The expected gain with its interval inside the scale, where that has ends."""
    return Estimate(*expected, answers).inside(of_difference(results.journal.bounds))


def _ahead(results: SearchResults, first: Candidate | None, second: Candidate | None) -> Estimate | None:
    if first is None or second is None or not {first, second} <= results.search.keys():
        return None
    scores = results.search[first].scores, results.search[second].scores
    return paired_difference(*scores, results.confidence, results.journal.bounds)
