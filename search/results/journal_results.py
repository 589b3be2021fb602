"""What the records of a journal say together, candidate by candidate; the only place where they are put together."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Side
from search.run_directory.records import EndRecord, JournalRecord, TrialRecord
from search.statistics.estimates import Estimate, estimate, paired_difference
from search.statistics.intervals import Bounds

SIDES: Mapping[Side, str] = {"search": "search", "held_out": "held-out"}


@dataclass(frozen=True, slots=True)
class CandidateResults:
    """Results of one candidate on one side of the split, all its trials together.

    Attributes:
        place: of its first trial among those of its side, from 0.
        scores: by question id, of trials that have a mean.
        failures: by question id, the cause, of questions without a score.
        lengths: of the answers, by question id, in characters.
        turns: by question id, the scores by turn where there are several.
        starts: where its records stand in the journal, in bytes.
        bounds: lowest and highest score there can be; None where that is not known.
    """

    place: int
    scores: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    turns: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)
    bounds: Bounds | None = None

    def add(self, scored: ScoredTrial) -> None:
        """Take a further trial."""
        if scored.mean is not None:
            self.scores.update(scored.scores)
            self.lengths.update(scored.lengths)
            self.turns.update(scored.turns)
        self.failures.update(scored.failures)
        for name in self.scores.keys() & self.failures.keys():
            del self.failures[name]

    def of_turn(self, turn: int) -> dict[str, float]:
        """Scores of this turn, from 0, by question; those of a turn that does not count, or was not reached, are
        absent."""
        scores = {name: turns[turn] for name, turns in self.turns.items() if turn < len(turns)}
        return {name: score for name, score in scores.items() if score is not None}

    def mean(self, confidence: float) -> Estimate | None:
        """None where nothing was scored."""
        return estimate([*self.scores.values()], confidence, len(self.failures), self.bounds)

    def mean_length(self, confidence: float) -> Estimate | None:
        """Mean length of the answers, in characters; None where nothing was scored."""
        return estimate([*self.lengths.values()], confidence)

    def gain(self, base: "CandidateResults", confidence: float) -> Estimate | None:
        """Paired difference to the base prompt; `failed` are the questions that one of the two has no score for because
        it failed."""
        difference = paired_difference(self.scores, base.scores, confidence, self.bounds)
        return difference and replace(difference, failed=len(self.failures.keys() | base.failures.keys()))

    def gains(self, base: "CandidateResults") -> dict[str, float]:
        """Differences to the base prompt, by question that both have a score for."""
        return {name: score - base.scores[name] for name, score in self.scores.items() if name in base.scores}


@dataclass(slots=True)
class JournalResults:
    """What is known after some records.

    Attributes:
        search, held_out: results by candidate, in the order in which the strategy was first told of them.
        trials: on search questions.
        ends: how often the search has been brought to its end; more than once where it was extended.
        leaders: the best candidates after the last of them, best first.
        end: how the search ended; None before.
        bounds: of scores, as `CandidateResults` has them.
    """

    search: dict[Candidate, CandidateResults] = field(default_factory=dict)
    held_out: dict[Candidate, CandidateResults] = field(default_factory=dict)
    trials: int = 0
    leaders: tuple[Candidate, ...] = ()
    end: EndRecord | None = None
    bounds: Bounds | None = None
    ends: int = 0

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

    def side(self, side: Side) -> dict[Candidate, CandidateResults]:
        """Results on one side of the split; the two never meet."""
        return self.search if side == "search" else self.held_out

    def compared_on(self, winner: Candidate) -> Side:
        """Held-out questions where winner and base prompt are scored on them, else search ones."""
        return "held_out" if winner in self.held_out and self.base in self.held_out else "search"

    def add(self, record: JournalRecord, start: int = 0) -> None:
        """Take the next record, which stands at this byte of the journal."""
        if not isinstance(record, TrialRecord):
            self.end = record
            self.ends += 1
            return
        if record.side == "search":
            self.end = None  # it goes on under a larger budget
            self.trials += 1
            self.leaders = record.leaders
        if record.scored.trial.again:  # of the judge's drift, not of the candidate
            return
        known = self.side(record.side)
        results = known.setdefault(record.candidate, CandidateResults(len(known), bounds=self.bounds))
        results.add(record.scored)
        results.starts.append(start)
