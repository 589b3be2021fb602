"""What is known of an evaluation, from its directory alone."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from configs.score_bounds import score_bounds
from evaluators.ledger.queries import read_failures, read_spend
from evaluators.ledger.spend import Spend
from search.results.alpaca_eval import Place, read_places
from search.results.comparison import Result, VariantResult, compare, read_variant_results
from search.results.status import FailedItems, by_cause
from search.run_directory.run import ledger_path, read_evaluation_config, read_id
from search.run_directory.state import State, read_state


@dataclass(frozen=True, slots=True)
class EvaluationStatus:
    """How one evaluation stands. `results` are those of variants that are through, `outcomes` what they rest on, one
    each; `places` what AlpacaEval's leaderboard would say of them, where its judge has judged."""

    run: str
    state: State
    reason: str
    results: tuple[Result, ...]
    spend: Spend
    failures: tuple[FailedItems, ...]
    places: tuple[Place, ...] = ()
    outcomes: tuple[VariantResult, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As `demosearch evaluate --json` prints it."""
        return {
            "run": self.run,
            "state": self.state,
            "reason": self.reason,
            "variants": [one.to_json() for one in self.results],
            "alpaca_eval": [asdict(one) for one in self.places],
            **asdict(self.spend),
            "failures": [asdict(one) for one in self.failures],
        }


def read_evaluation(path: Path) -> EvaluationStatus:
    """Read the evaluation at `path`, never disturbing who works on it. Raises InputError where there is none."""
    config = read_evaluation_config(path)
    state, reason = read_state(path)
    outcomes, categories = read_variant_results(path / "results.json")
    ledger, name = ledger_path(path, config), read_id(path)
    scoring = config.scoring
    return EvaluationStatus(
        run=path.resolve().name,
        state=state,
        reason=reason,
        results=compare(
            outcomes, categories, scoring.confidence, scoring.max_failed_share, score_bounds(scoring, config.judge)
        ),
        spend=read_spend(ledger, name),
        failures=by_cause(read_failures(ledger, name)),
        places=read_places(path),
        outcomes=tuple(outcomes),
    )
