"""Looking back into a ledger."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from evaluators.judge import Verdict
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import (
    read_completions,
    read_judged_prompts,
    read_judges,
    read_throughput,
    read_verdicts,
)
from workers.prompt import Completion
from workers.usage import Usage


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def kept(path: Path, spans: Sequence[tuple[float, float]], dollars: float | None = 0.5) -> Path:
    """A ledger whose answers came and were judged at these times, each with ten tokens."""

    async def keep() -> None:
        ledger = Ledger(path, "run")
        await ledger.keep_judge(b"j", "a judge")
        for number in range(len(spans)):
            await ledger.keep_completion(key(number), b"p", "q", Completion(f"answer {number}", 5, 10, "stop"))
            verdict = Verdict(float(number), "words", Usage(2, 30, 4, 7, dollars))
            await ledger.keep_verdict(key(100 + number), b"j", "q", key(number), verdict)
        await ledger.close()

    asyncio.run(keep())
    with sqlite3.connect(path) as ledger:
        for number, (answered, judged) in enumerate(spans):
            ledger.execute("UPDATE generations SET created = ? WHERE key = ?", (answered, key(number)))
            ledger.execute("UPDATE verdicts SET created = ? WHERE key = ?", (judged, key(100 + number)))
    ledger.close()
    return path


def test_the_pace_holds_every_token_once(tmp_path: Path) -> None:
    pace = read_throughput(
        kept(tmp_path / "ledger", [(100.0, 101), (104.0, 105), (119.0, 120), (120.0, 121)]), "run", 10
    )
    assert [one.tokens for one in pace] == [10, 0, 10, 0, 0, 0, 0, 0, 0, 20]
    assert {one.seconds for one in pace} == {2.0}


@pytest.mark.parametrize(("price", "paid"), [(0.5, 1.0), (None, None)])
def test_each_judge_has_a_receipt_and_an_unknown_price_stays_unknown(
    price: float | None, paid: float | None, tmp_path: Path
) -> None:
    (judge,) = read_judges(kept(tmp_path / "ledger", [(1.0, 2.0), (2.0, 3.0)], price), "run")
    assert (judge.fingerprint, judge.verdicts, judge.usage) == ("a judge", 2, Usage(4, 60, 8, 14, paid))


def test_answers_and_words_are_found_by_key(tmp_path: Path) -> None:
    path = kept(tmp_path / "ledger", [(1.0, 2.0)])
    assert read_completions(path, [key(0), key(7)]) == {key(0): Completion("answer 0", 5, 10, "stop")}
    assert read_verdicts(path, [key(100)]) == {key(100): Verdict(0.0, "words")}


def test_where_there_is_no_ledger_nothing_has_been_said(tmp_path: Path) -> None:
    nowhere = tmp_path / "none"
    assert not read_completions(nowhere, [key(0)])
    assert not read_verdicts(nowhere, [key(0)])
    assert not read_judges(nowhere, "run")
    assert not read_throughput(nowhere, "run", 10)
    assert not nowhere.exists()


def test_an_answer_without_a_verdict_has_that_of_an_equal_one_to_the_same_question(tmp_path: Path) -> None:
    answers = ["alike", "alike", "alike", "other"]  # the first and second were judged, as answers of other turns are

    async def keep() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        for number, text in enumerate(answers):
            await ledger.keep_prompt(b"%d" % number, "m", "d", f"prompt {number}")
            await ledger.keep_completion(key(number), b"%d" % number, "q", Completion(text, 5, 10, "stop"))
        await ledger.keep_completion(key(7), b"3", "elsewhere", Completion("alike", 5, 10, "stop"))
        for number, score in enumerate((2.0, 6.0)):
            verdict = Verdict(score, "words", Usage(1, 1, 0, 1, 0.0))
            await ledger.keep_verdict(key(100 + number), b"j", "q", key(number), verdict)
        await ledger.close()

    asyncio.run(keep())
    source = ("m", b"j".hex(), "q")
    assert read_judged_prompts(tmp_path / "ledger") == {
        "prompt 0": {source: 2.0},
        "prompt 1": {source: 6.0},
        "prompt 2": {source: 4.0},
    }
