"""Our engine beside servers on the same prompts: `python -m workers.bench.servers --help`.

A model answers the quickstart's search questions behind candidates of one to three demonstrations, as a search asks
them: by our engine in this process, and by each server as a worker starts it (`model.engine`). All decode greedily and
write equally many tokens; CPU time is this process's and the server's, with all that it has started. For example

    python -m workers.bench.servers --server "{engine: transformers_serve}" \\
        --server "{engine: llama_cpp, name: toy.gguf, command: [/opt/llama/bin/llama-server]}"
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from configs.schema.model import ModelConfig, StartedServerConfig
from workers.bench.repeats import MATERIAL, candidates
from workers.engines.transformers_engine import TransformersEngine
from workers.messages import Answered, Ended
from workers.prompt import Completion, Decoding, PromptBlock
from workers.started_server.server_engine import ServerEngine
from workers.text_model import BatchingEngine

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ServedAnswers:
    """What a server took to answer, and its answers.

    Attributes:
        seconds: of wall time.
        cpu_seconds: of this process and the server's.
        completions: by candidate and question.
    """

    seconds: float
    cpu_seconds: float
    completions: dict[tuple[int, int], Completion]

    @property
    def tokens(self) -> int:
        return sum(completion.new_tokens for completion in self.completions.values())

    def shared_with(self, other: ServedAnswers) -> float:
        """The share of the answers that are the other's, word for word."""
        same = [completion.text == other.completions[place].text for place, completion in self.completions.items()]
        return sum(same) / len(same)


def answered(engine: BatchingEngine, blocks: Sequence[PromptBlock], new: int, port: int | None) -> ServedAnswers:
    """All candidates in their order; the next one joins as soon as there is room.

    Args:
        port: of the server; None for an engine in this process.
    """
    batch, completions = engine.batch(Decoding(new)), dict[tuple[int, int], Completion]()
    waiting, running = list(enumerate(blocks)), 0
    start, cpu = time.monotonic(), time.process_time() + _cpu_of_server(port)
    while waiting or running:
        while waiting and batch.has_room():
            batch.add(*waiting.pop(0))
            running += 1
        for message in batch.step():
            if isinstance(message, Answered) and isinstance(message.answer, Completion):
                completions[message.job, message.index] = message.answer
            if isinstance(message, Ended):
                running -= 1
                if message.error is not None:
                    raise message.error
    return ServedAnswers(time.monotonic() - start, time.process_time() + _cpu_of_server(port) - cpu, completions)


def _cpu_of_server(port: int | None) -> float:
    """CPU seconds of every process in the session of the server at this port, ended children included."""
    if port is None:
        return 0.0
    stats = dict(_stats())
    sessions = {stat[3] for process, stat in stats.items() if str(port) in _command(process) and stat[3] == process}
    return sum(sum(map(int, stat[11:15])) for stat in stats.values() if stat[3] in sessions) / _TICKS


def _stats() -> Iterator[tuple[str, list[str]]]:
    """Every process's number, and the fields of its `/proc/N/stat` from the state on (proc(5))."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            yield folder.name, (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def _command(process: str) -> list[str]:
    try:
        return Path("/proc", process, "cmdline").read_text(encoding="utf-8").split("\0")
    except OSError:
        return []


def _server(asked: str, model: str) -> StartedServerConfig:
    knobs: dict[str, Any] = {"name": model, "context_tokens": 512} | yaml.safe_load(asked)
    return StartedServerConfig.model_validate(knobs | {"name": str(Path(knobs["name"]).absolute())})


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--server", action="append", default=[], metavar="KNOBS", help="of `model`, as YAML; repeatable"
    )
    parser.add_argument("--trials", type=int, default=40, help="candidates, of 32 questions each")
    parser.add_argument("--new", type=int, default=48, help="tokens that each answer has")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    model = str(MATERIAL / "model")
    blocks = candidates(asked.trials)
    engine = TransformersEngine.load(ModelConfig(name=model, device="cpu", dtype="float32"))
    ours = answered(engine, blocks, asked.new, None)
    print(f"our engine: {ours.cpu_seconds:.2f} CPU s, {ours.seconds:.2f} s for {ours.tokens:,} tokens")
    for knobs in asked.server:
        config = _server(knobs, model)
        server = ServerEngine.load(config)
        theirs = answered(server, blocks, asked.new, server.port)
        cpu, wall = theirs.cpu_seconds / ours.cpu_seconds, theirs.seconds / ours.seconds
        print(
            f"{config.engine}: {theirs.cpu_seconds:.2f} CPU s ({cpu:.1f} times ours), {theirs.seconds:.2f} s "
            f"({wall:.1f} times) for {theirs.tokens:,} tokens; {theirs.shared_with(ours):.1%} of answers are the same"
        )


if __name__ == "__main__":
    main()
