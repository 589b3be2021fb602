"""An evaluation by AlpacaEval's judge in the words of its leaderboard: win rates, and annotations in its own format."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from evaluators.alpaca_eval import Absent, Annotation, WinRate, annotation, length_controlled_win_rate, win_rate
from evaluators.question import Question
from search.run_directory.files import read_json, refusing_damage, write_json
from search.run_directory.variant_records import VariantRecord

_FILE = "alpaca_eval.json"


@dataclass(frozen=True, slots=True)
class Place:
    """What the leaderboard would say of a variant.

    Attributes:
        win_rate, standard_error: in percent; None where there is nothing to say.
        length_controlled, length_controlled_error: likewise; None where the official package cannot compute it.
        absent: why not.
        n: instructions with a preference.
    """

    name: str
    win_rate: float | None
    standard_error: float | None
    length_controlled: float | None
    length_controlled_error: float | None
    absent: str
    n: int

    def __str__(self) -> str:
        if self.win_rate is None:
            return f"{self.name}: no preference yet"
        text = f"{self.name}: win rate {self.win_rate:.2f}"
        text += f" (standard error {self.standard_error:.2f})" if self.standard_error is not None else ""
        if self.length_controlled is None:
            return f"{text}; length-controlled win rate absent: {self.absent}"
        return f"{text}, length-controlled {self.length_controlled:.2f} ({self.length_controlled_error or 0:.2f})"


def write_places(path: Path, records: Iterable[VariantRecord], questions: Sequence[Question], baseline: str) -> None:
    """Keep the places of all variants, which have just been scored, and their annotations, in the run directory at
    `path`."""
    places: list[Place] = []
    for record in records:
        annotations = list(_annotations(record, questions, baseline))
        write_json(path / f"annotations-{len(places) + 1}.json", {record.name: annotations})
        places.append(_place(record.name, annotations))
    write_json(path / _FILE, {"places": [asdict(place) for place in places]})


def _annotations(record: VariantRecord, questions: Sequence[Question], baseline: str) -> Iterator[Annotation]:
    for question in questions:
        if question.id in record.scored.scores:
            answer = record.scored.answers[question.id][0]
            yield annotation(question, answer, record.scored.scores[question.id], record.name, baseline)


def _place(name: str, annotations: Sequence[Annotation]) -> Place:
    plain, controlled = win_rate(annotations), length_controlled_win_rate(annotations)
    fair = controlled if isinstance(controlled, WinRate) else None
    return Place(
        name=name,
        win_rate=_finite(plain.percent),
        standard_error=_finite(plain.standard_error),
        length_controlled=_finite(fair.percent) if fair else None,
        length_controlled_error=_finite(fair.standard_error) if fair else None,
        absent=controlled.reason if isinstance(controlled, Absent) else "",
        n=plain.count,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def read_places(path: Path) -> tuple[Place, ...]:
    """The inverse of `write_places`; nothing where another judge has judged."""
    content = read_json(path / _FILE)
    with refusing_damage(path / _FILE):
        return _PLACES.validate_python(content["places"]) if content else ()


_PLACES = TypeAdapter(tuple[Place, ...])
