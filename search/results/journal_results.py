"""What the records of a journal say together, candidate by candidate; the only place where they are put together."""

from array import array
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from search.problem.candidate import Candidate
from search.problem.trial import Side
from search.results.results_by_candidate import ResultsByCandidate
from search.run_directory.records import EndRecord, JournalRecord, TrialRecord
from search.statistics.intervals import Bounds

_NOBODY = -1
SIDES: Mapping[Side, str] = {"search": "search", "held_out": "held-out"}


class SearchStep(NamedTuple):
    """How far a search had come after one of its trials.

    Attributes:
        judged: answers judged for search questions so far, each turn that counts is one.
        candidate: of the trial; None where it told nothing of one, but of the judge.
        leader: the best candidate then; None where nothing was ranked.
        trials: of `JournalResults.search` until then.
    """

    judged: int
    candidate: Candidate | None
    leader: Candidate | None
    trials: int


class JournalResults:
    """What is known after some records.

    Args:
        bounds: lowest and highest score there can be; None where that is not known.

    Attributes:
        search, held_out: results by candidate, in the order in which the strategy was first told of them.
        screening: what the screening judge said on search questions, on its own scale, in the same way; in no result.
        screened_held_out: the same on held-out questions, in no result but beside one.
        trials: on search questions, those that the screening judge scored not counted.
        further: those of them with further verdicts on a candidate's answers, which are in no result; on the base
            prompt's they check the judge for drift and are not counted.
        ends: how often the search has been brought to its end; more than once where it was extended.
        leaders: the best candidates after the last of them, best first.
        end: how the search ended; None before.
    """

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds
        self.search, self.held_out = ResultsByCandidate(bounds), ResultsByCandidate(bounds)
        self.screening, self.screened_held_out = ResultsByCandidate(), ResultsByCandidate()
        self.trials = self.further = self.ends = 0
        self.leaders: tuple[Candidate, ...] = ()
        self.end: EndRecord | None = None
        self._steps = array("q")  # four numbers a trial
        self._judged = 0

    @property
    def base(self) -> Candidate | None:
        """The base prompt, once the strategy was told of it."""
        return next(iter(self.search), None)

    @property
    def winner(self) -> Candidate | None:
        """The best so far before the end."""
        return self.end.winner if self.end else next(iter(self.leaders), None)

    @property
    def runner_up(self) -> Candidate | None:
        """The second best so far before the end."""
        return self.end.runner_up if self.end else next(iter(self.leaders[1:]), None)

    @property
    def ranked_first(self) -> Candidate | None:
        """The winner, or what the search ranked first where too little was proven and the base prompt was kept; the
        best so far before the end."""
        is_unproven = self.end is not None and self.end.winner == self.base and self.end.win_probability is not None
        return self.runner_up if is_unproven else self.winner

    def side(self, side: Side) -> ResultsByCandidate:
        """Results on one side of the split; the two never meet."""
        return self.search if side == "search" else self.held_out

    def steps(self) -> Iterator[SearchStep]:
        """How far the search had come after each of its trials on search questions."""
        order = [*self.search]
        for at in range(0, len(self._steps), 4):
            judged, own_place, leading, trials = self._steps[at : at + 4]
            candidate, leader = (None if place == _NOBODY else order[place] for place in (own_place, leading))
            yield SearchStep(judged, candidate, leader, trials)

    def compared_on(self, winner: Candidate) -> Side:
        """Held-out questions where winner and base prompt are scored on them, else search ones."""
        return "held_out" if winner in self.held_out and self.base in self.held_out else "search"

    def add(self, record: JournalRecord, start: int = 0) -> None:
        """Take the next record, which stands at this byte of the journal."""
        if not isinstance(record, TrialRecord):
            self.end = record
            self.ends += 1
            return
        if record.scored.trial.screening:
            screened = self.screening if record.side == "search" else self.screened_held_out
            screened.add(record.candidate, record.scored, start)
            self.end = None if record.side == "search" else self.end
            return
        judged = 0
        if not record.scored.trial.again:  # such a one is of the judge's drift, not of the candidate
            judged = self.side(record.side).add(record.candidate, record.scored, start)
        if record.side == "search":
            self.end = None  # it goes on under a larger budget
            self.trials += 1
            self.further += record.scored.trial.again > 0 and record.candidate != self.base
            self.leaders = record.leaders
            self._judged += judged
            own_place = _NOBODY if record.scored.trial.again else self.search.place(record.candidate)
            leader = self.search.place(record.leaders[0]) if record.leaders else _NOBODY
            self._steps.extend((self._judged, own_place, leader, self.search.trials))
