import asyncio
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.service.concurrency import START, Gate, Limit, Ticket

MOST = st.integers(1, 100)


class Simulation:
    """A service that bears `capacity` requests at a time; a round trip answers all that are under way."""

    def __init__(self, most: int, capacity: int) -> None:
        self.limit = Limit(most)
        self.capacity = capacity

    def round_trip(self) -> None:
        tickets = [self.limit.ticket() for _ in range(self.limit.value)]
        for number, ticket in enumerate(tickets):
            if number < self.capacity:
                self.limit.answered(len(tickets))
            else:
                self.limit.congested(ticket)


@given(MOST, st.lists(st.sampled_from(["send", "good", "bad"]), max_size=300))
def test_whatever_happens_the_limit_stays_between_one_and_the_most(most: int, history: list[str]) -> None:
    limit, sent = Limit(most), deque[Ticket]()
    for event in history:
        if event == "send":
            sent.append(limit.ticket())
        elif sent and event == "good":
            limit.answered(len(sent))
            sent.popleft()
        elif sent:
            limit.congested(sent.popleft())
        assert 1 <= limit.value <= most


@given(MOST)
def test_while_all_is_well_it_doubles_every_round_trip_up_to_the_most(most: int) -> None:
    simulation = Simulation(most, capacity=1000)
    for trip in range(8):
        assert simulation.limit.value == min(START * 2**trip, most)
        simulation.round_trip()


@given(MOST, st.integers(1, 100))
def test_one_round_trip_of_congestion_halves_it_once_however_many_met_it(most: int, many: int) -> None:
    limit = Limit(most)
    tickets = [limit.ticket() for _ in range(many)]
    before = limit.value
    for ticket in tickets:
        limit.congested(ticket)
    assert limit.value == max(1, before // 2)
    limit.congested(limit.ticket())
    assert limit.value == max(1, before // 4)


@given(st.integers(1, 60))
def test_it_settles_between_half_of_what_the_service_bears_and_a_little_above(capacity: int) -> None:
    simulation = Simulation(100, capacity)
    seen = []
    for trip in range(150):
        simulation.round_trip()
        if trip > 50:
            seen.append(simulation.limit.value)
    assert max(seen) <= capacity + 2
    assert min(seen) >= max(1, capacity // 2)


@given(st.integers(2, 100))
def test_after_a_cut_it_grows_by_one_a_round_trip(most: int) -> None:
    simulation = Simulation(most, capacity=1000)
    simulation.round_trip()
    simulation.limit.congested(simulation.limit.ticket())
    for _ in range(5):
        before = simulation.limit.value
        simulation.round_trip()
        assert before <= simulation.limit.value <= min(before + 1, most)


def test_answers_far_below_the_limit_prove_nothing_about_a_higher_one() -> None:
    limit = Limit(100)
    for _ in range(50):
        limit.answered(START // 2 - 1)
    assert limit.value == START


async def _pass(gate: Gate, done: list[int], number: int, hold: asyncio.Event) -> None:
    async with gate.passing():
        done.append(number)
        await hold.wait()


@settings(max_examples=50)
@given(st.integers(1, 8), st.integers(0, 30), st.sets(st.integers(0, 29)))
def test_callers_pass_in_their_order_and_a_cancelled_one_leaves_no_hole(
    most: int, callers: int, cancelled: set[int]
) -> None:
    async def scenario() -> tuple[list[int], list[int], int]:
        gate, passed, hold = Gate(Limit(most)), list[int](), asyncio.Event()
        tasks = [asyncio.create_task(_pass(gate, passed, number, hold)) for number in range(callers)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first = list(passed)
        for number in cancelled & set(range(callers)):
            tasks[number].cancel()
        hold.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        return first, passed, gate.in_flight + gate.waiting

    first, passed, left = asyncio.run(scenario())
    assert first == list(range(min(most, callers)))
    assert passed == sorted(passed)
    assert set(range(callers)) - cancelled <= set(passed)
    assert left == 0


def test_a_pause_keeps_everyone_out_and_a_shorter_one_changes_nothing() -> None:
    async def scenario() -> None:
        gate, passed, hold = Gate(Limit(4)), list[int](), asyncio.Event()
        hold.set()
        gate.pause(1.0)
        gate.pause(0.01)
        tasks = [asyncio.create_task(_pass(gate, passed, number, hold)) for number in range(3)]
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(0.05)
        assert (passed, gate.waiting) == ([], 3)
        gate.pause(1.0)  # longer than what is left of the first
        assert gate.passed.seconds == 0
        await asyncio.gather(*tasks)
        assert gate.passed.seconds > 0
        assert asyncio.get_running_loop().time() - began >= 1.04
        assert passed == [0, 1, 2]

    asyncio.run(scenario())


def test_who_is_let_in_and_cancelled_at_the_same_moment_gives_the_place_on() -> None:
    async def scenario() -> list[int]:
        gate, passed, hold = Gate(Limit(1)), list[int](), asyncio.Event()
        first, second, third = (asyncio.create_task(_pass(gate, passed, number, hold)) for number in range(3))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)  # its place is given to the second, who has not woken yet
        second.cancel()
        hold.set()
        await asyncio.gather(first, second, third, return_exceptions=True)
        return passed

    passed = asyncio.run(scenario())
    assert passed[0] == 0
    assert passed[-1] == 2


@pytest.mark.parametrize("most", [1, 3, 8, 9])
def test_it_begins_small(most: int) -> None:
    assert Limit(most).value == min(most, START)
