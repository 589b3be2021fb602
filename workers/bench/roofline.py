"""The least time a device can take: bytes that must be read and products that must be made, against measured rates."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from workers.bench.workload import GenerationWorkload
from workers.shared_prefix.capacity import sizes

OWN = 50  # mean tokens of a question, see `GenerationWorkload`


@dataclass(frozen=True, slots=True)
class Rates:
    """Measured on the device, not read from its data sheet.

    Attributes:
        bandwidth: bytes a second, of a large copy (read and written bytes both count).
        products: floating-point operations a second, of a large matrix product in the model's precision.
    """

    bandwidth: float
    products: float


def rates(device: torch.device, dtype: torch.dtype) -> Rates:
    """The best of several runs of each; seconds of CPU time on a CPU, with the threads there are."""
    gpu = device.type == "cuda"
    source = torch.ones(2**30 if gpu else 2**27, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    size = 8192 if gpu else 768
    left, right = torch.randn(2, size, size, device=device).to(dtype)
    copying = _best(device, lambda: target.copy_(source))
    multiplying = _best(device, lambda: torch.matmul(left, right))
    return Rates(2 * source.numel() / copying, 2 * size**3 / multiplying)


def middle(measured: Sequence[Rates]) -> Rates:
    """The median of each rate: a machine that others use is slower at times."""
    return Rates(
        median(measurement.bandwidth for measurement in measured),
        median(measurement.products for measurement in measured),
    )


def spread(measured: Sequence[Rates]) -> tuple[float, float]:
    """(highest - lowest) / median of bandwidth and products."""
    typical = middle(measured)
    bandwidths, products = (
        [measurement.bandwidth for measurement in measured],
        [measurement.products for measurement in measured],
    )
    return (
        (max(bandwidths) - min(bandwidths)) / typical.bandwidth,
        (max(products) - min(products)) / typical.products,
    )


def _best(device: torch.device, work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(6):
        start = now(device)
        work()
        seconds.append(now(device) - start)
    return min(seconds[1:])


def now(device: torch.device) -> float:
    """Seconds: of wall time when the GPU has done what it was told, of CPU time on a CPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time()


@dataclass(frozen=True, slots=True)
class Need:
    """What a computation must move and compute.

    Attributes:
        bytes: read from memory.
        operations: floating-point.
    """

    bytes: float
    operations: float

    def seconds(self, on: Rates) -> float:
        return max(self.bytes / on.bandwidth, self.operations / on.products)


def decode_need(model: Any, work: GenerationWorkload, *, shared: bool = True) -> Need:
    """All steps of a block: the weights once a step, a row's own keys and values once a row and step, and the prefix's
    once a step, or once a row and step where it is not `shared`."""
    weights = _weights(model)
    own = OWN + work.new / 2  # tokens a row has of its own, on the average step
    prefixes = work.prefix if shared else work.prefix * work.questions
    read = weights * model.dtype.itemsize + _kept(model) * (prefixes + work.questions * own)
    made = 2 * weights * work.questions + _attended(model) * work.questions * (work.prefix + own)
    return Need(work.new * read, work.new * made)


def prefill_need(model: Any, work: GenerationWorkload, *, shared: bool = True) -> Need:
    """Every question, and the prefix once, or once a question where it is not `shared`."""
    weights = _weights(model)
    times = 1 if shared else work.questions
    tokens = times * work.prefix + work.questions * OWN
    seen = times * work.prefix**2 / 2 + work.questions * OWN * work.prefix
    read = weights * model.dtype.itemsize + _kept(model) * tokens
    return Need(read, 2 * weights * tokens + _attended(model) * seen)


def _weights(model: Any) -> int:
    """Numbers multiplied for a token: all but the embedding, of which a token reads one row."""
    return int(sum(p.numel() for p in model.parameters()) - model.get_input_embeddings().weight.numel())


def _attended(model: Any) -> int:
    """Operations for a token to attend to another, in all layers."""
    config = model.config
    return int(4 * config.num_hidden_layers * config.num_attention_heads * config.head_dim)


def _kept(model: Any) -> int:
    """Bytes of a token's keys and values, in all layers."""
    return sizes(model.config, model.dtype.itemsize).kept
