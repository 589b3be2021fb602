"""The ledger: every generation and every verdict that was paid for, each on disk before anyone is told.

One SQLite file in write-ahead mode with full synchronisation: an acknowledged row survives kill -9 and loss of power.
Writing is `evaluators.ledger.group_commit`'s; reading is direct.
Failures are noted for people, and never read back as results.
"""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from configs.errors import RunStopped
from evaluators.drafting import NO_DRAFTING, Drafting
from evaluators.evaluation import Failure
from evaluators.judge import Verdict
from evaluators.ledger.beside import LedgersBeside
from evaluators.ledger.file import USAGE, Table, add_dollars, look_up, open_to_write
from evaluators.ledger.group_commit import GroupCommit, Row
from evaluators.ledger.queries import read_spend
from evaluators.ledger.spend import Spend
from evaluators.ledger.storable import storable, storable_usage
from evaluators.ledger.tally import Tally, write_tally
from evaluators.utilization import Utilization
from workers.prompt import Completion
from workers.usage import NOTHING, Usage

UNREADABLE = "VerdictUnreadable"
"""Cause of a verdict that was paid for and could not be read."""

_INSERTS = {
    "prompts": "INSERT OR IGNORE INTO prompts VALUES (?,?,?,?)",
    "generations": "INSERT OR IGNORE INTO generations VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    "judges": "INSERT OR IGNORE INTO judges VALUES (?,?)",
    "verdicts": "INSERT OR IGNORE INTO verdicts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "failures": "INSERT INTO failures VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "beside": "INSERT INTO beside VALUES (?,?,?,?,?,?,?,?)",
    "sessions": "INSERT OR REPLACE INTO sessions VALUES (?,?,?,?,?,?,?,?,?)",
    "drafting": "INSERT OR REPLACE INTO drafting VALUES (?,?,?,?,?)",
}


class Ledger:
    """Opens or creates the ledger at `path` for writing, on behalf of the run named `run`.

    Args:
        tally: where to note how many rows of the run are durable; nowhere when not given.
        neighbours: ledgers of other runs; what they hold is taken over and not asked for again.

    Raises:
        InputError: the file is no ledger, of another version, or cannot be opened.
    """

    def __init__(self, path: Path, run: str, tally: Path | None = None, neighbours: Sequence[Path] = ()) -> None:
        self._run = run
        self._path = path
        self._tally_path = tally
        self._neighbours = LedgersBeside(neighbours)
        self._session = uuid4().hex
        self._time = 0.0, 0.0  # seconds, GPU-seconds of this process
        self._reader = open_to_write(path)
        self._writer = open_to_write(path)
        self._spend = read_spend(path, run)
        self._rows = Counter(generations=self._spend.generated, verdicts=self._spend.judged)  # durable ones
        self._unreadable = _read_unreadable(self._reader)
        self._commits = GroupCommit(path, self._write)

    def completions(self, keys: Sequence[bytes]) -> dict[bytes, Completion]:
        """The stored completions of these generations."""
        columns = "key, text, prompt_tokens, new_tokens, finish, estimated"
        rows = self._look_up(columns, "generations", keys)
        return {row[0]: Completion(row[1], row[2], row[3], row[4], bool(row[5])) for row in rows}

    def verdicts(self, keys: Sequence[bytes]) -> dict[bytes, Verdict]:
        """The stored verdicts among these."""
        columns = f"key, score, words, {USAGE}"
        rows = self._look_up(columns, "verdicts", keys)
        return {row[0]: Verdict(row[1], row[2], Usage(*row[3:])) for row in rows}

    def _look_up(self, columns: str, table: Table, keys: Sequence[bytes]) -> list[tuple[Any, ...]]:
        """Raises RunStopped where the file is damaged: asking anew would pay again for what may still be there."""
        try:
            rows = list(look_up(self._reader, columns, table, keys))
        except (sqlite3.Error, OverflowError) as error:
            raise RunStopped(f"the ledger {self._path} cannot be read ({error}): {_RESTORE}") from error
        stored = {row[0] for row in rows}
        taken = self._neighbours.find(columns, table, [key for key in keys if key not in stored])
        for row in taken.whole:
            self._keep(*row)
        return rows + taken.rows

    def model_of_generations(self, fingerprint: str) -> str:
        """The model that wrote the first completion kept under this fingerprint, by the server's own word; "" where it
        has not said."""
        return self._first(
            "SELECT reply_model FROM generations g JOIN prompts p ON p.digest = g.prompt "
            "WHERE p.model = ? AND reply_model <> '' ORDER BY g.created LIMIT 1",
            fingerprint,
        )

    def model_of_verdicts(self, judge: bytes) -> str:
        """See `model_of_generations`; this one is of the judge with this digest."""
        query = "SELECT reply_model FROM verdicts WHERE judge = ? AND reply_model <> '' ORDER BY created LIMIT 1"
        return self._first(query, judge)

    def has_verdict(self, judge: bytes) -> bool:
        """Whether the judge with this digest has given any verdict."""
        return bool(self._first("SELECT 1 FROM verdicts WHERE judge = ? LIMIT 1", judge))

    def _first(self, query: str, owner: str | bytes) -> str:
        row = self._reader.execute(query, (owner,)).fetchone()
        return "" if row is None else str(row[0])

    def keep_prompt(self, digest: bytes, model: str, decoding: str, prefix: str) -> "asyncio.Future[None]":
        """Keep what a block's prompts share, once. As with every `keep`, the future is done when the row, and
        everything kept before it, is durable; it raises RunStopped when the disk does not take it."""
        return self._keep("prompts", (digest, model, decoding, prefix))

    def keep_completion(
        self, key: bytes, prompt: bytes, question: str, completion: Completion, dollars: float | None = 0.0
    ) -> "asyncio.Future[None]":
        """Keep a completion, with what it cost (None: not known)."""
        tokens = completion.prompt_tokens, completion.new_tokens
        self._pay_model(Usage(0, tokens[0], 0, tokens[1], dollars, int(completion.estimated)), generated=1)
        counts = *tokens, completion.finish, int(completion.estimated)
        row = (key, self._run, prompt, question, completion.text, *counts, dollars, time.time(), completion.model)
        return self._keep("generations", row)

    def keep_beside(self, usage: Usage) -> "asyncio.Future[None]":
        """Note what the model was paid for beside its completions."""
        self._pay_model(usage)
        return self._keep("beside", (self._run, *astuple(usage), time.time()))

    def keep_judge(self, digest: bytes, fingerprint: str) -> "asyncio.Future[None]":
        """Keep what all verdicts of a judge share, once."""
        return self._keep("judges", (digest, fingerprint))

    def keep_verdict(
        self, key: bytes, judge: bytes, question: str, generation: bytes, verdict: Verdict
    ) -> "asyncio.Future[None]":
        """Keep a verdict."""
        self._pay_judge(verdict.usage, judged=1)
        row = (verdict.score, verdict.words, *astuple(verdict.usage), time.time(), verdict.model)
        return self._keep("verdicts", (key, self._run, judge, question, generation, *row))

    def keep_failure(self, key: bytes, failure: Failure, usage: Usage = NOTHING) -> "asyncio.Future[None]":
        """Note a failure for people, and what it cost. A later success under the same key outdates it."""
        self._pay_judge(usage)
        if failure.cause == UNREADABLE:
            self._unreadable[key] += 1
        row = (failure.question, failure.stage, failure.cause, failure.message, *astuple(usage))
        return self._keep("failures", (key, self._run, *row, time.time()))

    def keep_time(
        self, seconds: float, utilization: Utilization, drafting: Drafting = NO_DRAFTING
    ) -> "asyncio.Future[None]":
        """Note how long this process has worked on the run so far, who was there meanwhile, and what drafts brought."""
        self._time = seconds, utilization.gpus
        if drafting.passes:
            self._keep("drafting", (self._session, self._run, *astuple(drafting)))
        return self._keep("sessions", (self._session, self._run, seconds, *astuple(utilization)))

    @property
    def spend(self) -> Spend:
        """What the run has paid for up to now; `failed` only as it was when the ledger was opened."""
        seconds, gpu_seconds = self._time
        return replace(
            self._spend,
            seconds=self._spend.seconds + seconds,
            gpu_seconds=self._spend.gpu_seconds + gpu_seconds,
        )

    def _pay_model(self, usage: Usage, generated: int = 0) -> None:
        usage = storable_usage(usage)
        self._spend = replace(
            self._spend,
            generated=self._spend.generated + generated,
            prompt_tokens=self._spend.prompt_tokens + usage.prompt_tokens,
            new_tokens=self._spend.new_tokens + usage.new_tokens,
            dollars=add_dollars(self._spend.dollars, usage.dollars),
            estimated=self._spend.estimated + usage.estimated,
        )

    def _pay_judge(self, usage: Usage, judged: int = 0) -> None:
        usage = storable_usage(usage)
        self._spend = replace(
            self._spend,
            judged=self._spend.judged + judged,
            judge=self._spend.judge + usage,
            dollars=add_dollars(self._spend.dollars, usage.dollars),
            estimated=self._spend.estimated + usage.estimated,
        )

    def unreadable(self, key: bytes) -> int:
        """How often this verdict has been asked for and could not be read."""
        return self._unreadable[key]

    async def flush(self) -> None:
        """Return when everything kept so far is durable. Raises RunStopped when any of it could not be written."""
        await self._commits.flush()

    def _keep(self, table: Table, row: tuple[Any, ...]) -> "asyncio.Future[None]":
        return self._commits.keep((table, tuple(map(storable, row))))

    def _write(self, rows: list[Row]) -> None:
        with self._writer:
            for table, statement in _INSERTS.items():
                some = [row for name, row in rows if name == table]
                own = [row for row in some if row[1] == self._run]
                if own:
                    self._rows[table] += self._writer.executemany(statement, own).rowcount
                self._writer.executemany(statement, [row for row in some if row[1] != self._run])
        if self._tally_path is not None:
            write_tally(self._tally_path, Tally(self._rows["generations"], self._rows["verdicts"]))

    async def close(self) -> None:
        """Write what waits, also rows whose commit was given up, and close the file. Idempotent.

        Raises:
            RunStopped: any row could not be written, ever.
        """
        try:
            await self._commits.close()
        finally:
            self._writer.close()
            self._reader.close()
            self._neighbours.close()


_RESTORE = "stop whatever else changes it, restore it from a copy, then go on"


def _read_unreadable(ledger: sqlite3.Connection) -> Counter[bytes]:
    query = "SELECT key, count(*) FROM failures WHERE cause = ? GROUP BY key"
    return Counter(dict(ledger.execute(query, (UNREADABLE,))))
