"""One search on the toy task, ours or a peer's, and what became of it."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

from configs.errors import InputError
from search.bench.peers.answer_server import AnswerServer
from search.bench.peers.toy_task import ToyTask
from search.bench.simulation import simulate
from search.bench.strategy_outcome import config_of
from search.prompts.demonstration import Demonstration
from search.strategies.make import make_strategy

PEERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "optuna": ("optuna_peer.py", ("tpe",)),
    "dspy": ("dspy_peer.py", ("labeled", "random_search", "mipro")),
    "opik": ("opik_peer.py", ("few_shot_bayesian",)),
    "adalflow": ("adalflow_peer.py", ("bootstrap_few_shot",)),
    "promptolution": ("promptolution_peer.py", ("capo",)),
}
"""Script and methods of each; the script runs in an environment that has the package."""
_WINDOW = 8  # the quickstart's


@dataclass(frozen=True, slots=True)
class PeerOutcome:
    """One search.

    Attributes:
        system: with its version.
        budget: judged answers that it was given.
        used: judged answers that it took.
        size: demonstrations that it added.
        held_out: true mean score of its set on the held-out questions.
    """

    system: str
    method: str
    budget: int
    seed: int
    used: int
    size: int
    held_out: float


def run_ours(task: ToyTask, strategy: str, budget: int, seed: int, folder: Path) -> PeerOutcome:
    """Our own search by this strategy, nothing tuned but its budget."""
    config = config_of(strategy, task.space, budget)
    made = make_strategy(config, task.space, seed, task.plan.material, folder)
    done = simulate(made, task, task.space, _WINDOW)
    return PeerOutcome(
        system=f"demosearch {version('demosearch')}",
        method=strategy,
        budget=budget,
        seed=seed,
        used=done.evaluations,
        size=len(task.space.added(done.best)),
        held_out=done.found_truth,
    )


def run_peer(server: AnswerServer, peer: str, method: str, budget: int, seed: int, python: Path) -> PeerOutcome:
    """A peer's search in the environment of this Python. Raises InputError where it fails."""
    name = f"{peer} {method} {budget} {seed}"
    script = Path(__file__).with_name(PEERS[peer][0])
    command = [str(python), str(script), server.address, name, method, str(budget), str(seed)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own scripts
    except OSError as error:
        raise InputError(f"{python} cannot be started ({error.strerror}): give the Python that has {peer}") from error
    if done.returncode != 0:
        raise InputError(f"{peer}'s search failed in {python}:\n{done.stderr[-2000:]}")
    chosen: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    by_id = {shown.id: shown for shown in server.task.plan.material.pool}
    return PeerOutcome(
        system=f"{peer} {chosen['version']}",
        method=method,
        budget=budget,
        seed=seed,
        used=server.counts[name],
        size=len(chosen["demonstrations"]),
        held_out=server.task.held_out_mean([by_id[name] for name in chosen["demonstrations"]]),
    )


def references_shown(task: ToyTask, seed: int) -> PeerOutcome:
    """No search at all: search questions with their references as demonstrations, drawn at random."""
    drawn = Random(seed).sample(task.plan.material.search, task.space.max_added)  # noqa: S311 -- no secret
    shown = [Demonstration(asked.id, asked.query, asked.reference(0) or "") for asked in drawn]
    return PeerOutcome("no search", "references shown", 0, seed, 0, len(shown), task.held_out_mean(shown))
