"""What an evaluation has of each variant that is through: a typed record as in a journal, all of them in one file that
says its format's version."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.problem.trial import ScoredTrial
from search.run_directory.file_formats import check_version
from search.run_directory.files import read_json, refusing_damage, write_json
from search.run_directory.records import candidate_from_json, scored_from_json, scored_to_json

RESULTS = "results.json"
VERSION = 2
_AGAIN = "the command that wrote it, given the same directory, writes it again and pays for nothing twice"


@dataclass(frozen=True, slots=True)
class VariantRecord:
    """A variant that is through.

    Attributes:
        scored: what came of all questions; its candidate is the variant's demonstrations.
        not_asked: why it was not put to its model at all; "" where it was.
    """

    name: str
    scored: ScoredTrial
    not_asked: str = ""

    def to_json(self) -> dict[str, Any]:
        """A line of the file."""
        candidate = self.scored.trial.candidate.to_json()
        not_asked = {"not_asked": self.not_asked} if self.not_asked else {}
        return {"variant": self.name, "demonstrations": candidate, **scored_to_json(self.scored), **not_asked}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "VariantRecord":
        """The inverse of `to_json`. Raises KeyError, TypeError or ValueError where the content is no record's."""
        candidate = candidate_from_json(content["demonstrations"])
        return cls(str(content["variant"]), scored_from_json(candidate, content), str(content.get("not_asked", "")))


def write_variant_records(folder: Path, records: Iterable[VariantRecord]) -> None:
    """Keep them in the run directory `folder`, whole or not at all."""
    content = {"results": VERSION, "variants": [record.to_json() for record in records]}
    write_json(folder / RESULTS, content, with_checksum=True)


def read_variant_records(folder: Path) -> dict[str, VariantRecord]:
    """Records by name, in their order; nothing where there is no file.

    Raises:
        InputError: the file has another format, or is damaged.
    """
    content, path = read_json(folder / RESULTS), folder / RESULTS
    if not content:
        return {}
    check_version(path, "results", content.get("results"), VERSION, _AGAIN)
    with refusing_damage(path):
        records = [VariantRecord.from_json(entry) for entry in content["variants"]]
    return {record.name: record for record in records}


def has_version(folder: Path) -> bool:
    """Whether the results in the run directory `folder` say which format they have, or there are none."""
    return not (content := read_json(folder / RESULTS)) or "results" in content
