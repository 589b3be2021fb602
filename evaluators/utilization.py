"""How long everybody was there, and how long they had something to do."""

from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Utilization:
    """Seconds of workers, and of their work.

    Attributes:
        gpus: GPUs held by models, those of judges included, times seconds.
        gpus_busy: of these, while their model had something to do.
        workers: workers of the model that answers, times seconds.
        workers_busy: of these, while they had something to do.
        judge_wanted: while at least one answer waited for its verdict.
        judge_busy: while a judge's service had a request, of several services the one that had some longest; as
            `judge_wanted` where no service judges.
    """

    gpus: float = 0.0
    gpus_busy: float = 0.0
    workers: float = 0.0
    workers_busy: float = 0.0
    judge_wanted: float = 0.0
    judge_busy: float = 0.0

    def __add__(self, other: "Utilization") -> "Utilization":
        return Utilization(*(own + more for own, more in zip(astuple(self), astuple(other), strict=True)))
