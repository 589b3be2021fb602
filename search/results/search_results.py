"""Everything that the directory of a search says, read without disturbing whoever works on it; no model, tokenizer, hub
or original file is needed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from configs.errors import InputError
from configs.schema.run import RunConfig
from configs.score_bounds import score_bounds
from search.problem.candidate import OWN, Candidate
from search.problem.material import Material
from search.problem.trial import Side
from search.results.journal_results import JournalResults
from search.results.lost_rows import lost_rows
from search.results.results_by_candidate import ResultsByCandidate
from search.results.run_results import RunResults
from search.run_directory.amendments import Amendments
from search.run_directory.files import Damage, refusing_damage
from search.run_directory.journal import read_journal, read_record_at, read_records
from search.run_directory.records import JournalRecord, TrialRecord
from search.run_directory.run import read_config, read_extensions, read_id
from search.run_directory.state import read_state
from workers.prompt import Decoding


@dataclass(frozen=True)
class SearchResults(RunResults):
    """Results of one search; its state is "finished" also where the coordinator died behind the last record.

    Attributes:
        journal: what the records say together, with what was scored again later in the place of failures.
        later: questions whose scores `retry-failed` added, by side and candidate; the search was told of failures in
            their place.
    """

    config: RunConfig
    journal: JournalResults
    later: Mapping[tuple[Side, Candidate], frozenset[str]]
    _amendments: Amendments
    _stop: int  # of the part of the journal that was read, in bytes

    @property
    def amended(self) -> int:
        """How many scores `retry-failed` added."""
        return sum(map(len, self.later.values()))

    @property
    def base(self) -> Candidate | None:
        return self.journal.base

    @property
    def search(self) -> ResultsByCandidate:
        return self.journal.search

    @property
    def held_out(self) -> ResultsByCandidate:
        return self.journal.held_out

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """Empty while the model is still loading for the first time. Raises InputError where it is lost."""
        return self._read_manifest(bool(self.search), "model", "decoding", "judge", "versions")

    @cached_property
    def material(self) -> Material | None:
        """None while the model is still loading for the first time. Raises InputError where it is lost, or belongs to
        another run."""
        return self._read_material(bool(self.search), self._checked_material)

    def _checked_material(self, content: Mapping[str, Any]) -> Material:
        """Raises ValueError where the journal names what the material has not."""
        material = Material.from_json(content)
        demonstrations, asked = material.demonstrations.keys(), material.questions.keys()
        for side in (self.search, self.held_out):
            named = {name for candidate in side for name in candidate.demonstrations}
            if strange := named - demonstrations or {*side.questions} - asked:
                raise Damage(f"it has no {min(strange)!r}, which the journal names")
        return material

    @cached_property
    def extended(self) -> str:
        """The larger budgets under which the search has gone on, in a sentence; "" where it has not."""
        setting, extensions = self.config.strategy.budget_setting, read_extensions(self.path)
        if not extensions:
            return ""
        steps = ", then ".join(f"{extension.budget:,}" for extension in extensions)
        seen = any(extension.after_end for extension in extensions)
        warning = (
            ", after held-out questions had been scored: extending until a result is good enough makes it look better "
            "than it is"
        )
        return f"The search was extended to strategy.{setting}={steps}{warning if seen else ''}."

    @cached_property
    def lost(self) -> str:
        """What the ledger has lost, in a sentence; "" for nothing. The base prompt's answers are looked up."""
        keys = self.keys("search", self.base) if self.base else {}
        return lost_rows(self.path, self.ledger, self.spend, keys)

    def side(self, side: Side) -> ResultsByCandidate:
        """Results on one side of the split; the two never meet."""
        return self.journal.side(side)

    def decoding(self, candidate: Candidate) -> Decoding:
        """The decoding of a candidate's answers."""
        decodings: Mapping[str, Any] = {OWN: self.manifest["decoding"]} | self.manifest.get("decodings", {})
        with refusing_damage(self.path / "manifest.json"):
            return _DECODING.validate_python(decodings[candidate.decoding])

    def records(self) -> Iterator[JournalRecord]:
        """The records that `journal` rests on, one at a time."""
        for stored in read_records(self.path / "journal.jsonl"):
            if stored.stop > self._stop:
                return
            yield self._amended(stored.record)

    def keys(self, side: Side, candidate: Candidate) -> dict[str, str]:
        """The keys of a candidate's answers and verdicts in the ledger (`AnswerKeys`, as text), by question id."""
        keys: dict[str, str] = {}
        for start in self.side(side)[candidate].starts:
            record = self._amended(read_record_at(self.path / "journal.jsonl", start))
            if isinstance(record, TrialRecord):
                keys |= record.scored.keys
        return keys

    def _amended(self, record: JournalRecord) -> JournalRecord:
        return self._amendments.amended(record) if isinstance(record, TrialRecord) else record


_DECODING = TypeAdapter(Decoding)


def read_search_results(path: Path) -> SearchResults:
    """Read the search at `path`. Raises InputError where there is none, or a file of it cannot be read."""
    config = read_config(path)
    state, reason = read_state(path)  # before the journal, which may grow meanwhile
    amendments = Amendments(read_journal(path / "amendments.jsonl"), config.scoring.max_failed_share)
    journal = JournalResults(bounds=score_bounds(config.scoring, config.judge))
    later: dict[tuple[Side, Candidate], frozenset[str]] = {}
    stop = 0
    for stored in read_records(path / "journal.jsonl", with_keys=False):
        record, stop = stored.record, stored.stop
        if isinstance(record, TrialRecord):
            failed, record = record.scored.failures.keys(), amendments.amended(record)
            if added := failed - record.scored.failures.keys():
                subject = record.side, record.candidate
                later[subject] = later.get(subject, frozenset()) | added
        journal.add(record, stored.start)
    if state == "finished" and journal.end is None:
        raise InputError(
            f"{path / 'journal.jsonl'} has lost lines, since the search has finished: restore it from a copy, or have "
            f"`demosearch resume {path}` write it again, which pays for nothing that the ledger holds"
        )
    extended = sum(extension.after_end for extension in read_extensions(path))
    ended = state != "running" and journal.end is not None and journal.ends > extended
    if state == "finished" and not ended:
        state, reason = "stopped", "extended to a larger budget, which is not used up yet"
    return SearchResults(
        path=path,
        config=config,
        run=read_id(path),
        state="finished" if ended else state,
        reason="" if ended else reason,
        journal=journal,
        later=later,
        _amendments=amendments,
        _stop=stop,
    )
