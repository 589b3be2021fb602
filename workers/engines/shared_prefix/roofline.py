"""The least time a device can take: bytes that must be read and products that must be made, against measured rates."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch

from workers.engines.shared_prefix.workload import Workload

OWN = 50  # mean tokens of a question, see `Workload`


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
    """The best of several runs of each."""
    gpu = device.type == "cuda"
    source = torch.ones(2**30 if gpu else 2**27, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    size = 8192 if gpu else 1024
    left, right = torch.randn(2, size, size, device=device).to(dtype)
    copying = _best(device, lambda: target.copy_(source))
    multiplying = _best(device, lambda: torch.matmul(left, right))
    return Rates(2 * source.numel() / copying, 2 * size**3 / multiplying)


def _best(device: torch.device, work: Any) -> float:
    seconds = []
    for _ in range(8):
        start = _now(device)
        work()
        seconds.append(_now(device) - start)
    return min(seconds[2:])


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


@dataclass(frozen=True, slots=True)
class Need:
    """Attributes:
    bytes: read from memory.
    operations: floating-point.
    """

    bytes: float
    operations: float

    def seconds(self, on: Rates) -> float:
        return max(self.bytes / on.bandwidth, self.operations / on.products)


def decode_need(model: Any, work: Workload) -> Need:
    """All steps of a block: the weights and the prefix's keys and values once a step, the rows' own once a row."""
    weights, attended = _weights(model), _attended(model)
    own = OWN + work.new / 2  # tokens a row has of its own, on the average step
    read = weights * model.dtype.itemsize + _kept(model) * (work.prefix + work.questions * own)
    made = 2 * weights * work.questions + attended * work.questions * (work.prefix + own)
    return Need(work.new * read, work.new * made)


def prefill_need(model: Any, work: Workload) -> Need:
    """The prefix once, and every question behind it."""
    weights, attended = _weights(model), _attended(model)
    tokens = work.prefix + work.questions * OWN
    seen = work.prefix**2 / 2 + work.questions * OWN * work.prefix
    return Need(weights * model.dtype.itemsize + _kept(model) * tokens, 2 * weights * tokens + attended * seen)


def _weights(model: Any) -> int:
    """Numbers multiplied for a token: all but the embedding, of which a token reads one row."""
    return int(sum(p.numel() for p in model.parameters()) - model.get_input_embeddings().weight.numel())


def _attended(model: Any) -> int:
    """Operations for a token to attend to another, in all layers."""
    config = model.config
    return int(4 * config.num_hidden_layers * config.num_attention_heads * config.head_dim)


def _kept(model: Any) -> int:
    """Bytes of a token's keys and values, in all layers."""
    config = model.config
    return int(2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * model.dtype.itemsize)
