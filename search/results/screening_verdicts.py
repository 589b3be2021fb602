"""What a cheap judge that was asked first has done for a search."""

from dataclasses import asdict, dataclass
from typing import Any

from evaluators.ledger.queries import read_judges
from search.results.search_results import SearchResults
from search.results.wording import show_many


@dataclass(frozen=True, slots=True)
class ScreeningVerdicts:
    """Verdicts of the judge and of the screening judge, counted.

    Attributes:
        verdicts: of the judge, that this run has paid.
        screening_verdicts: of the screening judge, the same.
        answers: to search questions that the screening judge has scored.
        agreement: of the two, as the search has learnt it: correlation of demonstrations' effects in the eyes of one
            and the other, in [0, 1); None before the end.
    """

    verdicts: int
    screening_verdicts: int
    answers: int
    agreement: float | None

    def to_json(self) -> dict[str, Any]:
        """A part of what `demosearch status --json` prints."""
        return asdict(self)

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
    )
