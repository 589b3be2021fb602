"""What the ledger holds, for people who look back: words, prices, hours. Whoever writes it is not disturbed."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from evaluators.drafting import Drafting
from evaluators.evaluation import Failure
from evaluators.judge import Verdict
from evaluators.ledger.file import STILL_FAILED, Table, add_dollars, look_up, reading
from evaluators.ledger.spend import Spend
from evaluators.utilization import Utilization
from workers.prompt import Completion
from workers.usage import Usage

_USAGE_TOTALS = """count(*), count(dollars), total(calls), total(prompt_tokens), total(cached_tokens),
    total(new_tokens), total(dollars), total(estimated)"""
"""Totals in floating point, exact up to 2^53: a service may claim counts whose integer sum would overflow."""


@dataclass(frozen=True, slots=True)
class JudgeReceipt:
    """What one judge has said to a run, and what that cost; the verdicts that could not be read are not in it."""

    fingerprint: str
    verdicts: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class SpokenVerdict:
    """What a judge said about one answer, and in how many calls and tokens."""

    fingerprint: str
    words: str
    calls: int
    new_tokens: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Tokens generated in a stretch of time.

    Attributes:
        start: seconds since the run's first answer.
        seconds: length of the stretch, > 0.
    """

    start: float
    seconds: float
    tokens: int


def read_completions(path: Path, keys: Sequence[bytes]) -> dict[bytes, Completion]:
    """The stored completions of these generations, whoever paid for them."""
    with reading(path) as ledger:
        rows = look_up(ledger, "key, text, prompt_tokens, new_tokens, finish", "generations", keys) if ledger else ()
        return {row[0]: Completion(*row[1:]) for row in rows}


def read_verdicts(path: Path, keys: Sequence[bytes]) -> dict[bytes, Verdict]:
    """The stored verdicts among these, whoever paid for them; without what they cost."""
    with reading(path) as ledger:
        rows = look_up(ledger, "key, score, words", "verdicts", keys) if ledger else ()
        return {key: Verdict(score, words) for key, score, words in rows}


def read_paid(
    path: Path, generations: Sequence[bytes], verdicts: Sequence[bytes]
) -> tuple[dict[bytes, tuple[Completion, float]], dict[bytes, tuple[Verdict, float]]]:
    """The stored completions and verdicts among these, whoever paid for them, each with the dollars that it has cost; 0
    without a known price."""
    with reading(path) as ledger:
        if ledger is None:
            return {}, {}
        completed = look_up(ledger, "key, dollars, text, prompt_tokens, new_tokens, finish", "generations", generations)
        completions = {key: (Completion(*row), dollars or 0.0) for key, dollars, *row in completed}
        judged = look_up(ledger, "key, dollars, score, words", "verdicts", verdicts)
        return completions, {key: (Verdict(*row), dollars or 0.0) for key, dollars, *row in judged}


def read_models(path: Path) -> list[str]:
    """The fingerprints of all models that have answered prompts."""
    with reading(path) as ledger:
        rows = ledger.execute("SELECT DISTINCT model FROM prompts").fetchall() if ledger else []
    return [str(model) for (model,) in rows]


def read_prices(path: Path, table: Literal["generations", "verdicts"], keys: Sequence[bytes]) -> dict[bytes, float]:
    """The dollars that these rows have cost, whoever paid; those without a known price cost 0 here."""
    with reading(path) as ledger:
        rows = look_up(ledger, "key, dollars", table, keys) if ledger else ()
        return {key: dollars or 0.0 for key, dollars in rows}


def read_judges(path: Path, run: str) -> list[JudgeReceipt]:
    """What each judge that `run` has paid has said and cost, the busiest first."""
    with reading(path) as ledger:
        if ledger is None:
            return []
        verdicts = _rows_of_run(ledger, "verdicts", run)
        digests = f"""
            SELECT v.judge, j.fingerprint FROM (SELECT DISTINCT judge FROM {verdicts}) v
            LEFT JOIN judges j ON j.digest = v.judge ORDER BY v.judge"""  # noqa: S608 -- constants
        totals = f"SELECT {_USAGE_TOTALS} FROM {verdicts} AND judge IS ?"  # noqa: S608 -- constants
        receipts = [  # a pass for each: to group a million rows takes longer
            JudgeReceipt(fingerprint or "unknown", *_usage_of(ledger.execute(totals, (run, digest)).fetchone()))
            for digest, fingerprint in ledger.execute(digests, (run,)).fetchall()
        ]
    return sorted(receipts, key=lambda receipt: -receipt.verdicts)


def read_spoken_verdicts(path: Path, run: str, most: int) -> list[SpokenVerdict]:
    """The latest verdicts of `run` whose judge said something, at most so many."""
    query = """
        SELECT j.fingerprint, v.words, v.calls, v.new_tokens FROM verdicts v JOIN judges j ON j.digest = v.judge
        WHERE v.run = ? AND v.words != '' ORDER BY v.rowid DESC LIMIT ?"""
    with reading(path) as ledger:
        return [SpokenVerdict(*row) for row in ledger.execute(query, (run, most))] if ledger else []


def read_throughput(path: Path, run: str, stretches: int) -> list[Stretch]:
    """Tokens that `run` generated in each of so many equal stretches of time, from its first answer to its last."""
    with reading(path) as ledger:
        if ledger is None:
            return []
        generations = _rows_of_run(ledger, "generations", run)
        first, last = ledger.execute(f"SELECT min(created), max(created) FROM {generations}", (run,)).fetchone()  # noqa: S608 -- constants
        if first is None or last <= first:
            return []
        each = (last - first) / stretches
        query = f"""
            SELECT min(?, CAST((created - ?) / ? AS INTEGER)), CAST(total(new_tokens) AS INTEGER)
            FROM {generations} GROUP BY 1"""  # noqa: S608 -- constants
        tokens = dict(ledger.execute(query, (stretches - 1, first, each, run)).fetchall())
    return [Stretch(number * each, each, tokens.get(number, 0)) for number in range(stretches)]


def read_spend(path: Path, run: str) -> Spend:
    """What `run` has paid for so far, read from the ledger without disturbing whoever writes it."""
    with reading(path) as ledger:
        if ledger is None:
            return Spend()
        generations = """
            SELECT count(*), total(prompt_tokens), total(new_tokens), total(dollars), count(dollars), total(estimated)
            FROM generations WHERE run = ?"""
        generated, read, written, paid, priced, guessed = ledger.execute(generations, (run,)).fetchone()
        _, extra = _usage_totals(ledger, "beside", run)
        judged, judge = _usage_totals(ledger, "verdicts", run)
        _, wasted = _usage_totals(ledger, "failures", run)
        (failed,) = ledger.execute("SELECT count(DISTINCT f.key)" + STILL_FAILED, (run,)).fetchone()
        times = "SELECT total(seconds), total(gpus) FROM sessions WHERE run = ?"
        seconds, gpu = ledger.execute(times, (run,)).fetchone()
    dollars = None if priced < generated else float(paid)
    judge += wasted
    return Spend(
        generated=generated,
        judged=judged,
        failed=failed,
        prompt_tokens=int(read) + extra.prompt_tokens,
        new_tokens=int(written) + extra.new_tokens,
        judge=judge,
        dollars=add_dollars(add_dollars(dollars, extra.dollars), judge.dollars),
        seconds=seconds,
        gpu_seconds=gpu,
        estimated=int(guessed) + extra.estimated + judge.estimated,
    )


def read_utilization(path: Path, run: str) -> Utilization:
    """The utilization of workers while `run` was worked on, all its processes together."""
    sums = ", ".join(f"total({column.name})" for column in fields(Utilization))
    with reading(path) as ledger:
        if ledger is None:
            return Utilization()
        return Utilization(*ledger.execute(f"SELECT {sums} FROM sessions WHERE run = ?", (run,)).fetchone())  # noqa: S608 -- constants


def read_drafting(path: Path, run: str) -> Drafting:
    """What drafts have brought `run`, all its processes together; nothing where the ledger is older than this count."""
    with reading(path) as ledger:
        if ledger is None or not ledger.execute("SELECT 1 FROM sqlite_master WHERE name = 'drafting'").fetchone():
            return Drafting()
        sums = "SELECT total(tokens), total(passes), total(drafted) FROM drafting WHERE run = ?"
        return Drafting(*map(int, ledger.execute(sums, (run,)).fetchone()))


def _rows_of_run(ledger: sqlite3.Connection, table: Table, run: str) -> str:
    """Say `TABLE WHERE run = ?` in the way that is read fastest, in SQL.

    Rows in their order are read three times as fast as those that an index names; of a ledger that is mostly other
    runs', the index names few.
    """
    own, everything = (
        ledger.execute(f"SELECT {count} FROM {table} {of_run}", arguments).fetchone()[0] or 0  # noqa: S608 -- constants
        for count, of_run, arguments in (("count(*)", "WHERE run = ?", (run,)), ("max(rowid)", "", ()))
    )
    return f"{table} {'NOT INDEXED' if 4 * own > everything else ''} WHERE run = ?"


def _usage_totals(ledger: sqlite3.Connection, table: Table, run: str) -> tuple[int, Usage]:
    """Rows, and what they cost together."""
    return _usage_of(ledger.execute(f"SELECT {_USAGE_TOTALS} FROM {table} WHERE run = ?", (run,)).fetchone())  # noqa: S608 -- constants


def _usage_of(totals: Sequence[Any]) -> tuple[int, Usage]:
    rows, priced, calls, read, cached, written, paid, estimated = totals
    counts = int(calls), int(read), int(cached), int(written)
    return rows, Usage(*counts, None if priced < rows else float(paid), int(estimated))


def read_failures(path: Path, run: str) -> list[Failure]:
    """The items of `run` that have failed and not succeeded since, the latest failure of each."""
    columns = "SELECT f.question, f.stage, f.cause, f.message, max(f.created)"
    with reading(path) as ledger:
        query = columns + STILL_FAILED + " GROUP BY f.key ORDER BY f.created"
        rows = ledger.execute(query, (run,)).fetchall() if ledger else []
    return [Failure(*row[:4]) for row in rows]


def last_run(path: Path) -> str | None:
    """The run that generated last; None where nobody has."""
    with reading(path) as ledger:
        query = "SELECT run FROM generations ORDER BY created DESC LIMIT 1"
        row = ledger.execute(query).fetchone() if ledger else None
    return None if row is None else str(row[0])


def knows_prefix(path: Path, prefix: str) -> bool:
    """Whether any prompt with exactly this prefix has been generated from."""
    with reading(path) as ledger:
        query = "SELECT 1 FROM prompts WHERE prefix = ?"
        return ledger is not None and ledger.execute(query, (prefix,)).fetchone() is not None


def read_judged_prompts(path: Path) -> dict[str, dict[tuple[str, str, str], float]]:
    """Return the mean score of each prompt on each question, by what precedes the question in the prompt, then by
    model, judge and question; prompts that were never judged are not in it. An answer that shares the verdict of an
    equal one has its score."""
    with reading(path) as ledger:
        if ledger is None:
            return {}
        prompts = {digest: (model, prefix) for digest, model, prefix in ledger.execute(_PROMPTS)}
        judged: dict[str, dict[tuple[str, str, str], float]] = {}
        for digest, judge, question, score in ledger.execute(_PROMPT_SCORES):
            model, prefix = prompts[digest]
            judged.setdefault(prefix, {})[model, judge.hex(), question] = score
    return judged


_PROMPTS = "SELECT digest, model, prefix FROM prompts ORDER BY digest"
_PROMPT_SCORES = """WITH own AS MATERIALIZED (
        SELECT generation, judge, avg(score) AS score FROM verdicts GROUP BY generation, judge),
    alike AS MATERIALIZED (
        SELECT g.question, g.text, o.judge, avg(o.score) AS score FROM own o JOIN generations g ON g.key = o.generation
        GROUP BY g.question, g.text, o.judge)
    SELECT g.prompt, a.judge, g.question, avg(coalesce(o.score, a.score))
    FROM generations g JOIN prompts p ON p.digest = g.prompt
    JOIN alike a ON a.question = g.question AND a.text = g.text
    LEFT JOIN own o ON o.generation = g.key AND o.judge = a.judge
    GROUP BY g.prompt, a.judge, g.question ORDER BY g.prompt, a.judge, g.question"""
"""An answer's own verdicts come before those of equal answers, which may be another turn's."""
