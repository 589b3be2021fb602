"""Searches of other systems beside ours, on the quickstart's model, with equal judged answers.

    python -m search.bench.peers --dspy ENV/bin/python --opik ENV/bin/python --promptolution ENV/bin/python

Each peer is a Python of an environment that has it (`python -m venv ENV && ENV/bin/pip install dspy`); those that are
not given are left out, Optuna is here already. Prompts, model and judge are the same for all: a set's score is the toy
model's on the 48 held-out questions, which no search sees. Prints Markdown; a toy model's result says nothing of
others.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.progress import track

from configs.errors import InputError
from search.bench.peers.answer_server import AnswerServer, serving
from search.bench.peers.comparison import peers_table
from search.bench.peers.searches import PEERS, PeerOutcome, references_shown, run_ours, run_peer
from search.bench.peers.toy_task import ToyTask
from search.bench.strategy_outcome import STRATEGIES


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m search.bench.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for peer in PEERS:
        here = Path(sys.executable) if peer == "optuna" else None
        parser.add_argument(f"--{peer}", type=Path, default=here, metavar="PYTHON", help=f"that has {peer}")
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=["screening"], help="ours")
    parser.add_argument("--budgets", nargs="+", type=int, default=[600, 2000], help="judged answers")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=Path("peers.json"), help="file for every outcome")
    return parser.parse_args()


def _outcomes(server: AnswerServer, arguments: argparse.Namespace, folder: Path) -> Iterator[PeerOutcome]:
    seeds = range(arguments.seeds)
    tasks: list[tuple[str, str, int, int]] = [
        ("", strategy, budget, seed)
        for strategy, budget, seed in product(arguments.strategies, arguments.budgets, seeds)
    ]
    for peer, (_, methods) in PEERS.items():
        if getattr(arguments, peer) is not None:
            tasks += [(peer, *rest) for rest in product(methods, arguments.budgets, seeds)]
    for seed in seeds:
        yield references_shown(server.task, seed)
    for peer, method, budget, seed in track(tasks, "searches", console=Console(stderr=True)):
        if peer:
            yield run_peer(server, peer, method, budget, seed, getattr(arguments, peer))
        else:
            yield run_ours(server.task, method, budget, seed, folder)


def main() -> None:
    """The command."""
    arguments = _arguments()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # more threads slow a model of this size down
    outcomes: list[PeerOutcome] = []
    with tempfile.TemporaryDirectory() as folder:
        task = ToyTask(Path(folder))
        with serving(task) as server:
            for outcome in _outcomes(server, arguments, Path(folder)):
                outcomes.append(outcome)
                arguments.json.write_text(json.dumps([asdict(done) for done in outcomes], indent=1))
        print(peers_table(outcomes, task.held_out_mean(())))


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))
