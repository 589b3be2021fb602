"""What is drawn of work under way."""

import time
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from search.live.snapshot import Snapshot
from search.live.view import Drawing, line
from search.live.wording import show_against
from search.statistics.estimates import Estimate
from tests.search.live.snapshots import of_no_search, snapshot


def drawn(shown: Snapshot, width: int = 140) -> str:
    console = Console(record=True, width=width, file=StringIO())
    console.print(Drawing(shown))
    return console.export_text()


def flat(text: str) -> str:
    return " ".join(text.split())


EVERYWHERE = (
    "searching (sets are tried), 33 candidates scored in 41 trials, 0:14:03 elapsed",
    "3,120 of 9,600 evaluations, 32 %; ETA 12 min (9-17)",
    "7.42 [7.10, 7.74], n=80; +0.52 [+0.20, +0.84] over the base prompt's 6.90 on the same 80 questions",
    "98 prompts in flight, 120 waiting in 3 blocks, 812 tokens/s",
    "40 answers to be judged; judge: 12 of 16 in flight, 28 waiting, rate-limited 2 times",
    "pausing for 7 s",
    "312 reused from the cache, 3,020 generated, 2,950 verdicts",
    "2,950 verdicts, 12 min of work",
    "dollars $1.20 of $20.00 (6 %)",
    "generations 3,020 of 10,000 (30 %)",
    "GPU time 3.90 of 4 h (98 %)",
    "3: 2 PromptTooLong, 1 VerdictUnreadable",
    "idle 3 % of the time, 1 restart",
)


@pytest.mark.parametrize("width", [60, 140])
@pytest.mark.parametrize("size", [1, 64])
def test_everything_is_there_and_nothing_is_cut_off_in_any_width_with_any_number_of_workers(
    width: int, size: int
) -> None:
    text = drawn(snapshot(size), width)
    assert all(len(row) <= width for row in text.splitlines())
    assert "…" not in text
    assert len(text.splitlines()) <= 28
    for part in EVERYWHERE:
        assert flat(part) in flat(text)


def test_few_workers_have_a_line_each_with_what_they_do() -> None:
    text = flat(drawn(snapshot(2)))
    assert "1 block 17 and 1 more, 23 of 40 0:00:12 11 tokens/s idle 10 % node-0 GPU 1" in text
    assert "2 block 18, 23 of 40 0:00:13 22 tokens/s idle 10 % node-0 GPU 2" in text
    assert "block 18, 23 of 40" in drawn(snapshot(2), 60)


def test_many_workers_are_a_map_and_the_ones_that_need_a_look() -> None:
    text = flat(drawn(snapshot(64)))
    assert "58 of 62 busy, 2 not ready" in text
    marks = {mark: text.count(mark) for mark in "■□·"}
    assert marks == {"■": 58, "□": 4, "·": 2}
    assert "slowest: worker 1 on node-0 GPU 1, 11 tokens/s; the median is 361" in text
    assert "longest at it: worker 64 on node-8 GPU 0, block 80, 23 of 40, 0:01:15" in text


def test_a_thousand_workers_still_fit_a_screen() -> None:
    assert len(drawn(snapshot(1000), 60).splitlines()) <= 28


def test_what_is_no_search_has_no_best_and_what_has_just_begun_promises_nothing() -> None:
    text, said = drawn(of_no_search()), line(of_no_search())
    for shown in (text, said):
        assert "best" not in shown
        assert "ETA unknown" in shown


def test_a_gain_on_shared_questions_alone_stands_beside_no_mean_over_others() -> None:
    """Where answers of both failed, on different questions."""
    failed = replace(snapshot(), gain=Estimate(0.52, 0.2, 0.84, 77))
    assert "+0.52 [+0.20, +0.84] over the base prompt on the same 77 questions" in flat(drawn(failed))


def test_a_base_prompt_that_leads_is_named() -> None:
    leads = replace(snapshot(), best=snapshot().base, gain=None)
    assert "6.90 [6.50, 7.30], n=80: the base prompt" in drawn(leads)


def test_a_base_prompt_that_leads_because_nothing_else_is_ranked_yet_says_so() -> None:
    leads = replace(snapshot(), best=snapshot().base, gain=None, ranked=1)
    assert "the base prompt; no other candidate is ranked yet" in flat(drawn(leads))
    for other in (replace(leads, ranked=4), replace(leads, candidates=1)):
        assert "ranked" not in drawn(other)


def test_an_old_snapshot_says_so() -> None:
    assert "Last seen" not in drawn(snapshot())
    assert "Last seen 3 min ago" in drawn(replace(snapshot(), moment=time.time() - 180))


def test_an_unknown_price_is_no_zero() -> None:
    unknown = replace(snapshot(), spent={**snapshot().spent, "dollars": None})
    assert "dollars unknown of $20.00" in drawn(unknown)


@pytest.mark.parametrize(
    ("name", "spent", "limit", "said"),
    [
        ("gpu_hours", 3.96, 4.0, "GPU time 3.96 of 4 h (99 %)"),
        ("gpu_hours", 3.9, 0.5, "GPU time 234.0 of 30 min (780 %)"),
        ("hours", 0.2, 2.0, "time worked 0.20 of 2 h (10 %)"),
        ("hours", 36.0, 240.0, "time worked 1.5 of 10 days (15 %)"),
        ("generations", 3020, 10_000, "generations 3,020 of 10,000 (30 %)"),
    ],
)
def test_what_is_spent_stands_in_the_unit_of_its_limit(name: str, spent: float, limit: float, said: str) -> None:
    assert show_against(replace(snapshot(), limits={name: limit}, spent={name: spent}), name) == said


def test_a_line_says_what_is_done_left_best_spent_and_failed() -> None:
    text = line(snapshot())
    for part in (
        "searching (sets are tried) | 3,120 of 9,600 evaluations (32 %) | ETA 12 min (9-17) | best 7.42 [7.10, 7.74]",
        "4 of 4 workers busy, 812 tokens/s",
        "judge: 12 of 16 in flight",
        "dollars $1.20 of $20.00 (6 %)",
        "FAILED 3: 2 PromptTooLong, 1 VerdictUnreadable",
    ):
        assert part in text
    assert "\n" not in text


def test_one_of_a_thing_is_said_in_the_singular() -> None:
    shown = snapshot(1)
    activity = replace(shown.activity, answering=1)
    one = replace(shown, spent={"verdicts": 1, "judge_calls": 1}, limits={}, activity=activity)
    one = replace(one, services=tuple(replace(service, retries=1, slow_downs=1) for service in one.services))
    text = flat(drawn(one))
    for part in ("1 verdict, 1 judge call", "1 prompt in flight", "1 retry", "rate-limited 1 time,"):
        assert part in text
