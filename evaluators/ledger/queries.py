"""What the ledger holds, for people who look back: words, prices, hours. Whoever writes it is not disturbed."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from evaluators.evaluation import Failure
from evaluators.judge import Verdict
from evaluators.ledger.file import STILL_FAILED, USAGE, Table, add_dollars, has_tables, look_up, open_to_read
from evaluators.ledger.spend import Spend
from evaluators.utilization import Utilization
from workers.prompt import Completion
from workers.usage import Usage


@dataclass(frozen=True, slots=True)
class JudgeReceipt:
    """What one judge has said to a run, and what that cost; the verdicts that could not be read are not in it."""

    fingerprint: str
    verdicts: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class JudgeNoise:
    """How far verdicts of one judge on one and the same answer lie apart.

    Attributes:
        answers: that it was asked about more than once.
        spread: standard deviation of a single verdict, in points, pooled over them.
    """

    fingerprint: str
    answers: int
    spread: float


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens generated in a stretch of time.

    Attributes:
        start: seconds since the run's first answer.
        seconds: length of the stretch, > 0.
    """

    start: float
    seconds: float
    tokens: int


def read_completions(path: Path, keys: Sequence[bytes]) -> dict[bytes, Completion]:
    """Those of these generations that are known, whoever paid for them."""
    with _reading(path) as ledger:
        rows = look_up(ledger, "key, text, prompt_tokens, new_tokens, finish", "generations", keys) if ledger else ()
        return {row[0]: Completion(*row[1:]) for row in rows}


def read_verdicts(path: Path, keys: Sequence[bytes]) -> dict[bytes, Verdict]:
    """Those of these verdicts that are known, whoever paid for them; without what they cost."""
    with _reading(path) as ledger:
        rows = look_up(ledger, "key, score, words", "verdicts", keys) if ledger else ()
        return {key: Verdict(score, words) for key, score, words in rows}


def read_judges(path: Path, run: str) -> list[JudgeReceipt]:
    """Of every judge that `run` has paid, the busiest first."""
    query = """
        SELECT j.fingerprint, count(*), sum(calls), sum(prompt_tokens), sum(cached_tokens), sum(new_tokens),
               CASE WHEN count(dollars) = count(*) THEN sum(dollars) END, sum(estimated)
        FROM verdicts v LEFT JOIN judges j ON j.digest = v.judge
        WHERE run = ? GROUP BY v.judge ORDER BY count(*) DESC"""
    with _reading(path) as ledger:
        rows = ledger.execute(query, (run,)).fetchall() if ledger else []
    return [JudgeReceipt(fingerprint or "unknown", verdicts, Usage(*usage)) for fingerprint, verdicts, *usage in rows]


def read_judge_noise(path: Path) -> list[JudgeNoise]:
    """Of every judge that was asked about an answer more than once, whoever paid for it."""
    query = """
        SELECT j.fingerprint, count(*), sum(square) / sum(verdicts - 1)
        FROM (SELECT judge, count(*) verdicts, sum(score * score) - sum(score) * sum(score) / count(*) square
              FROM verdicts GROUP BY judge, question, generation HAVING count(*) > 1) v
        LEFT JOIN judges j ON j.digest = v.judge GROUP BY v.judge ORDER BY count(*) DESC"""
    with _reading(path) as ledger:
        rows = ledger.execute(query).fetchall() if ledger else []
    return [
        JudgeNoise(fingerprint or "unknown", answers, max(0.0, variance) ** 0.5)
        for fingerprint, answers, variance in rows
    ]


def read_throughput(path: Path, run: str, stretches: int) -> list[Pace]:
    """Tokens that `run` generated in each of so many equal stretches of time, from its first answer to its last."""
    with _reading(path) as ledger:
        query = "SELECT min(created), max(created) FROM generations WHERE run = ?"
        first, last = ledger.execute(query, (run,)).fetchone() if ledger else (None, None)
        if ledger is None or first is None or last <= first:
            return []
        each = (last - first) / stretches
        query = """
            SELECT min(?, CAST((created - ?) / ? AS INTEGER)), sum(new_tokens)
            FROM generations WHERE run = ? GROUP BY 1"""
        tokens = dict(ledger.execute(query, (stretches - 1, first, each, run)).fetchall())
    return [Pace(number * each, each, tokens.get(number, 0)) for number in range(stretches)]


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """None where nothing has been kept yet."""
    if not has_tables(path):
        yield None
        return
    with closing(open_to_read(path)) as ledger:
        yield ledger


def read_spend(path: Path, run: str) -> Spend:
    """What `run` has paid for so far, read from the ledger without disturbing whoever writes it."""
    if not has_tables(path):
        return Spend()
    with closing(open_to_read(path)) as ledger:
        generations = (
            "SELECT count(*), sum(prompt_tokens), sum(new_tokens), sum(dollars), count(dollars), sum(estimated)"
        )
        generated, read, written, paid, priced, guessed = _totals(
            ledger, generations + " FROM generations WHERE run = ?", run
        )
        _, beside = _usage_totals(ledger, "beside", run)
        judged, judge = _usage_totals(ledger, "verdicts", run)
        _, wasted = _usage_totals(ledger, "failures", run)
        (failed,) = _totals(ledger, "SELECT count(DISTINCT f.key)" + STILL_FAILED, run)
        seconds, gpu = _totals(ledger, "SELECT sum(seconds), sum(gpus) FROM sessions WHERE run = ?", run)
    dollars = None if priced < generated else float(paid)
    judge += wasted
    return Spend(
        generated=generated,
        judged=judged,
        failed=failed,
        prompt_tokens=read + beside.prompt_tokens,
        new_tokens=written + beside.new_tokens,
        judge=judge,
        dollars=add_dollars(add_dollars(dollars, beside.dollars), judge.dollars),
        seconds=seconds,
        gpu_seconds=gpu,
        estimated=guessed + beside.estimated + judge.estimated,
    )


def read_utilization(path: Path, run: str) -> Utilization:
    """Who was there while `run` was worked on, all its processes together."""
    if not has_tables(path):
        return Utilization()
    sums = ", ".join(f"sum({one.name})" for one in fields(Utilization))
    with closing(open_to_read(path)) as ledger:
        return Utilization(*_totals(ledger, f"SELECT {sums} FROM sessions WHERE run = ?", run))  # noqa: S608 -- constants


def _usage_totals(ledger: sqlite3.Connection, table: Table, run: str) -> tuple[int, Usage]:
    """Rows, and what they cost together."""
    sums = ", ".join(f"sum({column})" for column in USAGE.split(", "))
    query = f"SELECT count(*), count(dollars), {sums} FROM {table} WHERE run = ?"  # noqa: S608 -- constants
    rows, priced, calls, read, cached, written, paid, estimated = _totals(ledger, query, run)
    return rows, Usage(calls, read, cached, written, None if priced < rows else float(paid), estimated)


def _totals(ledger: sqlite3.Connection, query: str, run: str) -> list[Any]:
    """The sums of a query's only row; sums over nothing are 0."""
    return [value or 0 for value in ledger.execute(query, (run,)).fetchone()]


def read_failures(path: Path, run: str) -> list[Failure]:
    """The items of `run` that have failed and not succeeded since, the latest failure of each."""
    if not has_tables(path):
        return []
    with closing(open_to_read(path)) as ledger:
        columns = "SELECT f.question, f.stage, f.cause, f.message, max(f.created)"
        rows = ledger.execute(columns + STILL_FAILED + " GROUP BY f.key ORDER BY f.created", (run,)).fetchall()
    return [Failure(*row[:4]) for row in rows]


def last_run(path: Path) -> str | None:
    """The run that generated last; None where nobody has."""
    if not has_tables(path):
        return None
    with closing(open_to_read(path)) as ledger:
        row = ledger.execute("SELECT run FROM generations ORDER BY created DESC LIMIT 1").fetchone()
    return None if row is None else str(row[0])


def knows_prefix(path: Path, prefix: str) -> bool:
    """Whether any prompt with exactly this prefix has been generated from."""
    with closing(open_to_read(path)) as ledger:
        return ledger.execute("SELECT 1 FROM prompts WHERE prefix = ?", (prefix,)).fetchone() is not None
