"""How much of what is seen is the judge's own noise, where answers were judged more than once."""

from dataclasses import dataclass
from statistics import variance

from evaluators.ledger.judge_noise import read_judge_noise
from evaluators.objective import Objective
from search.problem.candidate import Candidate
from search.results.search_results import SearchResults


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise of one of the run's judges.

    Attributes:
        spread: standard deviation of a single verdict on one and the same answer, in points.
        answers: that it was asked about more than once.
        share: of the variance of the questions' differences between winner and base prompt, in [0, 1]; what is left is
            due to questions and answers, and no repeat lessens it. None where several judges or turns make a score.
    """

    spread: float
    answers: int
    share: float | None


def judge_noise(results: SearchResults, winner: Candidate | None) -> tuple[Noise, ...]:
    """The noise of the run's judges that were asked again; the one asked most about first."""
    repeats = {fingerprint: count for fingerprint, _, count, _ in results.manifest.get("judge", ())}
    own = [noise for noise in read_judge_noise(results.ledger) if noise.fingerprint in repeats]
    spread = _spread_of_differences(results, winner) if len(repeats) == 1 else 0.0
    return tuple(
        Noise(
            noise.spread,
            noise.answers,
            min(1.0, 2 * noise.spread**2 / repeats[noise.fingerprint] / spread) if spread else None,
        )
        for noise in own
    )


def _spread_of_differences(results: SearchResults, winner: Candidate | None) -> float:
    """Variance of the differences, where one turn makes the score; 0 where there is nothing to compare."""
    weights = Objective.of(results.config.scoring).weights
    if winner is None or results.base is None or sum(weight > 0 for weight in weights) > 1:
        return 0.0
    scored = results.side(results.journal.compared_on(winner))
    first, second = scored[results.base].scores, scored[winner].scores
    differences = [second[name] - first[name] for name in second if name in first]
    return variance(differences) if len(differences) > 1 else 0.0
