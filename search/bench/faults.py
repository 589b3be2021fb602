"""A deterministic simulation of a search among faults: `python -m search.bench.faults --seeds 200`, `--seed N` replays.

Coordinator, evaluator, panel, journal and ledger are the real ones, model and judge are made up. Time is virtual, so
that the order of everything depends on the seed alone. A search is killed again and again between two steps of its loop
and resumed from a copy of its directory, at times behind a torn line; model and judge are slow or fail for a while.
"""

import argparse
import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

from configs.errors import RunStopped
from evaluators.judge import Verdict
from evaluators.question import Question
from search.bench.fixed_search import run_round
from workers.activity import WorkersActivity
from workers.failures import GenerationFailed
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock
from workers.service.failures import ServiceSilent
from workers.text_model import ModelCard
from workers.usage import Usage

CANDIDATES, QUESTIONS = 4, 4
MOST_SESSIONS = 40
_ILL_SESSIONS = 8  # after these, nothing fails any more


class Killed(BaseException):
    """The process has ended between two steps."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while it waits, and that dies after so many steps."""

    def __init__(self, draw: random.Random, steps: int | None) -> None:
        super().__init__()
        self._draw, self._left, self._virtual = draw, steps, 0.0

    def time(self) -> float:
        return self._virtual

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]  # noqa: ARG002
        """Do the work in this thread, a moment later."""
        done = self.create_future()

        def work() -> None:
            try:
                done.set_result(func(*args))
            except Exception as error:  # whoever waits must hear of it
                done.set_exception(error)

        self.call_later(self._draw.random() * 0.02, work)
        return done

    def _run_once(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Killed
        own: Any = self
        if not own._ready:
            if not own._scheduled:
                raise AssertionError("the search waits for nothing, for ever")
            self._virtual = max(self._virtual, own._scheduled[0]._when)
        own_run: Any = super()
        own_run._run_once()


class Services:
    """A model and a judge: what they have answered, and whether they are well."""

    def __init__(self, draw: random.Random) -> None:
        self.fingerprint = "a judge that counts letters"
        self.answered: list[str] = []
        self.ill = 0.0
        self._draw = draw

    async def start(self) -> Any:
        return ModelCard("a model that counts letters", 100_000, "cpu")

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        return tuple(len(block.prompt(index)) for index in range(len(block.suffixes)))

    async def generate(self, block: PromptBlock, decoding: Decoding) -> AsyncIterator[tuple[int, Completion]]:  # noqa: ARG002 -- TextModel
        for index in range(len(block.suffixes)):
            await self._work(GenerationFailed("every worker was lost"))
            text = f"answer {sum(block.prompt(index).encode()) % 997}"
            self.answered.append(text + block.suffixes[index])
            yield index, Completion(text, 1, 1, "stop")

    async def score(self, block: PromptBlock, continuations: Continuations) -> AsyncIterator[tuple[int, Likelihood]]:
        raise NotImplementedError
        yield block, continuations

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:  # noqa: ARG002 -- Judge
        await self._work(ServiceSilent("no answer"))
        self.answered.append(f"verdict {question.id} {answers}")
        return Verdict(1 + sum(f"{question.id}{answers}".encode()) % 9, "words", Usage(1, 1, 0, 1))

    async def _work(self, failure: Exception) -> None:
        await asyncio.sleep(self._draw.choice((0.0, 0.01, 0.1, 30.0)) * self._draw.random())
        if self._draw.random() < self.ill:
            raise failure

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None: ...

    def activity(self) -> WorkersActivity:
        return WorkersActivity()

    async def close(self) -> None: ...


def simulate(seed: int, folder: Path) -> int:
    """One search among faults against the same one without. Returns the sessions that it took.

    Raises:
        AssertionError: an invariant does not hold.
    """
    whole = folder / "whole"
    whole.mkdir()
    assert session(whole, Services(_draw(seed)), _draw(seed), None)
    draw = _draw(seed)
    services, path = Services(draw), folder / "0"
    path.mkdir()
    for number in range(1, MOST_SESSIONS):
        is_well = number > _ILL_SESSIONS
        services.ill = 0.0 if is_well else draw.choice((0.0, 0.02, 0.3))
        before, answered = rows(path), len(services.answered)
        has_ended = session(path, services, draw, None if is_well else draw.randrange(1, 600))
        after = rows(path)
        assert before <= after, "a durable row was lost"
        assert len(after) - len(before) <= len(services.answered) - answered, "a row that nobody has answered"
        if has_ended and is_well:
            break
        path = killed_copy(path, folder / str(number), draw)
    else:
        raise AssertionError(f"no end after {MOST_SESSIONS} sessions")
    assert (path / "search.jsonl").read_bytes() == (whole / "search.jsonl").read_bytes(), "another journal"
    asked = len(services.answered)
    assert session(path, services, draw, None)
    assert len(services.answered) == asked, "a durable row was asked for again"
    return number


def _draw(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 -- replays


def session(path: Path, services: Services, draw: random.Random, steps: int | None) -> bool:
    """One process's work on the search; whether it came to its end."""
    loop = VirtualLoop(draw, steps)
    try:
        loop.run_until_complete(run_round(path, "search", services, services, CANDIDATES, QUESTIONS, stop=9))
    except (Killed, RunStopped):
        return False
    finally:
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio would complain of each
            with suppress(BaseException):  # a killed process puts nothing in order
                task.get_coro().close()
        loop.close()
    return True


def killed_copy(path: Path, to: Path, draw: random.Random) -> Path:
    """What a killed process leaves, at times with the beginning of a line that it was writing."""
    to.mkdir()
    for file in path.iterdir():
        if not file.name.endswith(("-shm", ".opening")):
            copyfile(file, to / file.name)
    if draw.random() < 0.3 and (to / "search.jsonl").exists():
        with (to / "search.jsonl").open("ab") as journal:
            journal.write(b'{"search":["d0"'[: draw.randrange(1, 15)])
    return to


def rows(path: Path) -> set[bytes]:
    """Keys of all durable answers and verdicts."""
    if not (path / "ledger.sqlite").exists():
        return set()
    ledger = sqlite3.connect(path / "ledger.sqlite")
    keys = {key for (key,) in ledger.execute("SELECT key FROM generations UNION SELECT key FROM verdicts")}
    ledger.close()
    return keys


def main() -> None:
    """Simulate seeds, and print the first one with which an invariant does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--seed", type=int)
    chosen = parser.parse_args()
    seeds = range(chosen.seeds) if chosen.seed is None else [chosen.seed]
    sessions, memory = 0, Path("/dev/shm")  # noqa: S108 -- a disk in memory: nothing here outlives the process
    for seed in seeds:
        with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
            try:
                sessions += simulate(seed, Path(folder))
            except BaseException:
                print(f"an invariant does not hold: python -m search.bench.faults --seed {seed}")
                raise
    print(f"{len(seeds)} seeds, {sessions} sessions: every invariant holds")


if __name__ == "__main__":
    main()
