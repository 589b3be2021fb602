"""What `retry-failed` has scored since: beside the journal, never in it.

The journal is the path that the strategy took, and a resumed search must take it again; a score that comes later would
lead it elsewhere. So each later score stands in a file of its own, in the journal's format, and whoever reads results
puts the two together.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Side, mean_of
from search.run_directory.journal import Journal
from search.run_directory.records import JournalRecord, TrialRecord

_Subject = tuple[Side, Candidate]


def amendment(side: Side, scored: ScoredTrial) -> TrialRecord:
    """The record of what has been scored of a trial now; its failures stay where they are."""
    return TrialRecord(side, replace(scored, failures={}, mean=None))


@contextmanager
def open_amendments(path: Path) -> Iterator[Journal]:
    """The file at `path`, to append to; made where there is none."""
    with closing(Journal(path, checked=True)) as file:
        file.go_to_end()
        yield file


class Amendments:
    """Later scores, to be put in the place of failures.

    Args:
        max_failed_share: with more failed questions than this share of them, rounded up, a trial has no mean.
    """

    def __init__(self, records: Iterable[JournalRecord], max_failed_share: float) -> None:
        self._max_failed_share = max_failed_share
        self._later: dict[_Subject, list[ScoredTrial]] = {}
        for record in records:
            if isinstance(record, TrialRecord):
                self._later.setdefault((record.side, record.candidate), []).append(record.scored)

    def amended(self, record: TrialRecord) -> TrialRecord:
        """The record with later scores in the place of its failures, and its mean anew."""
        scored = record.scored
        if not scored.failures or scored.trial.screening:
            return record
        for later in self._later.get((record.side, record.candidate), ()):
            names = [name for name in later.scores if name in scored.failures]
            if names:
                scored = self._merged(scored, later, names)
        return record if scored is record.scored else replace(record, scored=scored)

    def _merged(self, scored: ScoredTrial, later: ScoredTrial, names: list[str]) -> ScoredTrial:
        failures = {name: cause for name, cause in scored.failures.items() if name not in names}
        scores = scored.scores | {name: later.scores[name] for name in names}
        return replace(
            scored,
            scores=scores,
            failures=failures,
            mean=mean_of(scores, len(failures), self._max_failed_share),
            lengths=scored.lengths | {name: later.lengths[name] for name in names if name in later.lengths},
            turns=scored.turns | {name: later.turns[name] for name in names if name in later.turns},
            keys=scored.keys | {name: later.keys[name] for name in names if name in later.keys},
        )


def failed_items(
    records: Iterable[JournalRecord], permanent: frozenset[str]
) -> Iterator[tuple[Side, Candidate, list[str]]]:
    """Side, candidate and failed questions of each record that has some, and is in a result.

    Args:
        permanent: causes that stay, whatever is tried.
    """
    for record in records:
        if isinstance(record, TrialRecord) and not record.scored.trial.screening:
            failures = record.scored.failures.items()
            questions = [name for name, cause in failures if cause not in permanent]
            if questions:
                yield record.side, record.candidate, questions
