"""Long work that leaves the event loop to others in between."""

import asyncio
from itertools import chain

from evaluators.slices import slices


async def read(count: int) -> tuple[list[list[int]], list[int]]:
    """The slices of so many numbers, and how many a task that is always ready had seen when it had a turn."""
    seen: list[list[int]] = []
    turns: list[int] = []

    async def other() -> None:
        while True:
            turns.append(len(seen))
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    async for numbers in slices(range(count)):
        seen.append([*numbers])
    task.cancel()
    return seen, turns


def test_all_items_come_in_their_order() -> None:
    for count in (0, 1, 500, 501, 1700):
        seen, _ = asyncio.run(read(count))
        assert [*chain.from_iterable(seen)] == [*range(count)]


def test_between_two_slices_others_have_a_turn() -> None:
    seen, turns = asyncio.run(read(1700))
    assert turns == [1, 2, 3]
    assert max(map(len, seen)) == 500


def test_what_is_short_is_done_at_once() -> None:
    seen, turns = asyncio.run(read(500))
    assert (len(seen), turns) == (1, [])
