"""What a cheap judge that was asked first has done for a search."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from configs.plural import show_many
from evaluators.ledger.queries import read_judges
from search.problem.candidate import Candidate
from search.results.search_results import SearchResults
from search.results.wording import show_gain
from search.statistics.intervals import of_difference
from search.statistics.prediction_powered import LEAST, PredictionPowered, Unused, prediction_powered

_WHY_UNUSED: dict[Unused, str] = {
    "few in common": f"both judges have scored fewer than {LEAST} questions in common",
    "few further": f"the screening judge alone has scored fewer than {LEAST}",
    "not Student's": "most of the judge's gains are equal or stand at an end of the scale",
    "no correlation": "the two judges' gains are not seen to go together",
}


@dataclass(frozen=True, slots=True)
class ScreenedGain:
    """A held-out gain by both judges, beside that by the judge alone.

    Attributes:
        role: "winner" or "runner-up".
        powered: with the screening judge's scores of further held-out questions, and by the judge alone.
    """

    role: str
    powered: PredictionPowered

    def to_json(self) -> dict[str, Any]:
        """A part of what `demosearch status --json` prints."""
        powered = self.powered
        return {
            "role": self.role,
            "gain": powered.mean.to_json(),
            "plain": powered.plain.to_json(),
            "weight": powered.weight,
            "correlation": powered.correlation,
            "n_common": powered.common,
            "n_further": powered.further,
            "width": powered.width,
            "unused": powered.unused,
        }

    def sentence(self) -> str:
        """All of it, for people: prose with a full stop."""
        powered = self.powered
        further = f"screening judge's scores of {show_many(powered.further, 'further held-out question')}"
        agreement = f"both have scored {show_many(powered.common, 'question')}"
        if powered.correlation is not None:
            agreement += f", over which their gains correlate by {powered.correlation:.2f}"
        if powered.unused:
            why = _WHY_UNUSED[powered.unused]
            return f"The {further} do not narrow the interval of the {self.role}'s held-out gain: {why} ({agreement})."
        return (
            f"With the {further}, the {self.role}'s held-out gain is {show_gain(powered.mean)} instead of "
            f"{show_gain(powered.plain)}, an interval {powered.width:.2f} times as wide (prediction-powered inference; "
            f"{agreement})."
        )


@dataclass(frozen=True, slots=True)
class ScreeningVerdicts:
    """Verdicts of the judge and of the screening judge, counted.

    Attributes:
        verdicts: of the judge, that this run has paid.
        screening_verdicts: of the screening judge, the same.
        answers: to search questions that the screening judge has scored.
        agreement: of the two, as the search has learnt it: correlation of demonstrations' effects in the eyes of one
            and the other, in [0, 1); None before the end.
        gains: held-out gains by both, the winner's first; none where the screening judge scores no held-out question.
    """

    verdicts: int
    screening_verdicts: int
    answers: int
    agreement: float | None
    gains: tuple[ScreenedGain, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A part of what `demosearch status --json` prints."""
        return asdict(self) | {"gains": [gain.to_json() for gain in self.gains]}

    def sentence(self) -> str:
        """All of it, for people."""
        sentence = (
            f"{show_many(self.answers, 'answer')} scored by the screening judge, which gave "
            f"{show_many(self.screening_verdicts, 'verdict')}; the judge gave {self.verdicts:,}"
        )
        if self.agreement is None:
            return sentence
        return f"{sentence}; what demonstrations do in the eyes of the two correlates by about {self.agreement:.2f}"


def read_screening(results: SearchResults) -> ScreeningVerdicts | None:
    """None for a search whose judge was asked alone."""
    first = {fingerprint for fingerprint, *_ in results.manifest.get("screening_judge", ())}
    if not first:
        return None
    counts = {receipt.fingerprint: receipt.verdicts for receipt in read_judges(results.ledger, results.run)}
    screening = sum(count for fingerprint, count in counts.items() if fingerprint in first)
    journal = results.journal
    return ScreeningVerdicts(
        verdicts=sum(counts.values()) - screening,
        screening_verdicts=screening,
        answers=len(journal.screening.all_scores),
        agreement=journal.end.agreement if journal.end else None,
        gains=tuple(_gains(results)),
    )


def _gains(results: SearchResults) -> Iterator[ScreenedGain]:
    for role, candidate in (("winner", results.journal.winner), ("runner-up", results.journal.runner_up)):
        gain = None if candidate == results.base else _gain(results, role, candidate)
        if gain is not None:
            yield gain


def _gain(results: SearchResults, role: str, candidate: Candidate | None) -> ScreenedGain | None:
    """None where one of the two judges has not scored candidate and base prompt on questions of its own."""
    base, sides = results.base, (results.held_out, results.journal.screened_held_out)
    if candidate is None or base is None or not all(base in side and candidate in side for side in sides):
        return None
    judged, screened = (side[candidate].gains(side[base]) for side in sides)
    plain = sides[0][candidate].gain(sides[0][base], results.confidence)
    powered = prediction_powered(judged, screened, results.confidence, of_difference(results.journal.bounds))
    if plain is None or powered is None:
        return None
    with_failed = replace(powered, plain=plain, mean=replace(powered.mean, failed=plain.failed))
    return ScreenedGain(role, with_failed)
