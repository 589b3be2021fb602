"""How many workers of which size, and whether the cluster can hold them at all. Pure arithmetic over its nodes."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor

from configs.errors import InputError
from configs.schema.workers import WorkersConfig

Node = Mapping[str, float]
"""What a node has: `{"CPU": 8.0, "GPU": 1.0, ...}`, in use or not."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Workers and what each of them gets.

    Attributes:
        count: workers.
        gpus: of each; a fraction below 1, or a whole number.
        cpus: cores of each.
    """

    count: int
    gpus: float
    cpus: float

    def __str__(self) -> str:
        return f"{_many(self.count, 'worker')} of {self.each()}"

    def each(self) -> str:
        return f"{_many(self.gpus, 'GPU')} and {_many(self.cpus, 'CPU core')}"


def place(config: WorkersConfig, nodes: Sequence[Node]) -> Placement:
    """Resolve what is `auto`.

    Raises:
        InputError: no node can hold one worker, or the nodes together cannot hold all, and no autoscaler brings more.
    """
    gpus, cpus = _gpus_each(config, nodes), config.cpus_per_worker
    single = Placement(1, gpus, cpus)
    wanted = Placement(_count(config, gpus, nodes), gpus, cpus)
    if config.ray.autoscaling:
        return wanted
    if not room(single, nodes):
        raise InputError(
            f"a worker of {single.each()} fits on no node; there are {describe(nodes)}: "
            "lower workers.gpus_per_worker or workers.cpus_per_worker, add a larger node, or set "
            "workers.ray.autoscaling where an autoscaler will bring one"
        )
    if room(wanted, nodes) < wanted.count:
        raise InputError(
            f"{wanted} each were asked for, but only {room(wanted, nodes)} fit; there are {describe(nodes)}: "
            "lower workers.count, workers.gpus_per_worker or workers.cpus_per_worker"
        )
    return wanted


def room(each: Placement, nodes: Sequence[Node]) -> int:
    """Workers of this size that the nodes hold when nothing else runs on them."""
    return sum(_holds(node, each) for node in nodes)


def grown(config: WorkersConfig, each: Placement, nodes: Sequence[Node]) -> int:
    """Workers of this size that `count: auto` makes of these nodes."""
    if not each.gpus:
        return each.count
    return min(room(each, nodes), config.max_count or sys.maxsize)


def _gpus_each(config: WorkersConfig, nodes: Sequence[Node]) -> float:
    if config.gpus_per_worker == "auto":
        has_gpus = any(node.get("GPU", 0) >= 1 for node in nodes)
        if config.ray.autoscaling and not has_gpus:
            raise InputError(
                "the autoscaler's nodes are not there yet, so what a worker needs cannot be read off them: set "
                "workers.gpus_per_worker (0 for none)"
            )
        return 1.0 if has_gpus else 0.0
    if config.gpus_per_worker > 1 and not float(config.gpus_per_worker).is_integer():
        raise InputError(
            f"workers.gpus_per_worker is {config.gpus_per_worker:g}: give a fraction below 1 or a whole number"
        )
    return config.gpus_per_worker


def _count(config: WorkersConfig, gpus: float, nodes: Sequence[Node]) -> int:
    if config.count != "auto":
        return config.count
    by_gpu = max(1, sum(_by_gpu(node, gpus) for node in nodes)) if gpus else 1
    return min(by_gpu, config.max_count or by_gpu)


def _holds(node: Node, each: Placement) -> int:
    """Workers of this size that the node holds when nothing else runs on it."""
    by_cpu = floor(node.get("CPU", 0) / each.cpus + 1e-9) if each.cpus else each.count
    return min(by_cpu, _by_gpu(node, each.gpus) if each.gpus else by_cpu)


def _by_gpu(node: Node, gpus: float) -> int:
    have = floor(node.get("GPU", 0))
    return have * floor(1 / gpus + 1e-9) if gpus < 1 else floor(have / gpus)


def describe(nodes: Sequence[Node]) -> str:
    """Say what the nodes have, like ones together: "2 nodes with 8 CPU cores and 1 GPU"."""
    kinds = [f"{_many(node.get('CPU', 0), 'CPU core')} and {_many(node.get('GPU', 0), 'GPU')}" for node in nodes]
    counted = [f"{_many(kinds.count(kind), 'node')} with {kind}" for kind in dict.fromkeys(kinds)]
    return ", ".join(counted) or "no nodes"


def _many(number: float, thing: str) -> str:
    return f"{number:g} {thing}" if number == 1 else f"{number:g} {thing}s"
