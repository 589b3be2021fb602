"""How many verdicts another reading would change."""

import asyncio
import json
from pathlib import Path

from evaluators.judge import Verdict
from evaluators.judge_tools.grading import DISTRIBUTION
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import SpokenVerdict, read_spoken_verdicts
from evaluators.pipeline.readings import ReadingDifference, reading_differences
from workers.usage import Usage

MT_BENCH = json.dumps({"kind": "mt_bench", "rating": "decision", "max_tokens": 100})
FIRST = json.dumps({"kind": "mt_bench", "rating": "first", "max_tokens": 100})
RUBRIC = json.dumps({"kind": "rubric", "rating": "decision", "max_tokens": 9, "scale": [0, 1, r"score: (\\S+)"]})
PAIR = json.dumps({"kind": "pairwise", "rating": "expected", "max_tokens": 100, "ours": "B"})


def _said(fingerprint: str, *words: str) -> list[SpokenVerdict]:
    return [SpokenVerdict(fingerprint, text, 1, 8) for text in words]


def test_verdicts_that_another_reading_changes_are_counted_by_judge() -> None:
    verdicts = [
        *_said(MT_BENCH, "Rating: [[7]]", '"Rating: [[10]]" it says. Rating: [[2]]'),
        *_said(FIRST, "Rating: [[7]]", "<think>[[3]]</think> [[9]]", "[[3]] or [[4]]"),
        *_said(RUBRIC, "score: 0.5"),
        *_said(PAIR, f"[[A]]{DISTRIBUTION}{{}}"),
    ]
    assert reading_differences(verdicts) == [
        ReadingDifference(MT_BENCH, 2, 1, False),
        ReadingDifference(FIRST, 3, 2, True),
        ReadingDifference(RUBRIC, 1, 0, False),
        ReadingDifference(PAIR, 1, 0, False),
    ]


def test_a_verdict_as_long_as_its_judge_may_write_was_cut_off() -> None:
    cut = SpokenVerdict(FIRST, "Rating: [[7]] because", 1, 100)
    assert [reading.differ for reading in reading_differences([cut])] == [1]


def test_judges_that_give_no_ratings_in_words_and_words_of_nobody_are_left_out() -> None:
    others = [
        "a fingerprint",
        "[]",
        json.dumps({"kind": "function"}),
        json.dumps({"kind": "rubric", "rating": "first"}),
    ]
    assert reading_differences([SpokenVerdict(fingerprint, "[[7]]", 1, 8) for fingerprint in others]) == []


def test_the_latest_words_of_a_run_are_read_from_its_ledger(tmp_path: Path) -> None:
    async def fill() -> None:
        for run in ("mine", "other"):
            ledger = Ledger(tmp_path / "ledger.sqlite", run)
            ledger.keep_judge(b"judge", MT_BENCH)
            for number, words in enumerate(["", "[[7]]", "[[8]]"]):
                key = f"{run} {number}".encode()
                ledger.keep_verdict(key, b"judge", "q", b"generation", Verdict(7.0, words, Usage(1, 5, 0, 3)))
            await ledger.flush()
            await ledger.close()

    asyncio.run(fill())
    assert read_spoken_verdicts(tmp_path / "ledger.sqlite", "mine", 10) == [
        SpokenVerdict(MT_BENCH, "[[8]]", 1, 3),
        SpokenVerdict(MT_BENCH, "[[7]]", 1, 3),
    ]
    assert len(read_spoken_verdicts(tmp_path / "ledger.sqlite", "mine", 1)) == 1
    assert read_spoken_verdicts(tmp_path / "nothing.sqlite", "mine", 1) == []
