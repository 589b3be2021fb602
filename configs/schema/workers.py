"""What runs the model: this process or Ray."""

from typing import Annotated, Literal

from pydantic import (
    Field,
)

from configs.schema.knobs import Knobs, LocalPath


class RayConfig(Knobs):
    """The cluster the workers live on."""

    address: str | None = None
    """Address of a running cluster (`auto`, `ray://host:10001` or `host:6379`); a local one is started when absent."""
    working_dir: LocalPath | None = None
    """Folder sent to the cluster's nodes; needed where demosearch is not installed on them."""
    autoscaling: bool = False
    """An autoscaler brings nodes for workers that wait: do not refuse what no present node can hold, wait for it
    (`start_timeout`). It brings only what is asked for, so say `workers.count` and `workers.gpus_per_worker`."""


class WorkersConfig(Knobs):
    """The workers that generate."""

    kind: Literal["ray", "local"] = "ray"
    """`ray`: actors, on this machine or on a cluster. `local`: in this process, one model, no Ray."""
    count: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Actors; `auto`: one for every `gpus_per_worker` of the cluster's GPUs, or one where there is no GPU. Nodes that
    join a running cluster later get theirs while the run goes on."""
    max_count: Annotated[int, Field(ge=1)] | None = None
    """`count: auto` makes no more actors than this; no limit when absent."""
    gpus_per_worker: Annotated[float, Field(ge=0, le=64)] | Literal["auto"] = "auto"
    """GPUs (or the fraction of one) an actor takes; `auto`: 1 where the cluster has GPUs, else 0."""
    cpus_per_worker: Annotated[float, Field(ge=0, le=256)] = 1.0
    """CPU cores an actor takes; its torch threads too where there is no GPU."""
    block_size: Annotated[int, Field(ge=1)] = 128
    """Questions behind one prompt that go to one actor together."""
    max_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """How often a block that loses its actor is tried before it counts as failed."""
    start_timeout: Annotated[float, Field(gt=0)] = 1800.0
    """Seconds until the first actor must have a place and have loaded its model; the others join when they have."""
    ray: RayConfig = RayConfig()
