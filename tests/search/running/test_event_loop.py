"""What signals do to work under way: the first stops it, the second gives it up, the third ends the process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

STUBBORN = """
import asyncio, signal, sys, time
from configs.errors import AlreadyClosed, RunStopped
from search.running.event_loop import in_own_loop

kinds = {kinds}
async def work():
    try:
        print("at work", flush=True)
        await asyncio.sleep(99)
    finally:
        while "hangs" in kinds:
            try:
                print("stopping", flush=True)
                time.sleep(99)
            except KeyboardInterrupt:
                print("hanging on", flush=True)
        if "fails" in kinds:
            try:
                print("stopping", flush=True)
                if "at once" in kinds:
                    signal.raise_signal(signal.SIGINT)
                await asyncio.sleep(99)
            finally:
                raise RunStopped("the disk is full")
        if "computes" in kinds:
            signal.raise_signal(signal.SIGXCPU)
        print("stopping", flush=True)
        if "closes" in kinds:
            raise AlreadyClosed("the model has been closed")
        if "waits" in kinds:
            await asyncio.sleep(99)
try:
    in_own_loop(work, lambda: print("noted", flush=True))
except (KeyboardInterrupt, asyncio.CancelledError):
    if "computes" in kinds:
        signal.raise_signal(signal.SIGXCPU)
    print("interrupted", flush=True)
    sys.exit(3)
except RunStopped as stop:
    print(stop)
    sys.exit(4)
"""

pytestmark = pytest.mark.heavy


class Process:
    """A process with work under way."""

    def __init__(self, *kinds: str, ignored: signal.Signals | None = None) -> None:
        program = STUBBORN.format(kinds=set(kinds) or "set()")
        handler = (
            "signal.SIG_DFL" if ignored is None else "signal.SIG_IGN"
        )  # under nohup tests would begin with SIGHUP ignored
        program = f"import signal; signal.signal({ignored or signal.SIGHUP:d}, {handler})\n{program}"
        command, environment = [sys.executable, "-c", program], os.environ | {"PYTHONPATH": str(Path.cwd())}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.line() == "at work"

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def tell(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> tuple[list[str], int]:
        assert self._process.stdout is not None
        return self._process.stdout.read().split("\n")[:-1], self._process.wait()


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU]
)
def test_each_signal_stops_the_work_which_may_put_its_things_in_order(number: signal.Signals) -> None:
    process = Process()
    process.tell(number)
    assert process.end() == (["stopping", "interrupted"], 3)


def test_a_spent_time_limit_of_the_processor_counts_once_though_it_is_told_each_second_until_the_end() -> None:
    process = Process("computes")
    process.tell(signal.SIGXCPU)
    assert process.end() == (["stopping", "interrupted"], 3)


def test_what_was_closed_because_of_a_signal_does_not_explain_the_end() -> None:
    process = Process("closes")
    process.tell(signal.SIGTERM)
    assert process.end() == (["stopping", "interrupted"], 3)


def test_the_second_signal_gives_up_what_is_waited_for() -> None:
    process = Process("waits")
    process.tell(signal.SIGHUP)
    assert process.line() == "stopping"
    process.tell(signal.SIGTERM)
    assert process.end() == (["interrupted"], 3)


def test_what_fails_after_it_was_given_up_is_told() -> None:
    process = Process("fails")
    process.tell(signal.SIGINT)
    assert process.line() == "stopping"
    process.tell(signal.SIGINT)
    assert process.end() == (["the disk is full"], 4)


def test_what_fails_where_the_second_signal_meets_the_work_itself_is_told() -> None:
    process = Process("fails", "at once")
    process.tell(signal.SIGINT)
    assert process.end() == (["stopping", "the disk is full"], 4)


def test_the_third_signal_ends_a_process_that_hangs_and_notes_it_first() -> None:
    process = Process("hangs")
    process.tell(signal.SIGINT)
    assert process.line() == "stopping"
    process.tell(signal.SIGINT)
    assert process.line() == "hanging on"
    process.tell(signal.SIGTERM)
    lines, code = process.end()
    assert (lines[-1], code) == ("noted", 130)


def test_a_hang_up_that_is_ignored_stays_ignored_and_an_interrupt_that_is_ignored_does_not() -> None:
    process = Process(ignored=signal.SIGHUP)
    process.tell(signal.SIGHUP)
    process.tell(signal.SIGTERM)
    assert process.end() == (["stopping", "interrupted"], 3)
    process = Process(ignored=signal.SIGINT)
    process.tell(signal.SIGINT)
    assert process.end() == (["stopping", "interrupted"], 3)


def test_a_warning_that_somebody_else_listens_to_stays_theirs() -> None:
    process = Process(ignored=signal.SIGUSR1)
    process.tell(signal.SIGUSR1)
    process.tell(signal.SIGTERM)
    assert process.end() == (["stopping", "interrupted"], 3)
