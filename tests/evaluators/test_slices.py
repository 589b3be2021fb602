"""Long work that leaves the event loop to others in between."""

import asyncio
from itertools import chain

from evaluators.slices import slices


async def read(*counts: int) -> tuple[list[tuple[int, list[int]]], list[int]]:
    """The slices of so many numbers each, read by as many tasks: who had which slice, in turn; and how many slices
    there had been when a task that is always ready had a turn."""
    seen: list[tuple[int, list[int]]] = []
    turns: list[int] = []

    async def one(reader: int, count: int) -> None:
        async for numbers in slices(range(count)):
            seen.append((reader, [*numbers]))

    async def other() -> None:
        while True:
            turns.append(len(seen))
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await asyncio.gather(*(one(reader, count) for reader, count in enumerate(counts)))
    task.cancel()
    return seen, turns


def test_all_items_come_in_their_order() -> None:
    for count in (0, 1, 500, 501, 1700):
        seen, _ = asyncio.run(read(count))
        assert [*chain.from_iterable(numbers for _, numbers in seen)] == [*range(count)]
        assert all(len(numbers) <= 500 for _, numbers in seen)


def test_between_any_two_slices_others_have_a_turn_whoever_has_them() -> None:
    for counts in ((1700,), (1700, 600, 2000)):
        seen, turns = asyncio.run(read(*counts))
        assert {*range(1, len(seen))} <= {*turns}


def test_everybody_has_a_slice_before_anybody_has_the_next() -> None:
    seen, _ = asyncio.run(read(1500, 1500, 1500))
    assert [reader for reader, _ in seen] == [0, 1, 2] * 3


def test_what_is_short_is_done_at_once() -> None:
    seen, turns = asyncio.run(read(500))
    assert (len(seen), {*turns} - {1}) == (1, {0})


def test_who_is_cancelled_while_waiting_holds_up_nobody() -> None:
    async def run() -> int:
        first, *others = (asyncio.create_task(read(1000)) for _ in range(3))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.cancel()
        done = await asyncio.gather(*others)
        assert first.cancelled() or await asyncio.wait([first])
        return sum(len(seen) for seen, _ in done)

    assert asyncio.run(run()) == 4
