import asyncio
import json
from dataclasses import replace

import pytest

from configs.errors import InputError
from evaluators.failures import JudgeFailed
from evaluators.judge import Verdict
from evaluators.judges.function import FunctionJudge
from tests.evaluators.judges.functions import HONEY, SOURCE, Load, outcomes_of
from tests.kits.judge_kit import JudgeKit, MakeJudge


class TestPlain(JudgeKit):
    function = "plain"
    whole_batch = False

    @pytest.fixture
    def make(self, load: Load) -> MakeJudge:
        return lambda: load(self.function, whole_batch=self.whole_batch)


class TestAsync(TestPlain):
    function = "later"


class TestWholeBatch(TestPlain):
    function = "batch"
    whole_batch = True


@pytest.mark.parametrize(("name", "words"), [("plain", ""), ("later", "q1"), ("hidden", "q1")])
def test_a_function_returns_a_number_or_a_number_and_words(load: Load, name: str, words: str) -> None:
    assert outcomes_of(load(name), "honey") == [Verdict(5.0, words)]


def test_options_are_given_by_name(load: Load) -> None:
    assert outcomes_of(load("plain", options={"factor": 2.5}), "honey") == [Verdict(12.5)]


@pytest.mark.parametrize("name", ["batch", "batch_later"])
def test_answers_that_come_together_are_one_batch(load: Load, name: str) -> None:
    judge = load(name, whole_batch=True)
    assert outcomes_of(judge, "a", "bb", "ccc") == [Verdict(float(length), "one of 3") for length in (1, 2, 3)]


def test_an_answer_at_fault_fails_alone_out_of_its_batch(load: Load) -> None:
    good, bad, also_good = outcomes_of(load("choosy", whole_batch=True), "good", "bad", "good too")
    assert good == also_good == Verdict(1.0)
    assert isinstance(bad, JudgeFailed)
    assert "my_judges:choosy raised ValueError: I do not like one of these" in str(bad)


def test_a_batch_of_another_length_fails(load: Load) -> None:
    outcomes = outcomes_of(load("short", whole_batch=True), "a", "b")
    assert {type(outcome) for outcome in outcomes} <= {Verdict, JudgeFailed}
    with pytest.raises(JudgeFailed, match="a list as long as"):
        _raised(load("says", SOURCE.replace("def says(question, answers)", "def says(answers)"), whole_batch=True))


def _raised(judge: FunctionJudge, answer: str = "honey") -> None:
    (outcome,) = outcomes_of(judge, answer)
    assert isinstance(outcome, BaseException)
    raise outcome


def test_what_a_function_raises_fails_the_answer_with_its_text(load: Load) -> None:
    with pytest.raises(JudgeFailed, match="my_judges:raises raised KeyError: 'no such thing'"):
        _raised(load("raises"))


@pytest.mark.parametrize("answer", ["7", "honey", ""])
def test_text_is_no_score(load: Load, answer: str) -> None:
    with pytest.raises(JudgeFailed, match="must return a number"):
        _raised(load("says"), answer)


@pytest.mark.parametrize(
    ("name", "knobs", "complaint"),
    [
        ("nothing", {}, "has no function nothing"),
        ("number", {}, "has no function number"),
        ("plain", {"options": {"fact": 2}}, r"cannot be called .*judge\.options"),
        ("plain", {"whole_batch": True}, "cannot be called"),
        ("batch", {}, "cannot be called"),
        ("plain", {"function": "no_such_module_here:f"}, r"cannot be imported .*judge\.folder"),
        ("plain", {"function": "sys:exit", "folder": None}, "has no source file"),
    ],
)
def test_a_function_that_cannot_be_a_judge_is_refused(
    load: Load, name: str, knobs: dict[str, object], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        load(name, **knobs)


def test_a_module_that_fails_while_it_is_imported_is_refused_with_its_reason(load: Load) -> None:
    with pytest.raises(InputError, match="NameError: name 'oops' is not defined"):
        load("plain", "oops")


def test_an_edited_function_is_another_judge_and_the_new_code_runs(load: Load) -> None:
    before, after = load("plain"), load("plain", SOURCE.replace("factor * len", "1 + len"))
    assert before.fingerprint != after.fingerprint
    assert outcomes_of(after, "honey") == [Verdict(6.0)]


def test_options_and_name_are_in_the_fingerprint_and_limits_are_not(load: Load) -> None:
    base = load("plain").fingerprint
    assert json.loads(base)["function"] == "my_judges:plain"
    assert load("plain", max_in_flight=1, repeats=2).fingerprint == base
    assert len({base, load("later").fingerprint, load("plain", options={"factor": 2}).fingerprint}) == 3


def test_functions_that_block_run_side_by_side_and_no_more_of_them_than_allowed(load: Load) -> None:
    source = (
        "import threading\n"
        "lock, together, now, most = threading.Lock(), threading.Barrier(2, timeout=20), 0, 0\n"
        "def meet(question, answers):\n"
        "    global now, most\n"
        "    with lock:\n"
        "        now += 1\n"
        "        most = max(most, now)\n"
        "    together.wait()\n"  # passes only where two are under way at once
        "    with lock:\n"
        "        now -= 1\n"
        "        return most\n"
    )
    outcomes = outcomes_of(load("meet", source, max_in_flight=2), *"abcdefgh")
    assert outcomes == [Verdict(2.0)] * 8


def test_plain_functions_run_as_many_at_a_time_as_the_config_says(load: Load) -> None:
    source = """
import threading
meeting = threading.Barrier(40)

def meets(question, answers):
    meeting.wait(20)
    return 1.0
"""

    async def scenario() -> list[Verdict]:
        judge = load("meets", source, max_in_flight=40)
        await judge.start()
        try:
            return await asyncio.gather(*(judge.judge(HONEY, ("So.",)) for _ in range(40)))
        finally:
            await judge.close()

    assert len(asyncio.run(scenario())) == 40


def test_a_score_that_is_none_costs_the_others_of_its_batch_no_second_call(load: Load) -> None:
    source = """
calls = []

def batch(items):
    calls.append(len(items))
    return [(None if "bad" in answers[-1] else float(len(calls))) for _, answers in items]
"""

    async def scenario() -> list[Verdict | BaseException]:
        judge = load("batch", source, whole_batch=True)
        await judge.start()
        answers = ["bad", "good", "better"]
        try:
            return await asyncio.gather(*(judge.judge(HONEY, (one,)) for one in answers), return_exceptions=True)
        finally:
            await judge.close()

    first, *others = asyncio.run(scenario())
    assert isinstance(first, JudgeFailed)
    assert others == [Verdict(1.0), Verdict(1.0)]


def test_a_function_reads_the_further_fields_of_a_row_and_changes_them_for_nobody(load: Load) -> None:
    source = "def level(question, answers):\n    fields = question.fields\n    return fields.pop('level')\n"
    judge, question = load("level", source), replace(HONEY, judge_fields='{"level": 3}')

    async def scenario() -> list[float]:
        await judge.start()
        scores = [(await judge.judge(question, (answer,))).score for answer in ("a", "b")]
        await judge.close()
        return scores

    assert asyncio.run(scenario()) == [3.0, 3.0]
