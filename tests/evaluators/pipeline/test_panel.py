"""A panel's score is there when all its verdicts are, each of them asked for once ever."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import pytest

from configs.errors import RunStopped
from configs.schema.scoring import BudgetConfig
from evaluators.counts import Counts
from evaluators.evaluation import Failure
from evaluators.failures import JudgeFailed, VerdictStopped, VerdictUnreadable
from evaluators.judge import Verdict
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import read_spend
from evaluators.pipeline.budget import Budget
from evaluators.pipeline.panel import Panel, PanelMember
from evaluators.question import Question
from tests.fake_judge import FakeJudge
from workers.usage import NOTHING, Usage

QUESTION = Question("q", ("Why?",))


def ask(folder: Path, members: Sequence[PanelMember], times: int = 1, again: int = 0) -> list[float | Failure]:
    async def scenario() -> list[float | Failure]:
        ledger = Ledger(folder / "ledger", "run")
        panel = Panel(members, ledger=ledger, budget=Budget(BudgetConfig(), lambda: ledger.spend), counts=Counts())
        await panel.start()
        try:
            return await asyncio.gather(*(panel.score(QUESTION, ("So.",), b"g", again) for _ in range(times)))
        finally:
            await panel.close()
            await ledger.close()

    return asyncio.run(scenario())


def in_turn(*scores: float) -> Callable[[Question, str], float]:
    """A judge that is not sure."""
    number = count()
    return lambda *_: scores[next(number) % len(scores)]


def always(score: float) -> Callable[[Question, str], float]:
    def constant(*_: object) -> float:
        return score

    constant.__name__ = f"always {score}"
    return constant


@pytest.mark.parametrize(("average", "score"), [("mean", 5.0), ("median", 2.0)])
def test_repeats_are_averaged_and_each_is_a_row(tmp_path: Path, average: str, score: float) -> None:
    judge = FakeJudge(in_turn(1.0, 2.0, 12.0))
    member = PanelMember(judge, repeats=3, average="mean" if average == "mean" else "median")
    assert ask(tmp_path, [member]) == [score]
    assert read_spend(tmp_path / "ledger", "run").judged == 3


def test_more_repeats_pay_for_the_new_ones_only(tmp_path: Path) -> None:
    judge = FakeJudge(in_turn(1.0, 3.0, 5.0))
    assert ask(tmp_path, [PanelMember(judge, repeats=2)]) == [2.0]
    assert ask(tmp_path, [PanelMember(judge, repeats=3)]) == [3.0]
    assert len(judge.calls) == 3


def test_who_asks_again_is_told_what_the_judge_says_now_and_who_does_not_what_it_said_first(tmp_path: Path) -> None:
    member = PanelMember(FakeJudge(in_turn(1.0, 3.0, 7.0, 9.0)), repeats=2)
    assert [ask(tmp_path, [member], again=again) for again in (0, 1, 1, 0)] == [[2.0], [8.0], [8.0], [2.0]]
    assert read_spend(tmp_path / "ledger", "run").judged == 4


def test_several_judges_are_weighed(tmp_path: Path) -> None:
    members = [PanelMember(FakeJudge(always(2.0)), weight=3.0), PanelMember(FakeJudge(always(6.0)), weight=1.0)]
    assert ask(tmp_path, members) == [3.0]


def test_a_panel_that_failed_half_way_pays_for_the_missing_verdicts_only(tmp_path: Path) -> None:
    good, bad = FakeJudge(always(2.0)), FakeJudge(always(6.0), failing={"q": JudgeFailed("503")})
    (failure,) = ask(tmp_path, [PanelMember(good), PanelMember(bad)])
    assert failure == Failure("q", "verdict", "JudgeFailed", "503")
    mended = FakeJudge(always(6.0))
    assert ask(tmp_path, [PanelMember(good), PanelMember(mended)]) == [4.0]
    assert (len(good.calls), len(mended.calls)) == (1, 1)


def test_one_answer_asked_about_by_many_at_once_is_judged_once(tmp_path: Path) -> None:
    judge = FakeJudge()
    scores = ask(tmp_path, [PanelMember(judge, repeats=2)], times=20)
    assert len(set(scores)) == 1
    assert len(judge.calls) == 2


def test_what_an_unreadable_verdict_cost_is_in_the_spend(tmp_path: Path) -> None:
    unreadable = VerdictUnreadable("no rating in: well", Usage(3, 300, 0, 30, 0.5))
    (failure,) = ask(tmp_path, [PanelMember(FakeJudge(failing={"q": unreadable}))])
    assert isinstance(failure, Failure)
    spend = read_spend(tmp_path / "ledger", "run")
    assert (spend.judged, spend.judge, spend.dollars) == (0, Usage(3, 300, 0, 30, 0.5), 0.5)


def test_what_was_paid_before_a_verdict_stopped_the_run_is_in_the_spend(tmp_path: Path) -> None:
    stop = VerdictStopped("the quota is used up", Usage(2, 20, 0, 4, 0.25))
    with pytest.raises(RunStopped, match="the quota is used up"):
        ask(tmp_path, [PanelMember(FakeJudge(failing={"q": stop}))])
    spend = read_spend(tmp_path / "ledger", "run")
    assert (spend.judge, spend.dollars) == (Usage(2, 20, 0, 4, 0.25), 0.25)


def test_a_verdict_that_could_not_be_read_is_another_draw_when_it_is_asked_for_again(tmp_path: Path) -> None:
    draws: list[int] = []

    class Drawing(FakeJudge):
        async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:
            draws.append(repeat)
            return await super().judge(question, answers, repeat)

    unreadable = VerdictUnreadable("no rating in: well", Usage(1, 10, 0, 2))
    for failing in ({"q": unreadable}, {"q": JudgeFailed("503")}, {"q": unreadable}, {}):
        ask(tmp_path, [PanelMember(Drawing(failing=failing))])
    first, second, third, fourth = draws
    assert first != second == third != fourth
    assert len(set(draws)) == 3


def test_a_verdict_that_was_never_asked_for_when_the_panel_closes_has_not_failed(tmp_path: Path) -> None:
    class Queueing(FakeJudge):
        """Its first answer is being judged for ever, so that the others wait until it is closed."""

        async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:
            while not self.closed:  # noqa: ASYNC110 -- no more than a queue that is closed
                await asyncio.sleep(0.001)
            raise JudgeFailed("closed", Usage(1, 5, 0, 0) if repeat == 0 else NOTHING)

    async def scenario() -> None:
        ledger = Ledger(tmp_path / "ledger", "run")
        budget = Budget(BudgetConfig(), lambda: ledger.spend)
        panel = Panel([PanelMember(Queueing(), repeats=3)], ledger=ledger, budget=budget, counts=Counts())
        score = asyncio.create_task(panel.score(QUESTION, ("So.",), b"g"))
        await asyncio.sleep(0.01)
        await panel.close()
        assert isinstance(await score, Failure)
        await ledger.close()

    asyncio.run(scenario())
    spend = read_spend(tmp_path / "ledger", "run")
    assert (spend.failed, spend.judge.prompt_tokens) == (1, 5)
