"""Everything that a run directory says, read once, without disturbing whoever works on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from configs.schema.run import RunConfig
from search.problem.candidate import OWN, Candidate
from search.problem.material import Material
from search.results.status import Status, read_status
from search.run_directory.amendments import amended
from search.run_directory.journal import Line, read_journal
from search.run_directory.run import ledger_path, read_config, read_manifest, read_material
from search.statistics.estimates import Estimate, estimate, paired_difference
from workers.prompt import Decoding

Side = Literal["search", "held_out"]
SIDES: Mapping[Side, str] = {"search": "guiding", "held_out": "held-out"}


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of one candidate on one side of the split, all its trials together.

    Attributes:
        place: of its first trial among those of its side, from 0.
        scores: by question id, of trials that have a mean.
        failures: by question id, the cause, of questions without a score.
        lengths: of the answers, by question id, in characters.
        turns: by question id, the scores by turn where there are several.
    """

    place: int
    scores: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    turns: dict[str, list[float | None]] = field(default_factory=dict)

    def add(self, line: Line) -> None:
        """Take a further trial."""
        if line["mean"] is not None:
            self.scores.update(line["scores"])
            self.lengths.update(line["lengths"])
            self.turns.update(line.get("turns", {}))
        self.failures.update(line["failures"])
        for name in self.scores.keys() & self.failures.keys():
            del self.failures[name]

    def mean(self, confidence: float) -> Estimate | None:
        """None where nothing was scored."""
        return estimate([*self.scores.values()], confidence, len(self.failures))

    def gain(self, base: "Told", confidence: float) -> Estimate | None:
        """Paired difference to the base prompt; `failed` are the questions that one of the two has no score for because
        it failed."""
        difference = paired_difference(self.scores, base.scores, confidence)
        return difference and replace(difference, failed=len(self.failures.keys() | base.failures.keys()))

    def gains(self, base: "Told") -> dict[str, float]:
        """Differences to the base prompt, by question that both have a score for."""
        return {name: score - base.scores[name] for name, score in self.scores.items() if name in base.scores}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one run.

    Attributes:
        material: None while the model is still loading for the first time.
        lines: of the journal, with what was scored again later in the place of failures.
        search, held_out: what was told, by candidate, in the order first told.
    """

    path: Path
    status: Status
    config: RunConfig
    manifest: Mapping[str, Any]
    material: Material | None
    lines: Sequence[Line]
    search: Mapping[Candidate, Told]
    held_out: Mapping[Candidate, Told]

    @property
    def confidence(self) -> float:
        return self.config.scoring.confidence

    @property
    def ledger(self) -> Path:
        return ledger_path(self.path, self.config)

    @property
    def base(self) -> Candidate | None:
        """The base prompt, once it has been told of."""
        return next(iter(self.search), None)

    def decoding(self, candidate: Candidate) -> Decoding:
        """That a candidate's answers were decoded with."""
        known: Mapping[str, Any] = {OWN: self.manifest["decoding"]} | self.manifest.get("decodings", {})
        found = known[candidate.decoding]
        return Decoding(**found | {"stop": tuple(found["stop"])})

    def side(self, side: Side) -> Mapping[Candidate, Told]:
        """What was told on one side of the split; the two never meet."""
        return self.search if side == "search" else self.held_out

    def compared_on(self, winner: Candidate) -> Side:
        """Held-out questions where winner and base prompt are scored on them, else guiding ones."""
        return "held_out" if winner in self.held_out and self.base in self.held_out else "search"


def read_evidence(path: Path) -> Evidence:
    """Read the run at `path`. Raises InputError where there is no run."""
    config = read_config(path)
    status = read_status(path)  # before the journal, which may grow meanwhile: all that status names is in it
    told, later = read_journal(path / "journal.jsonl"), read_journal(path / "amendments.jsonl")
    lines = amended(told, later, config.scoring.max_failed_share)
    started = (path / "material.json").exists()
    return Evidence(
        path=path,
        status=status,
        config=config,
        manifest=read_manifest(path),
        material=Material.from_json(read_material(path)) if started else None,
        lines=lines,
        search=_collect(lines, "search"),
        held_out=_collect(lines, "held_out"),
    )


def _collect(lines: Sequence[Line], side: Side) -> dict[Candidate, Told]:
    found: dict[Candidate, Told] = {}
    for line in lines:
        if side in line:
            found.setdefault(Candidate.from_json(line[side]), Told(len(found))).add(line)
    return found
