"""What people see while a search runs."""

import asyncio
from collections import Counter
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from rich.console import Console

from configs.schema.scoring import BudgetConfig
from evaluators.counts import Counts
from evaluators.ledger.spend import Spend
from evaluators.pipeline.budget import Budget
from search.live.live_file import read_live
from search.live.progress import LineView, LiveView, NotebookView, make_view, make_views, watching
from search.live.snapshot import GainSoFar, Observer, Phase, Position
from tests.search.live.snapshots import snapshot
from workers.activity import WorkersActivity
from workers.service.activity import ServiceActivity


class Halfway:
    """A search that has replayed 100 evaluations and made 300 of 1,000 in this process, 60 of them still untold."""

    def __init__(self, phase: Phase = "search") -> None:
        self.phase = phase
        self.evaluated, self.told = 300, 340
        self.base = {"q1": 5.0, "q2": 6.0}

    def position(self) -> Position:
        return Position(self.phase, 12, self.told, 1000, 100, {"q1": 6.0, "q2": 8.0}, self.base)

    def counts(self) -> Counts:
        causes = Counter({"PromptTooLong": 2})
        return Counts(290, 60, 10, self.evaluated, new_tokens=30 * self.evaluated, causes=causes)

    def activity(self) -> WorkersActivity:
        return WorkersActivity(alive=4, busy=3, queued=5, restarts=1, tokens=9000)

    def services(self) -> list[ServiceActivity]:
        return [ServiceActivity(in_flight=12, limit=16, waiting=40, slow_downs=2, paused=7.0)]

    def budget(self) -> Budget:
        return Budget(BudgetConfig(dollars=20), lambda: Spend(generated=290, dollars=1.5))


def test_evaluations_that_are_through_count_before_their_trial_is() -> None:
    assert Observer(Halfway(), Halfway().position, 0.95).look(1.0).done == 400


def test_time_left_and_speed_are_of_this_process() -> None:
    watched = Halfway()
    watched.evaluated, watched.told = 0, 100
    observer = Observer(watched, watched.position, 0.95)
    assert observer.look(0.0).eta is None
    for second in range(1, 11):
        watched.evaluated = 30 * second
        now = observer.look(float(second))
    assert now.eta is not None
    assert now.eta.seconds == pytest.approx(600 / 30)
    assert now.work.tokens_per_second == pytest.approx(900)


def test_the_best_stands_beside_the_base_prompt_on_common_questions() -> None:
    now = Observer(Halfway(), Halfway().position, 0.95).look(1.0)
    assert now.best is not None
    assert now.base is not None
    assert now.gain is not None
    assert (now.best.mean, now.base.mean, now.gain.mean, now.gain.n) == (7.0, 5.5, 1.5, 2)
    assert (now.limits, now.spent["dollars"]) == ({"dollars": 20}, 1.5)


def test_a_terminal_gets_a_drawing_and_a_file_gets_lines() -> None:
    terminal = Console(file=StringIO(), force_terminal=True, width=100)
    view = make_view(terminal)
    assert isinstance(view, LiveView)
    with view:
        view.show(snapshot())
    assert isinstance(terminal.file, StringIO)
    assert "ETA 12 min (9-17)" in terminal.file.getvalue()
    assert isinstance(make_view(Console(file=StringIO())), LineView)


def test_lines_come_once_a_minute_and_when_the_phase_changes() -> None:
    written: list[str] = []
    now = iter([100.0, 101.0, 159.0, 161.0, 162.0])
    view = LineView(written.append, lambda: next(now))
    with view:
        for phase in ("search", "search", "search", "search", "held_out"):
            view.show(replace(snapshot(), phase=phase))
    assert len(written) == 3
    assert "held-out" in written[-1]


def test_a_notebook_gets_one_output_that_is_replaced_at_most_once_a_second() -> None:
    InteractiveShell.instance()
    now = iter([100.0, 100.0, 100.5, 101.0, 101.0])
    with capture_output() as captured, NotebookView(lambda: next(now)) as view:
        for done in (1, 2, 3):
            view.show(replace(snapshot(), done=done))
    first, *others = captured.outputs
    assert "1 of 9,600 evaluations" in first.data["text/html"]
    assert len(others) == 2
    assert "3 of 9,600 evaluations" in others[-1].data["text/plain"]
    assert not first.update
    assert all(other.update for other in others)
    assert len({one.transient["display_id"] for one in captured.outputs}) == 1


def test_while_it_is_watched_other_processes_can_look_and_afterwards_there_is_nothing_left(tmp_path: Path) -> None:
    written = StringIO()

    async def work() -> None:
        async with watching(
            Halfway(), Halfway().position, make_views(Console(file=written), tmp_path), 0.95, lambda: 3600.0
        ):
            while (now := read_live(tmp_path)) is None:  # noqa: ASYNC110 -- nothing tells
                await asyncio.sleep(0.01)
            assert now.seconds == 3600
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(work())
    assert "400 of 1,000 evaluations" in written.getvalue()
    assert not [*tmp_path.iterdir()]


def test_a_second_drawing_erases_neither_the_first_nor_what_was_said_since() -> None:
    console = Console(file=(written := StringIO()), force_terminal=True, width=100)
    view = LiveView(console)
    for model in ("one", "two"):
        console.print(f"loading model {model}")
        with view:
            view.show(replace(snapshot(), phase="evaluate"))
    before_it_is_redrawn = written.getvalue().partition("loading model two")[2].partition("evaluating")[0]
    assert "\x1b[1A" not in before_it_is_redrawn  # one line up


class Terminal(StringIO):
    """One that may be gone."""

    is_gone = False

    def write(self, text: str) -> int:
        if self.is_gone:
            raise OSError(5, "Input/output error")
        return super().write(text)


@pytest.mark.parametrize("is_terminal", [False, True])
def test_a_terminal_that_is_gone_hides_nothing_from_others_nor_how_the_work_ended(
    is_terminal: bool, tmp_path: Path
) -> None:
    terminal = Terminal()
    view = make_views(Console(file=terminal, force_terminal=is_terminal), tmp_path)

    def work() -> None:
        with view:
            terminal.is_gone = True
            view.show(snapshot())
            assert read_live(tmp_path) is not None
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("best", "remark"),
    [
        ({"q1": 9.0}, ""),
        ({"q1": 9.0, "q2": 12.0}, ""),
        ({"q1": 9.0, "q2": 5.0}, "down from +4.00 on 1 question, which did not hold on further ones"),
        ({"q2": 6.5}, "down from +4.00 on 1 question by a candidate that now ranks lower"),
        (None, "down from +4.00 on 1 question, which did not hold on further ones"),
    ],
    ids=["stays", "rises", "further questions", "another candidate", "the base prompt again"],
)
def test_a_best_so_far_that_falls_says_why(best: dict[str, float] | None, remark: str) -> None:
    watched = Halfway()
    position = replace(watched.position(), best_scores=best or watched.base, highest=GainSoFar(4.0, 1))
    assert Observer(watched, lambda: position, 0.95).look(1.0).remark == remark
