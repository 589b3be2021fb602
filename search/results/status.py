"""What is known of a run, from its directory alone: while it runs, after a crash, at the end."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evaluators.drafting import NO_DRAFTING, Drafting
from evaluators.evaluation import Failure
from evaluators.ledger.queries import read_drafting
from evaluators.ledger.spend import Spend
from search.problem.candidate import OWN, Candidate
from search.problem.contamination import SEEN
from search.results.candidate_results import CandidateResults
from search.results.choice import Choice, explain_choice
from search.results.screening_verdicts import ScreeningVerdicts, read_screening
from search.results.search_results import SearchResults, read_search_results
from search.run_directory.state import State, read_noted_state
from search.statistics.estimates import Estimate, paired_difference


@dataclass(frozen=True, slots=True)
class Standing:
    """One candidate of a run with what is known of it.

    Attributes:
        candidate: with the base prompt's own demonstrations.
        search_score: on the search questions. The candidate was chosen for it, so for a winner it is too high.
        held_out_score: on questions the search never saw; None before the end.
        held_out_gain: paired difference to the base prompt on the held-out questions; None for the base.
        length: mean length of its answers to search questions, in characters: a judge that likes long ones shows here.
    """

    candidate: Candidate
    search_score: Estimate | None
    held_out_score: Estimate | None
    held_out_gain: Estimate | None
    length: float | None = None

    @property
    def demonstrations(self) -> tuple[str, ...]:
        """Ids, from the top of the prompt down."""
        return self.candidate.demonstrations

    def scores_to_json(self) -> dict[str, Any]:
        """The three scores, as `demosearch status --json` prints them; an infinite end of an interval is null."""
        return {
            "search_score": self.search_score and self.search_score.to_json(),
            "held_out_score": self.held_out_score and self.held_out_score.to_json(),
            "held_out_gain": self.held_out_gain and self.held_out_gain.to_json(),
        }


@dataclass(frozen=True, slots=True)
class FailedItems:
    """Items that failed for the same cause.

    Attributes:
        stage: "generation" or "verdict".
        cause: the error's kind.
        count: of items that have not succeeded since.
        sample: what one of them met, in a sentence.
    """

    stage: str
    cause: str
    count: int
    sample: str


@dataclass(frozen=True, slots=True)
class Status:
    """How one run stands. `winner` is the best so far until `state` is "finished".

    Attributes:
        trials: told on search questions; `candidates` are the distinct ones among them.
        failures: the most frequent first.
        amended: scores that `retry-failed` added; the search was told of failures in their place.
        win_probability: that what the search found beats the base prompt, as all its scores have it, in [0, 1]. Where
            that was too little, the base prompt is the winner and what was found the runner-up. None before the end,
            and where the search itself ranked the base prompt first.
        lost: what the ledger has lost, in a sentence; "" for nothing.
        succeeds: directory of the search that this one goes on from under another judge; "" for none.
        seen: held-out questions that stand in a demonstration or in a search question, or resemble one.
        has_ledger: where it is missing, spend is not known.
        drafting: what drafts from earlier answers brought.
        extended: under which larger budgets the search has gone on, in a sentence; "" where it has not.
        choice: why the winner won, or leads so far; None while only the base prompt is ranked.
        screening: what a cheap judge that was asked first has done; None where nobody was.
        may_go_on: whether a search that has stopped can go on.
    """

    run: str
    state: State
    reason: str
    trials: int
    winner: Standing | None
    runner_up: Standing | None
    base: Standing | None
    spend: Spend
    failures: tuple[FailedItems, ...] = ()
    amended: int = 0
    win_probability: float | None = None
    seen: int = 0
    lost: str = ""
    succeeds: str = ""
    candidates: int = 0
    choice: Choice | None = None
    extended: str = ""
    has_ledger: bool = True
    screening: ScreeningVerdicts | None = None
    drafting: Drafting = NO_DRAFTING
    may_go_on: bool = True

    def in_words(self, standing: Standing) -> str:
        """A prompt from the top down; the base prompt's own demonstrations, whose ids say nothing, by their number."""
        base, candidate = self.base.demonstrations if self.base else (), standing.candidate
        names = [f"base {base.index(name) + 1}" if name in base else name for name in candidate.demonstrations]
        decoding = "" if candidate.decoding == OWN else f", decoding {candidate.decoding}"
        return (", ".join(names) or "no demonstrations") + decoding

    def to_json(self) -> dict[str, Any]:
        """What `demosearch status --json` prints; an infinite end of an interval is null."""
        scores = self.winner.scores_to_json() if self.winner else {}
        return {
            "run": self.run,
            "state": self.state,
            "reason": self.reason,
            "may_go_on": self.may_go_on,
            "trials": self.trials,
            "candidates": self.candidates,
            "winner": list(self.winner.demonstrations) if self.winner else None,
            "decoding": self.winner.candidate.decoding if self.winner else None,
            "runner_up": _standing_json(self.runner_up),
            **(asdict(self.spend) if self.has_ledger else dict.fromkeys(asdict(self.spend))),
            "failures": [asdict(failure) for failure in self.failures],
            "amended": self.amended,
            "win_probability": self.win_probability,
            "held_out_seen": self.seen,
            "lost": self.lost,
            "extended": self.extended,
            "succeeds": self.succeeds,
            "search_score": scores.get("search_score"),
            "held_out_score": scores.get("held_out_score"),
            "length": self.winner.length if self.winner else None,
            "held_out_gain": scores.get("held_out_gain"),
            "base": _standing_json(self.base),
            "choice": self.choice and self.choice.to_json(),
            "screening": self.screening and self.screening.to_json(),
            "tokens_per_pass": self.drafting.tokens_per_pass,
            "drafts_accepted": self.drafting.accepted_share,
        }


def read_status(path: Path | str) -> Status:
    """Read the run at `path`, never disturbing its coordinator. Raises InputError where there is no run."""
    return status_of(read_search_results(Path(path)))


def status_of(results: SearchResults) -> Status:
    """The short form of a search's results."""
    journal = results.journal
    return Status(
        run=results.path.resolve().name,
        state=results.state,
        reason=results.reason,
        trials=journal.trials,
        winner=_standing(results, journal.winner),
        runner_up=_standing(results, journal.runner_up),
        base=_standing(results, journal.base),
        spend=results.spend,
        failures=by_cause(results.failures),
        amended=results.amended,
        win_probability=journal.end.win_probability if journal.end else None,
        seen=results.manifest.get("contamination", {}).get(SEEN, 0),
        lost=results.lost,
        succeeds=(results.manifest.get("succeeds") or {}).get("directory", ""),
        candidates=len(journal.search),
        choice=explain_choice(results),
        extended=results.extended,
        has_ledger=results.ledger.exists() or not results.lost,
        screening=read_screening(results),
        drafting=read_drafting(results.ledger, results.run),
        may_go_on=read_noted_state(results.path).get("may_go_on", True),
    )


def by_cause(failures: Sequence[Failure]) -> tuple[FailedItems, ...]:
    """Failures of the same kind together, each kind with the latest one's words."""
    return tuple(FailedItems(*kind, len(alike), alike[-1].message) for kind, alike in failures_by_kind(failures))


def failures_by_kind(failures: Sequence[Failure]) -> list[tuple[tuple[str, str], list[Failure]]]:
    """Failures of the same stage and cause together, the most frequent first."""
    kinds: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        kinds.setdefault((failure.stage, failure.cause), []).append(failure)
    return sorted(kinds.items(), key=lambda kind: -len(kind[1]))


def _standing(results: SearchResults, candidate: Candidate | None) -> Standing | None:
    if candidate is None or results.base is None:
        return None
    confidence, nothing = results.confidence, CandidateResults(0)
    search, held_out = results.search.get(candidate, nothing), results.held_out.get(candidate, nothing)
    base = results.held_out.get(results.base, nothing)
    gain = (
        paired_difference(held_out.scores, base.scores, confidence, held_out.bounds)
        if candidate != results.base
        else None
    )
    length = search.mean_length(confidence)
    return Standing(
        candidate=candidate,
        search_score=search.mean(confidence),
        held_out_score=held_out.mean(confidence),
        held_out_gain=gain,
        length=length.mean if length else None,
    )


def _standing_json(standing: Standing | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    return {
        "demonstrations": list(standing.demonstrations),
        "decoding": standing.candidate.decoding,
        "search_score": standing.search_score and standing.search_score.to_json(),
        "held_out_score": standing.held_out_score and standing.held_out_score.to_json(),
        "length": standing.length,
    }
