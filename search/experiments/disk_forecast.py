"""The disk that an experiment takes, beside what is free."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from search.experiments.training_forecast import PlannedTrainings
from search.forecast.forecast import Quantity

_BYTES_A_TOKEN = 4.0
_ROW = 600.0  # bytes of keys, counts and indices beside an answer's text


def disk_quantity(quantities: Iterable[Quantity], planned: PlannedTrainings) -> Quantity:
    """The disk in GB of 10^9 bytes, at the fullest instant. Ledger and results hold every answer twice."""
    by_name = {quantity.name: quantity for quantity in quantities}
    answers = {kind: _bytes_of_answers(by_name, kind) for kind in ("about", "at_most")}
    kept, checkpoints = planned.kept_bytes, planned.checkpoint_bytes
    if kept is None or checkpoints is None:
        return Quantity("disk, GB", None, None, None, None, "unknown: set forecast.billion_parameters")
    parts = {"models": kept, "checkpoints, until their trainings are done": checkpoints}
    notes = [f"{number / 1e9:,.3g} for {name}" for name, number in parts.items() if number]
    about, at_most = ((answers[kind] + kept + checkpoints) / 1e9 for kind in ("about", "at_most"))
    present = (planned.present_bytes + _paid_share(by_name) * answers["about"]) / 1e9
    return Quantity("disk, GB", about, at_most, present or None, None, ", ".join(notes))


def _paid_share(by_name: Mapping[str, Quantity]) -> float:
    """The share of answers that are in the ledger already."""
    whole = _planned(by_name, "generations", "about")
    return min(1.0, (by_name["generations"].spent or 0.0) / whole) if whole else 0.0


def _bytes_of_answers(by_name: Mapping[str, Quantity], kind: str) -> float:
    written = _planned(by_name, "new tokens", kind) + _planned(by_name, "judge tokens", kind) / 2
    rows = _planned(by_name, "generations", kind) + _planned(by_name, "verdicts", kind)
    return 2 * written * _BYTES_A_TOKEN + rows * _ROW


def _planned(by_name: Mapping[str, Quantity], name: str, kind: str) -> float:
    """The number of this kind, else the other; 0 where neither is known."""
    quantity = by_name.get(name)
    if quantity is None:
        return 0.0
    number: float | None = getattr(quantity, kind)
    return number if number is not None else quantity.at_most or 0.0


def too_little_disk(disk: Quantity, ledger: Path) -> Iterator[str]:
    """A sentence where the file system has less free space than is still to be written.

    Args:
        ledger: beside which models are kept.
    """
    if disk.at_most is None:
        return
    folder = next(folder for folder in ledger.resolve().parents if folder.exists())
    needed, free = disk.at_most - (disk.spent or 0.0), shutil.disk_usage(folder).free / 1e9
    if needed > free:
        yield (
            f"up to {needed:,.3g} GB are still to be written, and the file system of {folder} has {free:,.3g} "
            "GB free: put ledger_path, beside which models are kept, on a larger one"
        )
