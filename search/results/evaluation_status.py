"""What is known of an evaluation, in short."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evaluators.drafting import NO_DRAFTING, Drafting
from evaluators.ledger.queries import read_drafting
from evaluators.ledger.spend import Spend
from search.results.alpaca_eval import Place
from search.results.comparison import Result
from search.results.evaluation_results import EvaluationResults, read_evaluation_results
from search.results.status import FailedItems, by_cause
from search.run_directory.state import State


@dataclass(frozen=True, slots=True)
class EvaluationStatus:
    """How one evaluation stands. `results` are those of variants that are through, `places` what AlpacaEval's
    leaderboard would say of them, where its judge has judged, `drafting` what drafts from earlier answers brought."""

    run: str
    state: State
    reason: str
    results: tuple[Result, ...]
    spend: Spend
    failures: tuple[FailedItems, ...]
    places: tuple[Place, ...] = ()
    drafting: Drafting = NO_DRAFTING

    def to_json(self) -> dict[str, Any]:
        """What `demosearch evaluate --json` prints."""
        return {
            "run": self.run,
            "state": self.state,
            "reason": self.reason,
            "variants": [result.to_json() for result in self.results],
            "alpaca_eval": [asdict(place) for place in self.places],
            **asdict(self.spend),
            "failures": [asdict(items) for items in self.failures],
            "tokens_per_pass": self.drafting.tokens_per_pass,
            "drafts_accepted": self.drafting.accepted_share,
        }


def read_evaluation(path: Path | str) -> EvaluationStatus:
    """Read the evaluation at `path`, never disturbing who works on it. Raises InputError where there is none."""
    return evaluation_status_of(read_evaluation_results(Path(path)))


def evaluation_status_of(results: EvaluationResults) -> EvaluationStatus:
    """The short form of an evaluation's results."""
    return EvaluationStatus(
        run=results.path.resolve().name,
        state=results.state,
        reason=results.reason,
        results=results.compared,
        spend=results.spend,
        failures=by_cause(results.failures),
        places=results.places,
        drafting=read_drafting(results.ledger, results.run),
    )
