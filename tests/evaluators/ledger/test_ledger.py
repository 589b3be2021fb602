"""What the ledger has acknowledged is there, whatever happens to the process."""

import asyncio
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from configs.errors import InputError, RunStopped
from evaluators.drafting import Drafting
from evaluators.evaluation import Failure
from evaluators.judge import Verdict
from evaluators.ledger.file import open_to_write
from evaluators.ledger.ledger import UNREADABLE, Ledger
from evaluators.ledger.queries import knows_prefix, read_drafting, read_failures, read_spend, read_utilization
from evaluators.ledger.spend import Spend
from evaluators.ledger.tally import Tally, read_tally
from evaluators.utilization import Utilization
from workers.prompt import Completion
from workers.usage import Usage

SAID = Completion("Because.", 12, 3, "stop")
UNWRITABLE = cast("str", object())

WRITER = """
import asyncio, sys
from pathlib import Path
from typing import cast
from evaluators.ledger.ledger import Ledger
from workers.prompt import Completion
async def write():
    ledger = Ledger(Path(sys.argv[1]), "run")
    for number in range(1_000_000):
        key = number.to_bytes(32, "big")
        await ledger.keep_completion(key, b"p", "q", Completion("x" * 500, 1, 1, "stop"))
        print(number, flush=True)
asyncio.run(write())
"""


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_a_completion_and_a_verdict_are_read_back_as_they_were(tmp_path: Path) -> None:
    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        verdict = Verdict(7.5, "Rating: [[7.5]]", Usage(2, 100, 64, 20, 0.25))
        await ledger.keep_completion(key(1), b"p", "q", SAID)
        await ledger.keep_verdict(key(2), b"j", "q", key(1), verdict)
        assert ledger.completions([key(1), key(3)]) == {key(1): SAID}
        assert ledger.verdicts([key(2), key(1)]) == {key(2): verdict}
        await ledger.close()

    asyncio.run(scenario())
    assert read_spend(tmp_path / "ledger", "run") == Spend(
        generated=1, judged=1, prompt_tokens=12, new_tokens=3, judge=Usage(2, 100, 64, 20, 0.25), dollars=0.25
    )


def test_more_keys_than_sqlite_takes_at_once_are_looked_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        await asyncio.gather(*(ledger.keep_completion(key(n), b"p", "q", SAID) for n in range(2500)))
        assert len(ledger.completions([key(n) for n in range(3000)])) == 2500
        await ledger.close()

    asyncio.run(scenario())


def test_spend_is_the_runs_own_in_a_shared_ledger(tmp_path: Path) -> None:
    async def scenario(run: str, numbers: range) -> None:
        ledger = Ledger(tmp_path / "ledger", run)
        for number in numbers:
            await ledger.keep_completion(key(number), b"p", "q", SAID)
        await ledger.close()

    asyncio.run(scenario("first", range(3)))
    asyncio.run(scenario("second", range(5)))
    assert read_spend(tmp_path / "ledger", "first").generated == 3
    assert read_spend(tmp_path / "ledger", "second").generated == 2


def test_a_failure_counts_until_it_has_succeeded(tmp_path: Path) -> None:
    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        await ledger.keep_failure(key(1), Failure("q1", "generation", "GenerationFailed", "first"))
        await ledger.keep_failure(key(1), Failure("q1", "generation", "GenerationFailed", "again"))
        await ledger.keep_failure(key(2), Failure("q2", "verdict", "JudgeFailed", "timeout"))
        await ledger.keep_completion(key(1), b"p", "q1", SAID)
        await ledger.close()

    asyncio.run(scenario())
    assert read_spend(tmp_path / "ledger", "run").failed == 1
    assert [failure.question for failure in read_failures(tmp_path / "ledger", "run")] == ["q2"]


def test_a_prompt_is_known_by_its_whole_prefix(tmp_path: Path) -> None:
    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        await ledger.keep_prompt(b"d", "m", "{}", "rules and demonstrations\n")
        await ledger.close()

    asyncio.run(scenario())
    assert knows_prefix(tmp_path / "ledger", "rules and demonstrations\n")
    assert not knows_prefix(tmp_path / "ledger", "rules and demonstrations")


def test_no_acknowledged_row_is_lost_by_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(200)]
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout.read().split()]
        writer.wait()

        async def found(numbers: list[int]) -> int:
            ledger = Ledger(path, "run")
            number = len(ledger.completions([key(n) for n in numbers]))
            await ledger.close()
            return number

        assert asyncio.run(found(acknowledged)) == len(acknowledged)
        path.unlink()


def test_a_full_disk_stops_the_run_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "ledger"

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    command = [sys.executable, "-c", WRITER, str(path)]
    writer = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit)
    acknowledged = [int(line) for line in writer.stdout.split()]
    assert "RunStopped" in writer.stderr
    assert "free some disk space" in writer.stderr
    assert acknowledged
    assert read_spend(path, "run").generated >= len(acknowledged)


def test_a_failed_write_reaches_everyone_who_waits_for_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        unwritable = ledger.keep_completion(key(1), b"p", UNWRITABLE, SAID)
        beside = ledger.keep_completion(key(2), b"p", "q", SAID)
        for row in (unwritable, beside):
            with pytest.raises(RunStopped):
                await asyncio.wait_for(row, 20)
        with pytest.raises(RunStopped):
            await ledger.close()

    asyncio.run(scenario())


def test_nothing_counts_as_durable_after_a_row_was_lost(tmp_path: Path) -> None:
    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        lost = ledger.keep_completion(key(1), b"p", UNWRITABLE, SAID)
        with pytest.raises(RunStopped):
            await lost
        with pytest.raises(RunStopped):
            await ledger.keep_completion(key(2), b"p", "q", SAID)
        with pytest.raises(RunStopped):
            await ledger.flush()
        with pytest.raises(RunStopped):
            await ledger.close()

    asyncio.run(scenario())


def test_many_processes_may_open_a_new_ledger_at_once(tmp_path: Path) -> None:
    opener = "import sys, pathlib; from evaluators.ledger.ledger import Ledger; Ledger(pathlib.Path(sys.argv[1]), 'r')"
    command = [sys.executable, "-c", opener, str(tmp_path / "ledger")]
    assert [process.wait() for process in [subprocess.Popen(command) for _ in range(6)]] == [0] * 6


def test_half_a_character_in_a_judges_words_is_replaced(tmp_path: Path) -> None:
    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        await asyncio.wait_for(ledger.keep_verdict(key(1), b"j", "q", key(2), Verdict(5, "so \ud800 so")), 20)
        assert ledger.verdicts([key(1)])[key(1)].words == "so ? so"
        await ledger.close()

    asyncio.run(scenario())


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("not a database, but long enough to look like one" * 50)
    with pytest.raises(InputError, match="cannot be opened"):
        Ledger(tmp_path / "ledger", "run")


def test_a_ledger_of_another_version_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "ledger")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    readers = (Ledger, read_spend, read_utilization, read_failures)
    for read in readers:
        with pytest.raises(InputError, match="version 99"):
            read(tmp_path / "ledger", "run")


def test_a_ledger_that_is_not_there_has_no_spend(tmp_path: Path) -> None:
    assert read_spend(tmp_path / "none", "run") == Spend()
    assert read_failures(tmp_path / "none", "run") == []


def test_spend_now_is_what_is_read_from_disk_afterwards(tmp_path: Path) -> None:
    async def process(number: int) -> Spend:
        ledger = Ledger(tmp_path / "ledger", "run")
        await ledger.keep_completion(key(4 * number), b"p", "q", SAID, 0.5)
        await ledger.keep_verdict(key(4 * number + 1), b"j", "q", key(0), Verdict(5, "", Usage(3, 10, 5, 2, 0.25)))
        failure = Failure("q", "verdict", "VerdictUnreadable", "no rating")
        await ledger.keep_failure(key(4 * number + 2), failure, Usage(1, 7, 0, 1, 0.125))
        await ledger.keep_time(10.0, Utilization(20.0))
        await ledger.keep_time(15.0, Utilization(30.0, 25.0, 15.0, 12.0, 8.0, 7.0))
        spend = ledger.spend
        await ledger.close()
        return spend

    asyncio.run(process(0))
    spend = asyncio.run(process(1))
    assert replace(spend, failed=2) == read_spend(tmp_path / "ledger", "run")
    assert (spend.generated, spend.judged, spend.seconds, spend.gpu_seconds) == (2, 2, 30.0, 60.0)
    assert (spend.judge, spend.dollars) == (Usage(8, 34, 10, 6, 0.75), 1.75)
    assert read_utilization(tmp_path / "ledger", "run") == Utilization(60.0, 50.0, 30.0, 24.0, 16.0, 14.0)
    assert (
        read_utilization(tmp_path / "ledger", "another") == read_utilization(tmp_path / "none", "run") == Utilization()
    )


def test_what_drafts_brought_is_kept_by_process_and_read_together(tmp_path: Path) -> None:
    async def process(drafting: Drafting) -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        await ledger.keep_time(10.0, Utilization(), Drafting(5, 4, 3))
        await ledger.keep_time(15.0, Utilization(), drafting)
        await ledger.close()

    asyncio.run(process(Drafting(90, 30, 80)))
    asyncio.run(process(Drafting(10, 10, 0)))
    found = read_drafting(tmp_path / "ledger", "run")
    assert found == Drafting(100, 40, 80)
    assert (found.tokens_per_pass, found.accepted_share) == (2.5, 0.75)
    assert read_drafting(tmp_path / "ledger", "another") == read_drafting(tmp_path / "none", "run") == Drafting()


def test_a_ledger_that_is_older_than_the_count_of_drafts_is_read_and_written(tmp_path: Path) -> None:
    open_to_write(tmp_path / "ledger").close()
    with closing(sqlite3.connect(tmp_path / "ledger")) as older:
        older.execute("DROP TABLE drafting")
    assert read_drafting(tmp_path / "ledger", "run") == Drafting()

    async def process() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        await ledger.keep_time(10.0, Utilization(), Drafting(5, 4, 3))
        await ledger.close()

    asyncio.run(process())
    assert read_drafting(tmp_path / "ledger", "run") == Drafting(5, 4, 3)


def test_what_was_paid_beside_completions_and_what_was_estimated_is_in_the_spend(tmp_path: Path) -> None:
    async def scenario() -> Spend:
        ledger = Ledger(tmp_path / "ledger", "run")
        ledger.keep_completion(key(0), b"p", "q", replace(SAID, estimated=True), 0.5)
        ledger.keep_verdict(key(1), b"j", "q", key(0), Verdict(5, "", Usage(1, 10, 5, 2, 0.25, 1)))
        await ledger.keep_beside(Usage(2, 100, 0, 3, 0.125))
        assert ledger.completions([key(0)]) == {key(0): replace(SAID, estimated=True)}
        spend = ledger.spend
        await ledger.close()
        return spend

    spend = asyncio.run(scenario())
    assert spend == read_spend(tmp_path / "ledger", "run")
    assert (spend.generated, spend.prompt_tokens, spend.new_tokens) == (
        1,
        SAID.prompt_tokens + 100,
        SAID.new_tokens + 3,
    )
    assert (spend.dollars, spend.judge.dollars, spend.estimated) == (0.875, 0.25, 2)


def test_how_often_a_verdict_could_not_be_read_is_known_to_the_next_process(tmp_path: Path) -> None:
    async def process() -> list[int]:
        ledger = Ledger(tmp_path / "ledger", "run")
        for cause in (UNREADABLE, "JudgeFailed"):
            await ledger.keep_failure(key(1), Failure("q", "verdict", cause, "no rating"))
        found = [ledger.unreadable(key(1)), ledger.unreadable(key(2))]
        await ledger.close()
        return found

    assert [asyncio.run(process()) for _ in range(2)] == [[1, 0], [2, 0]]


@pytest.mark.parametrize("where", ["completion", "verdict", "failure"])
def test_one_unknown_price_makes_the_sum_unknown(tmp_path: Path, where: str) -> None:
    async def scenario() -> Spend:
        ledger = Ledger(tmp_path / "ledger", "run")
        unknown = Usage(1, 10, 0, 2, None)
        if where == "completion":
            await ledger.keep_completion(key(1), b"p", "q", SAID, None)
        elif where == "verdict":
            await ledger.keep_verdict(key(1), b"j", "q", key(0), Verdict(5, "", unknown))
        else:
            await ledger.keep_failure(key(1), Failure("q", "verdict", "JudgeFailed", "503"), unknown)
        await ledger.keep_completion(key(2), b"p", "q", SAID, 1.0)
        spend = ledger.spend
        await ledger.close()
        return spend

    assert asyncio.run(scenario()).dollars is None
    assert read_spend(tmp_path / "ledger", "run").dollars is None


@pytest.mark.parametrize("tokens", [2**53, 2**62, 2**64, 10**30, -1])
def test_no_count_that_a_service_claims_costs_a_row_or_ends_a_sum(tmp_path: Path, tokens: int) -> None:
    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        usage = Usage(1, tokens, tokens, tokens, float("inf"))
        for number in range(4):
            await ledger.keep_completion(key(number), b"p", "q\udc80", replace(SAID, prompt_tokens=tokens))
            await ledger.keep_verdict(key(10 + number), b"j", "q", key(number), Verdict(7.0, "Seven.", usage))
            await ledger.keep_failure(key(20 + number), Failure("q", "verdict", UNREADABLE, "\ud800"), usage)
        assert ledger.spend == replace(read_spend(tmp_path / "ledger", "run"), failed=0)
        assert ledger.spend.generated == ledger.spend.judged == 4
        assert ledger.spend.dollars is None
        await ledger.close()

    asyncio.run(scenario())


def test_a_count_stored_by_an_earlier_version_is_summed_without_overflow(tmp_path: Path) -> None:
    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        for number in range(4):
            await ledger.keep_completion(key(number), b"p", "q", SAID)
        await ledger.close()

    asyncio.run(scenario())
    with sqlite3.connect(tmp_path / "ledger") as ledger:
        ledger.execute("UPDATE generations SET prompt_tokens = ?", (2**62,))
    assert read_spend(tmp_path / "ledger", "run").prompt_tokens == 2**64


def test_the_tally_counts_durable_rows_and_a_row_kept_twice_once(tmp_path: Path) -> None:
    async def scenario(number: int) -> None:
        ledger = Ledger(tmp_path / "ledger", "run", tmp_path / "tally")
        await ledger.keep_completion(key(number), b"p", "q", SAID)
        await ledger.keep_completion(key(0), b"p", "q", SAID)
        await ledger.keep_verdict(key(number), b"j", "q", key(number), Verdict(7.0, "Seven."))
        await ledger.close()

    for number, rows in ((0, 1), (1, 2)):
        asyncio.run(scenario(number))
        assert read_tally(tmp_path / "tally") == Tally(rows, rows)


@pytest.mark.parametrize("content", ["", "{", "null", '{"generations": "many"}', "[1, 2]"])
def test_a_damaged_tally_promises_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "tally").write_text(content)
    assert read_tally(tmp_path / "tally") == Tally()


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_nobody_waits_for_rows_whose_commit_was_given_up(steps: int, tmp_path: Path) -> None:
    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        before = asyncio.all_tasks()
        kept = [ledger.keep_completion(key(1), b"p", "q", SAID)]
        for _ in range(steps):
            await asyncio.sleep(0)
        kept.append(ledger.keep_completion(key(2), b"p", "q", SAID))
        given_up = asyncio.all_tasks() - before
        for task in given_up:  # as a second interrupt does
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        async with asyncio.timeout(20):
            await asyncio.gather(*kept, ledger.flush(), return_exceptions=True)
            await ledger.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("steps", [0, 1, 2])
@pytest.mark.parametrize("flushes", [False, True])
def test_rows_whose_commit_was_given_up_are_written_all_the_same(steps: int, flushes: bool, tmp_path: Path) -> None:
    async def pay(ledger: Ledger) -> None:
        try:
            ledger.keep_completion(key(1), b"p", "q", SAID)
            for _ in range(steps):
                await asyncio.sleep(0)
            ledger.keep_completion(key(2), b"p", "q", SAID)
            await asyncio.Event().wait()
        finally:
            try:
                if flushes:
                    await ledger.flush()
                    assert_both_are_stored()
            finally:
                await ledger.close()

    def assert_both_are_stored() -> None:
        with closing(sqlite3.connect(tmp_path / "ledger")) as stored:
            assert stored.execute("SELECT count(*) FROM generations").fetchone() == (2,)

    async def scenario() -> None:
        paying = asyncio.create_task(pay(Ledger(tmp_path / "ledger", "run")))
        for _ in range(steps + 1):
            await asyncio.sleep(0)
        given_up = asyncio.all_tasks() - {asyncio.current_task()}
        for task in given_up:  # as asyncio does after a second interrupt
            task.cancel()
        async with asyncio.timeout(20):
            ends = await asyncio.gather(*given_up, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends)
        assert paying.cancelled()

    asyncio.run(scenario())
    assert_both_are_stored()


def test_a_write_that_fails_after_it_was_given_up_is_told(tmp_path: Path) -> None:
    open_to_write(tmp_path / "ledger").close()
    lock = sqlite3.connect(tmp_path / "ledger", check_same_thread=False)
    given_up = threading.Event()

    def fail_the_write() -> None:
        given_up.wait()
        lock.commit()

    async def pay() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        lock.execute("BEGIN IMMEDIATE")
        lock.execute("DROP TABLE generations")
        try:
            await ledger.keep_completion(key(1), b"p", "q", SAID)
        finally:
            await ledger.close()

    async def scenario() -> None:
        paying = asyncio.create_task(pay())
        for _ in range(3):  # the thread waits for the lock
            await asyncio.sleep(0)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:  # as asyncio does after a second interrupt
            task.cancel()
        given_up.set()
        await asyncio.wait(tasks)
        with pytest.raises(RunStopped, match="cannot be written"):
            await paying

    with closing(lock):
        release = threading.Thread(target=fail_the_write)
        release.start()
        asyncio.run(scenario())
        release.join()
