"""Judge functions that raise, return and do what no judge should."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from configs.errors import InputError, RunStopped
from evaluators.failures import JudgeFailed
from evaluators.judge import Verdict
from tests.evaluators.judges.functions import HONEY, Load, outcomes_of

HOSTILE = """
import sys
import numpy

class Liar:
    def __float__(self): raise SystemExit("no")
    def __repr__(self): raise RuntimeError("nor this")

class Mute(Exception):
    def __str__(self): raise ValueError("no text")

def stops(*_): return next(iter(()))
def exits(*_): sys.exit(0)
def interrupts(*_): raise KeyboardInterrupt
def closes(*_): raise GeneratorExit
def mute(*_): raise Mute
def group(*_): raise BaseExceptionGroup("two", [SystemExit(1), ValueError("x")])
def recurses(*_): return recurses()
def half(*_): raise ValueError("\\udc80 half a character")
def huge(*_): return 10 ** 400
def digits(*_): return 10 ** 5000
def nan(*_): return float("nan")
def infinite(*_): return float("-inf")
def enormous(*_): return 1e300
def nothing(*_): return None
def text(*_): return "7"
def data(*_): return b"7"
def complex_(*_): return 1j
def complex_scalar(*_): return numpy.complex64(1 + 2j)
def complex_array(*_): return numpy.array([1 + 2j])
def seconds(*_): return numpy.timedelta64(5)
def text_array(*_): return numpy.array("7")
def lies(*_): return Liar()
def three(*_): return (1.0, "a", "b")
def words(*_): return (1.0, 7)
def generates(*_): yield 1.0
"""
NAMES = [line.split()[1].partition("(")[0] for line in HOSTILE.splitlines() if line.startswith("def ")]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_function_raises_or_returns_fails_the_answer_with_a_sentence_and_nothing_else(
    load: Load, name: str, is_async: bool
) -> None:
    source = f"{HOSTILE}\nasync def later(*given): return {name}(*given)\n"
    (outcome,) = outcomes_of(load("later" if is_async else name, source), "honey")
    assert isinstance(outcome, JudgeFailed)
    str(outcome).encode()
    assert "\n" not in str(outcome)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_that_misbehaves_fails_its_answers_alone(load: Load, name: str) -> None:
    source = (
        HOSTILE + f"\ndef batch(items): return [{name}() if 'bad' in answers[-1] else 1.0 for _, answers in items]\n"
    )
    good, bad = outcomes_of(load("batch", source, whole_batch=True), "good", "bad")
    assert (good, type(bad)) == (Verdict(1.0), JudgeFailed)


def test_half_a_character_in_a_functions_words_is_replaced(load: Load) -> None:
    source = "def half(question, answers): return 1.0, '\\udc80'\n"
    assert outcomes_of(load("half", source), "honey") == [Verdict(1.0, "?")]


UNRULY = """
import asyncio, os
from pathlib import Path

def forks(question, answers, folder):
    if os.fork() == 0:
        Path(folder, "child").write_text(str(os.getpid()))
        raise ValueError("in the child")
    os.wait()
    return 1.0

async def stops_the_loop(question, answers):
    asyncio.get_running_loop().stop()
    await asyncio.sleep(0)
    return 1.0
"""


def test_a_child_that_a_function_forked_does_not_live_on_as_the_run(load: Load, tmp_path: Path) -> None:
    judge = load("forks", UNRULY, options={"folder": str(tmp_path)})
    assert outcomes_of(judge, "honey") == [Verdict(1.0)]  # it waits for its child
    assert not Path(f"/proc/{(tmp_path / 'child').read_text()}").exists()


def test_a_function_that_stops_its_event_loop_is_judged_all_the_same(load: Load) -> None:
    assert outcomes_of(load("stops_the_loop", UNRULY), "honey", "bread") == [Verdict(1.0), Verdict(1.0)]


STUCK = """
import asyncio, threading, time
forever = threading.Event()

def waits(question, answers):
    if "bad" in answers[-1]:
        forever.wait()
    return 1.0

async def sleeps(question, answers):
    if "bad" in answers[-1]:
        await asyncio.Event().wait()
    return 1.0

async def blocks(question, answers):
    return waits(question, answers)

def batch(items):
    return [waits(*item) for item in items]
"""


@pytest.mark.parametrize("name", ["waits", "sleeps", "blocks"])
def test_a_call_that_never_returns_fails_its_answer_and_later_ones_are_judged(load: Load, name: str) -> None:
    async def scenario() -> list[Verdict | BaseException]:
        judge = load(name, STUCK, timeout=0.2)
        await judge.start()
        bad = await asyncio.gather(judge.judge(HONEY, ("bad",)), return_exceptions=True)
        good = await judge.judge(HONEY, ("good",))
        await judge.close()
        return [*bad, good]

    bad, good = asyncio.run(scenario())
    assert isinstance(bad, JudgeFailed)
    assert "has not returned after 0.2 s (judge.timeout)" in str(bad)
    assert good == Verdict(1.0)


def test_a_batch_that_never_returns_fails_as_a_whole_without_a_second_call(load: Load) -> None:
    outcomes = outcomes_of(load("batch", STUCK, whole_batch=True, timeout=0.2), "bad", "good")
    assert [type(outcome) for outcome in outcomes] == [JudgeFailed, JudgeFailed]


def test_when_as_many_calls_hang_as_may_be_under_way_the_run_stops(load: Load) -> None:
    outcomes = outcomes_of(load("waits", STUCK, timeout=0.2, max_in_flight=2), "bad", "bad too", "bad three")
    assert any(isinstance(outcome, RunStopped) for outcome in outcomes)
    assert any("judge.timeout (0.2 s)" in str(outcome) for outcome in outcomes)


def test_a_stuck_call_keeps_no_process_from_ending(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(STUCK, encoding="utf-8")
    program = f"""
import asyncio
from pathlib import Path
from configs.schema.judge import FunctionJudgeConfig
from evaluators.judges.function import FunctionJudge
from evaluators.question import Question

async def main():
    given = dict(kind="function", function="stuck:waits", folder=Path({str(tmp_path)!r}), timeout=0.2)
    judge = FunctionJudge.load(FunctionJudgeConfig.model_validate(given))
    try:
        await judge.judge(Question("q", ("Why?",)), ("bad",))
    except Exception as error:
        print(error)

asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert "has not returned" in ended.stdout


def test_a_call_under_way_is_given_up_when_the_judge_is_closed_and_it_does_not_return(load: Load) -> None:
    async def scenario() -> BaseException:
        judge = load("waits", STUCK, timeout=0.3)
        await judge.start()
        asked = asyncio.create_task(judge.judge(HONEY, ("bad",)))
        await asyncio.sleep(0)
        await judge.close()
        (outcome,) = await asyncio.gather(asked, return_exceptions=True)
        assert isinstance(outcome, BaseException)
        return outcome

    assert isinstance(asyncio.run(scenario()), JudgeFailed)


@pytest.mark.parametrize("source", ["import sys; sys.exit()", "raise GeneratorExit", "next(iter(()))"])
def test_a_module_that_ends_the_process_while_it_is_imported_is_refused(load: Load, source: str) -> None:
    with pytest.raises(InputError, match=r"cannot be imported \(.*\); fix it$"):
        load("plain", source)


def test_an_edited_helper_makes_another_judge_and_its_new_code_runs(load: Load, tmp_path: Path) -> None:
    source = "from my_helper import weight\ndef brief(question, answers):\n    return weight() * len(answers[-1])\n"
    judged = []
    for factor in (1, 2):
        (tmp_path / "my_helper.py").write_text(f"def weight(): return {factor}.0", encoding="utf-8")
        judge = load("brief", source)
        judged.append((judge.fingerprint, *outcomes_of(judge, "honey")))
    (before, first), (after, second) = judged
    assert before != after
    assert (first, second) == (Verdict(5.0), Verdict(10.0))


@pytest.mark.parametrize(
    "source", ["raise BaseException('no')", "class Own(BaseException): ...\nraise Own", "def __getattr__(name): 1 / 0"]
)
def test_a_module_that_raises_anything_is_refused_with_a_sentence(load: Load, source: str) -> None:
    with pytest.raises(InputError, match="cannot be imported"):
        load("score", source)
