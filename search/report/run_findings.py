"""What every report says of its run, a search's as an evaluation's."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.evaluation import Failure
from search.report.costs import Costs
from search.report.numbers import Numbers
from search.results.evaluation_results import EvaluationResults
from search.results.evaluation_status import EvaluationStatus
from search.results.reviews import ReviewSummary
from search.results.search_results import SearchResults
from search.results.status import Status, failures_by_kind

_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class FailedAlike:
    """Items that failed at the same stage for the same cause, and have not succeeded since.

    Attributes:
        samples: of their failures, the latest.
    """

    stage: str
    cause: str
    count: int
    samples: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class RunFindings:
    """What the reports of searches and of evaluations share.

    Attributes:
        numbers: how scores are written.
        failures: the most frequent first.
        reviews: by people; None where there are none.
    """

    results: SearchResults | EvaluationResults
    status: Status | EvaluationStatus
    numbers: Numbers
    costs: Costs
    failures: tuple[FailedAlike, ...]
    reviews: ReviewSummary | None


def failed_alike(failures: Sequence[Failure]) -> tuple[FailedAlike, ...]:
    """Failures of the same kind together."""
    return tuple(FailedAlike(*kind, len(alike), tuple(alike[-_SAMPLES:])) for kind, alike in failures_by_kind(failures))
