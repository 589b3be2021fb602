"""A whole run as users begin it and go on with it, with every file of its directory, over a simulated network."""

import json
import random
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from configs.loading import load_config
from configs.schema.run import RunConfig
from evaluators.ledger.queries import read_spend
from evaluators.ledger.spend import Spend
from search.bench.faults.network import TIMEOUT, Network
from search.bench.faults.search import DEMONSTRATIONS, FORM, LEDGER, QUESTIONS, RULES, UNSEEN
from search.bench.faults.services import BASE, Bill
from search.prompts.urial import prompt_file
from search.results.status import read_status
from search.run_directory.run import read_id
from search.running.launch import InLoop, launch, resume
from workers.service.http_client import NETWORK

_ADDRESS = "http://127.0.0.1:1/v1"
_SERVICE = {
    "base_url": _ADDRESS,
    "api_key_variable": None,
    "timeout": TIMEOUT,
    "max_retries": 2,
    "outage": 60,
    "dollars_per_million_prompt_tokens": 1,
    "dollars_per_million_new_tokens": 1,
}
_STRATEGIES = (
    {"kind": "random", "trials": 4, "max_demonstrations": 2},
    {"kind": "exhaustive_greedy", "max_demonstrations": 1},
    {"kind": "successive_halving", "evaluations": 16, "max_demonstrations": 1},
)
_QUIET = Console(quiet=True)
_COMPARED = ("state", "trials", "candidates", "winner", "runner_up", "win_probability", "lost")


def write_inputs(folder: Path, *, strategy: int, seed: int, window: int) -> RunConfig:
    """Write what a run reads; its config."""
    base, pool = DEMONSTRATIONS[:BASE], DEMONSTRATIONS[BASE:]
    (folder / "base.txt").write_text(prompt_file(FORM, RULES, base), encoding="utf-8")
    (folder / "rubric.txt").write_text("Rate from 1 to 10.\n{question}\n{answer}\n", encoding="utf-8")
    rows = [{"query": demonstration.query, "answer": demonstration.answer} for demonstration in pool]
    _write_rows(folder / "pool.jsonl", rows)
    for name, questions in (("questions", QUESTIONS), ("unseen", UNSEEN)):
        asked = [{"id": question.id, "query": question.turns[0]} for question in questions]
        _write_rows(folder / f"{name}.jsonl", asked)
    return load_config(
        {
            "model": {
                "engine": "served",
                "server": "openai",
                "context_tokens": 100_000,
                "warm_prefix": False,
                "service": {"model": "model", **_SERVICE},
            },
            "judge": {
                "kind": "rubric",
                "rubric_path": str(folder / "rubric.txt"),
                "service": {"model": "judge", **_SERVICE},
            },
            "base_prompt": {"path": str(folder / "base.txt")},
            "pool": {"path": str(folder / "pool.jsonl")},
            "questions": {
                "path": str(folder / "questions.jsonl"),
                "split": {"held_out_path": str(folder / "unseen.jsonl")},
            },
            "strategy": _STRATEGIES[strategy % len(_STRATEGIES)],
            "decoding": {"max_new_tokens": 300},
            "seed": seed,
            "window": window,
        }
    )


class WholeRun:
    """A run directory with all its files, in one process after the other."""

    paid = True
    pondered = 0.1  # a connection was lost, and the server is asked whether it is still the same

    def __init__(self, config: RunConfig, favours_base: bool, keeps_connections: bool) -> None:
        self._config, self._favours_base, self._keeps_connections = config, favours_base, keeps_connections

    def work(self, path: Path, bill: Bill, draw: random.Random, ill: float) -> Callable[[InLoop], None]:
        """See `Subject`."""
        network = Network(bill, draw, favours_base=self._favours_base, keeps_connections=self._keeps_connections)
        network.ill = ill

        def begin_or_go_on(in_loop: InLoop) -> None:
            random.seed(draw.random())
            token = NETWORK.set(network)
            try:
                if (path / "config.json").exists():
                    resume(path, _QUIET, in_loop=in_loop)
                else:
                    launch(self._config, path, _QUIET, in_loop=in_loop)
            finally:
                NETWORK.reset(token)

        return begin_or_go_on

    def spend(self, path: Path) -> Spend:
        """See `Subject`."""
        return read_spend(path / LEDGER, read_id(path)) if (path / "config.json").exists() else Spend()

    def standing(self, path: Path) -> object:
        """See `Subject`."""
        if not (path / "config.json").exists():
            return None
        status = read_status(path).to_json()
        return {name: status[name] for name in _COMPARED}


def _write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
