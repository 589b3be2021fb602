"""What the ledger holds, for people who look back: words, prices, hours. Whoever writes it is not disturbed."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from evaluators.judge import Verdict
from evaluators.ledger import has_tables, look_up, open_to_read
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


def read_pace(path: Path, run: str, stretches: int) -> list[Pace]:
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
