"""What garbage collections leave alone."""

import gc

from search.running.frozen_heap import frozen_heap


def test_a_collection_looks_at_nothing_that_was_there_before_and_at_everything_afterwards() -> None:
    before: list[object] = []
    with frozen_heap():
        since: list[object] = []
        looked_at = {id(thing) for thing in gc.get_objects()}
        assert id(since) in looked_at
        assert id(before) not in looked_at
    assert id(before) in {id(thing) for thing in gc.get_objects()}


def test_the_end_of_an_inner_one_leaves_the_outer_one_s_objects_frozen() -> None:
    before: list[object] = []
    with frozen_heap():
        with frozen_heap():
            pass
        assert id(before) not in {id(thing) for thing in gc.get_objects()}
    assert id(before) in {id(thing) for thing in gc.get_objects()}
