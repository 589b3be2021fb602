"""How long a contender will take, from what it took before."""

from __future__ import annotations

from typing import Any

from workers.bench.roofline import Rates, decode_need, prefill_need
from workers.bench.suite import AGREEMENT
from workers.bench.workload import GenerationWorkload

FIRST_GUESS = {"ours": 0.3, "plain": 0.25, "expanded": 0.2, "generate_batch": 0.05, AGREEMENT: 0.12}
"""Share of its own roofline that a contender reaches, until one of its runs is known."""


class RunTimeForecast:
    """A contender reaches about the same share of its own roofline from one workload to the next.

    Args:
        model: the one measured.
        on: rates of the device.
    """

    def __init__(self, model: Any, on: Rates) -> None:
        self._model = model
        self._on = on
        self._reached: dict[str, float] = dict(FIRST_GUESS)

    def seconds(self, method: str, work: GenerationWorkload) -> float:
        return self._least(method, work) / self._reached[method]

    def learn(self, method: str, work: GenerationWorkload, seconds: float) -> None:
        """What a run took."""
        self._reached[method] = self._least(method, work) / seconds

    def _least(self, method: str, work: GenerationWorkload) -> float:
        """Only ours reads the prefix's keys and values once a step; plain, and prompts alone, read even its tokens anew
        for each question. Prompts alone are given as a workload of one question each."""
        prefill = prefill_need(self._model, work, shared=method not in ("plain", AGREEMENT))
        decode = decode_need(self._model, work, shared=method == "ours")
        return prefill.seconds(self._on) + decode.seconds(self._on)
