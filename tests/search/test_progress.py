"""What people see while a search runs."""

from io import StringIO

import pytest
from rich.console import Console

from evaluators.counts import Counts
from search.coordinator import Phase, Position
from search.progress import LineView, LiveView, Snapshot, line, make_view, show_estimate, take_snapshot
from search.statistics import Estimate, estimate
from workers.activity import WorkersActivity
from workers.service.line import ServiceActivity


class Halfway:
    """A search that has replayed 100 evaluations and made 300 of 1,000 in this process."""

    def position(self) -> Position:
        return Position("search", 12, 400, 1000, 100, {"q1": 6.0, "q2": 8.0})

    def counts(self) -> Counts:
        return Counts(generated=290, judged=60, known=10, failed=2, new_tokens=9000, waiting=52)

    def activity(self) -> WorkersActivity:
        return WorkersActivity(alive=4, busy=3, queued=5, restarts=1, tokens=9000)

    def services(self) -> list[ServiceActivity]:
        return [ServiceActivity(in_flight=12, limit=16, waiting=40, slow_downs=2, paused=7.0)]


def snapshot() -> Snapshot:
    return take_snapshot(Halfway(), 60.0, 0.95)


def test_the_eta_counts_only_what_this_process_has_done() -> None:
    assert snapshot().eta == 60.0 / 300 * 600


def test_a_search_that_has_just_begun_promises_nothing() -> None:
    class Begun(Halfway):
        def position(self) -> Position:
            return Position("search", 0, 100, 1000, 100, {})

    begun = take_snapshot(Begun(), 1.0, 0.95)
    assert begun.eta is None
    assert "ETA unknown" in line(begun)
    assert "not yet scored" in line(begun)


def test_a_line_says_what_is_done_left_known_failed_and_how_fast() -> None:
    text = line(snapshot())
    for part in (
        "400 of 1,000 evaluations",
        "7.00 [",
        "n=2",
        "10 from the ledger",
        "2 FAILED",
        "52 answers wait for the judge",
        "judge: 12 of 16 in flight, 2 times told to slow down, pausing for 7 s",
        "150 tokens/s",
        "0:02:00",
    ):
        assert part in text


@pytest.mark.parametrize("phase", ["retry", "evaluate"])
def test_what_is_no_search_has_no_best(phase: Phase) -> None:
    class Other(Halfway):
        def position(self) -> Position:
            return Position(phase, 2, 400, 1000, 100, {})

    assert "best" not in line(take_snapshot(Other(), 60.0, 0.95))


def test_failed_questions_stand_beside_the_mean() -> None:
    assert show_estimate(estimate([5.0, 5.0], 0.95, failed=3)) == "5.00 [5.00, 5.00], n=2, 3 failed"
    assert show_estimate(Estimate(1, 0, 2, 9)) == "1.00 [0.00, 2.00], n=9"


def test_a_terminal_gets_a_drawing_and_a_file_gets_lines() -> None:
    terminal = Console(file=StringIO(), force_terminal=True, width=100)
    view = make_view(terminal)
    assert isinstance(view, LiveView)
    with view:
        view.show(snapshot())
    assert isinstance(terminal.file, StringIO)
    drawn = terminal.file.getvalue()
    for part in (
        "searching, 12 candidates scored",
        "best so far",
        "3 of 4 busy",
        "12 of 16 in flight",
        "1 restarts",
        "ETA 0:02:00",
    ):
        assert part in drawn
    assert isinstance(make_view(Console(file=StringIO())), LineView)


def test_lines_come_every_ten_seconds_and_when_the_phase_changes() -> None:
    written: list[str] = []
    now = iter([100.0, 101.0, 109.0, 111.0, 112.0])

    class Phases(Halfway):
        phase = iter(["search", "search", "search", "search", "held_out"])

        def position(self) -> Position:
            return Position(next(self.phase), 12, 400, 1000, 100, {})  # type: ignore[arg-type]

    watched, view = Phases(), LineView(written.append, lambda: next(now))
    for _ in range(5):
        view.show(take_snapshot(watched, 1.0, 0.95))
    assert len(written) == 3
    assert "held-out" in written[-1]
