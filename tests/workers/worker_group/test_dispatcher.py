"""Scheduling, without processes and without waiting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.bench.dispatch_simulation import Simulation, share_of_ideal, unlike_pieces
from workers.prompt import Decoding, PromptBlock, Rating
from workers.worker_group.dispatcher import Dispatcher
from workers.worker_group.piece import Piece, cut
from workers.worker_group.prefix_affinity import PrefixMemory, chain_of

GREEDY = Decoding(max_new_tokens=8)


def piece(prefix: str = "") -> Piece:
    [only] = cut(PromptBlock(prefix, ("?",)), GREEDY, 128, lambda news: None)
    return only


class Clock:
    """Tells the time that a test sets, in seconds."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def board(workers: int, max_attempts: int = 3, clock: Clock | None = None, small_suffixes: int = 1) -> Dispatcher:
    dispatcher = Dispatcher(max_attempts, clock or Clock(), small_suffixes=small_suffixes)
    for worker in range(workers):
        dispatcher.ready(worker)
    return dispatcher


# ---------------------------------------------------------------------------------------------------------- cutting


@given(st.integers(0, 900), st.integers(1, 200))
def test_pieces_cover_the_block_in_order_and_differ_by_one_suffix_at_most(total: int, block_size: int) -> None:
    pieces = cut(PromptBlock("p", ("s",) * total), GREEDY, block_size, lambda news: None)
    sizes = [len(part.unanswered) for part in pieces]
    assert [index for part in pieces for index in part.unanswered] == list(range(total))
    assert not sizes or (max(sizes) <= block_size and max(sizes) - min(sizes) <= 1)
    assert len(pieces) == -(-total // block_size)


# --------------------------------------------------------------------------------------------------------- affinity


@given(st.text("ab", max_size=2000), st.text("ab", max_size=2000))
def test_chains_share_as_many_hashes_as_prefixes_share_stretches(left: str, right: str) -> None:
    shared = next((place for place, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
    if shared is None:
        shared = min(len(left), len(right))
    same = sum(a == b for a, b in zip(chain_of(left), chain_of(right), strict=False))
    assert same == (len(chain_of(left)) if left == right else shared // 256)


def test_the_memory_of_a_worker_is_bounded_and_forgotten_with_it() -> None:
    memory = PrefixMemory(remembered=2)
    first, second, third = (chain_of(str(number) * 1000) for number in range(3))
    for chain in (first, second, first, third):
        memory.note(0, chain)
    assert [memory.loss(1, chain) for chain in (first, second, third)] == [4, 0, 4]
    assert [memory.loss(0, chain) for chain in (first, second, third)] == [0, 0, 0]
    memory.forget(0)
    assert [memory.loss(1, chain) for chain in (first, second, third)] == [0, 0, 0]


def test_pieces_of_one_prefix_gather_at_one_worker_while_others_have_work() -> None:
    blocks = [PromptBlock(letter * 2000, ("?",) * 4) for letter in "ab"]
    dispatcher = board(2)
    dispatcher.add(part for block in blocks for part in cut(block, GREEDY, 1, lambda news: None))
    prefixes: dict[int, str] = {0: "", 1: ""}
    while assigned := dispatcher.assign():
        for worker, part in assigned:
            prefixes[worker] += part.block.prefix[0]
            dispatcher.finished(worker, part)
    assert prefixes == {0: "aaaa", 1: "bbbb"}


def test_an_idle_worker_takes_a_piece_even_when_another_knows_its_prefix() -> None:
    dispatcher = board(2)
    dispatcher.add([piece("a" * 2000), piece("a" * 2000)])
    assert {worker for worker, _ in dispatcher.assign()} == {0, 1}


# ------------------------------------------------------------------------------------------------ queue and stealing


def test_nobody_gets_a_second_piece_before_everybody_has_one() -> None:
    dispatcher = board(3)
    dispatcher.add(piece() for _ in range(8))
    assert [worker for worker, _ in dispatcher.assign()] == [0, 1, 2, 0, 1, 2]
    assert (dispatcher.busy, dispatcher.queued) == (3, 5)


def test_an_idle_worker_steals_the_piece_that_waits_behind_another() -> None:
    dispatcher = board(2)
    pieces = [piece() for _ in range(4)]
    dispatcher.add(pieces)
    dispatcher.assign()
    dispatcher.finished(1, pieces[1])
    dispatcher.finished(1, pieces[3])
    assert dispatcher.steals() == [(0, pieces[2])]
    assert dispatcher.steals() == []
    dispatcher.withdrawn(0, pieces[2], given_back=True)
    assert dispatcher.assign() == [(1, pieces[2])]


def test_a_piece_that_had_begun_is_not_stolen() -> None:
    dispatcher = board(1)
    pieces = [piece(), piece()]
    dispatcher.add(pieces)
    dispatcher.assign()
    dispatcher.ready(1)
    assert dispatcher.steals() == [(0, pieces[1])]
    dispatcher.withdrawn(0, pieces[1], given_back=False)
    assert dispatcher.held(0) == tuple(pieces)
    assert dispatcher.assign() == []


def test_a_piece_nobody_wants_leaves_the_queue_at_once() -> None:
    dispatcher = board(1)
    pieces = [piece() for _ in range(3)]
    dispatcher.add(pieces)
    dispatcher.assign()
    assert [dispatcher.drop(part) for part in pieces] == [[0], [0], []]
    dispatcher.lost(0, was_running=True)
    dispatcher.ready(0)
    assert dispatcher.assign() == []


# ------------------------------------------------------------------------------------------------- pieces run together


def small(suffixes: int = 8, decoding: Decoding = GREEDY) -> Piece:
    [only] = cut(PromptBlock("", ("?",) * suffixes), decoding, 128, lambda news: None)
    return only


def test_small_pieces_are_shared_out_evenly_until_every_worker_has_enough() -> None:
    dispatcher = board(2, small_suffixes=32)
    dispatcher.add(small() for _ in range(20))
    assert [worker for worker, _ in dispatcher.assign()] == [0, 1] * 4
    dispatcher.finished(1, dispatcher.held(1)[0])
    assert [worker for worker, _ in dispatcher.assign()] == [1]


def test_few_small_pieces_leave_nobody_idle() -> None:
    dispatcher = board(4, small_suffixes=64)
    dispatcher.add(small() for _ in range(5))
    assert [worker for worker, _ in dispatcher.assign()] == [0, 1, 2, 3, 0]


@pytest.mark.parametrize(
    "pieces",
    [
        [small(40), small(), small()],
        [small(), small(decoding=Decoding(9)), small()],
        [cut(PromptBlock("", ("?",) * 8), Rating(), 128, lambda news: None)[0] for _ in range(3)],
    ],
    ids=["much", "decoded otherwise", "not decoded"],
)
def test_what_cannot_run_together_waits_for_its_turn(pieces: list[Piece]) -> None:
    dispatcher = board(1, small_suffixes=48)
    dispatcher.add(pieces)
    assert len(dispatcher.assign()) == 2


def running_together(seconds: float = 0.0) -> tuple[Dispatcher, list[Piece]]:
    """A worker with four pieces, of which three have been running for so long."""
    clock = Clock()
    dispatcher, pieces = board(1, clock=clock, small_suffixes=32), [small() for _ in range(4)]
    dispatcher.add(pieces)
    dispatcher.assign()
    for piece_begun in pieces[:3]:
        dispatcher.begun(0, piece_begun)
    clock.now += seconds
    return dispatcher, pieces


def test_pieces_that_run_together_are_not_counted_as_waiting() -> None:
    dispatcher, pieces = running_together(5.0)
    assert (dispatcher.queued, dispatcher.waiting, dispatcher.answering) == (1, 8, 24)
    assert dispatcher.running(0) == [(piece_begun, 8, 5.0) for piece_begun in pieces[:3]]


def test_only_what_waits_is_stolen() -> None:
    dispatcher, pieces = running_together()
    dispatcher.ready(1)
    assert dispatcher.steals() == [(0, pieces[3])]
    dispatcher.withdrawn(0, pieces[3], given_back=True)
    assert dispatcher.assign() == [(1, pieces[3])]
    assert dispatcher.steals() == []


def test_a_piece_is_expected_to_take_as_long_as_all_that_run_beside_it() -> None:
    dispatcher, pieces = running_together(24.0)
    dispatcher.drop(pieces[3])
    dispatcher.finished(0, pieces[3])
    for done in pieces[:3]:
        complete(dispatcher, 0, done)  # 24 suffixes in 24 s
    dispatcher.add([alone := small()])
    assert dispatcher.assign() == [(0, alone)]
    dispatcher.ready(1)
    assert dispatcher.until_copies() == pytest.approx(1.3 * 8)


def test_a_loss_in_company_is_blamed_on_nobody_until_each_has_run_alone() -> None:
    dispatcher, pieces = running_together()
    assert dispatcher.lost(0, was_running=True) == []
    assert [(one.attempts, one.suspect) for one in pieces] == [(0, True)] * 4
    dispatcher.ready(0)
    assert dispatcher.assign() == [(0, pieces[0])]


# ----------------------------------------------------------------------------------------------------------- losses


def test_a_lost_worker_counts_against_the_piece_it_ran_and_not_against_the_one_behind() -> None:
    dispatcher = board(1)
    first, second = small(), small(decoding=Decoding(9))
    dispatcher.add([first, second])
    dispatcher.assign()
    assert dispatcher.lost(0, was_running=True) == []
    assert (first.attempts, second.attempts) == (1, 0)


def test_a_lost_worker_counts_against_nobody_where_a_piece_may_have_joined_before_that_was_told() -> None:
    dispatcher = board(1, max_attempts=1)
    innocent, poison = small(), small()
    dispatcher.add([innocent, poison])
    dispatcher.assign()
    assert dispatcher.lost(0, was_running=True) == []
    assert [(one.attempts, one.suspect) for one in (innocent, poison)] == [(0, True)] * 2


def test_a_worker_lost_before_anything_was_sent_counts_against_nobody() -> None:
    dispatcher = board(1, max_attempts=1)
    only = piece()
    dispatcher.add([only])
    dispatcher.assign()
    assert dispatcher.lost(0, was_running=False) == []
    assert (only.attempts, only.suspect) == (0, False)


def test_suspects_run_alone_and_before_others() -> None:
    dispatcher = board(1)
    first, second, third = piece(), piece(), piece()
    dispatcher.add([first, second, third])
    dispatcher.assign()
    dispatcher.lost(0, was_running=True)
    dispatcher.ready(0)
    assert dispatcher.assign() == [(0, first)]
    dispatcher.finished(0, first)
    assert dispatcher.assign() == [(0, second)]


def test_a_poisonous_piece_is_given_up_after_its_attempts_and_its_neighbours_are_not() -> None:
    dispatcher = board(2)
    pieces = [piece(str(number)) for number in range(12)]
    poison, done, spent = pieces[5], set[Piece](), list[Piece]()
    dispatcher.add(pieces)
    for _ in range(100):
        dispatcher.assign()
        for worker in (0, 1):
            held = dispatcher.held(worker)
            # the cruellest order: the first piece is done, but the poison behind it kills before that is told
            if poison in held:
                spent += dispatcher.lost(worker, was_running=True)
                dispatcher.ready(worker)
            elif held:
                done.add(held[0])
                dispatcher.finished(worker, held[0])
    assert spent == [poison]
    assert done == set(pieces) - {poison}


# ----------------------------------------------------------------------------------------------------------- copies


def seasoned(throughput: list[float], max_attempts: int = 3) -> tuple[Dispatcher, Clock]:
    """Idle workers, each of which has answered one question in so many seconds."""
    clock = Clock()
    dispatcher = board(len(throughput), max_attempts, clock)
    dispatcher.add(piece() for _ in throughput)
    for worker, first in sorted(dispatcher.assign(), key=lambda pair: throughput[pair[0]]):
        clock.now = throughput[worker]
        complete(dispatcher, worker, first)
    return dispatcher, clock


def complete(dispatcher: Dispatcher, worker: int, part: Piece) -> None:
    part.unanswered.clear()
    dispatcher.drop(part)
    dispatcher.finished(worker, part)


def busy_board(pieces: int, max_attempts: int = 3) -> tuple[Dispatcher, list[Piece]]:
    """As many workers, which each need 10 s for a piece and each run one; nothing waits, and all are late."""
    dispatcher, clock = seasoned([10.0] * pieces, max_attempts)
    running = [piece() for _ in range(pieces)]
    for worker, one in enumerate(running):
        dispatcher.add([one])
        assert dispatcher.assign() == [(worker, one)]
        clock.now += 1
    assert dispatcher.copies() == []
    clock.now += 30
    return dispatcher, running


def test_an_idle_worker_copies_what_has_run_longest() -> None:
    dispatcher, (first, second, third) = busy_board(3)
    complete(dispatcher, 0, first)
    assert dispatcher.copies() == [(0, second)]
    assert (second.holders, dispatcher.copied, dispatcher.busy) == ([1, 0], 1, 3)
    assert dispatcher.answering == 2  # the copy is no further question
    complete(dispatcher, 2, third)
    assert dispatcher.copies() == []  # the first copy is on time


def test_what_is_on_time_is_not_copied_by_a_worker_that_is_no_faster() -> None:
    dispatcher, clock = seasoned([10.0, 9.0])
    dispatcher.add([only := piece()])
    assert dispatcher.assign() == [(0, only)]
    assert dispatcher.copies() == []
    assert dispatcher.until_copies() == pytest.approx(13)
    clock.now += 12.9
    assert dispatcher.copies() == []
    clock.now += dispatcher.until_copies() or 0.0
    assert dispatcher.copies() == [(1, only)]
    assert dispatcher.until_copies() is None


def test_what_a_slow_worker_has_begun_is_copied_by_a_fast_one_at_once() -> None:
    dispatcher, _ = seasoned([10.0, 2.0])
    dispatcher.add([only := piece()])
    assert dispatcher.assign() == [(0, only)]
    assert dispatcher.copies() == [(1, only)]


def test_what_takes_a_moment_is_not_copied_however_slow_its_worker_is() -> None:
    dispatcher, clock = seasoned([0.5, 0.01])
    dispatcher.add([only := piece()])
    assert dispatcher.assign() == [(0, only)]
    clock.now += 1.9
    assert dispatcher.copies() == []


def test_nothing_is_copied_before_it_is_known_how_long_a_piece_takes() -> None:
    clock = Clock()
    dispatcher = board(2, clock=clock)
    dispatcher.add([piece()])
    dispatcher.assign()
    clock.now += 1000
    assert dispatcher.copies() == []
    assert dispatcher.until_copies() is None


def test_a_worker_that_was_lost_has_no_past() -> None:
    dispatcher, _ = seasoned([4.0, 1.0, 4.0])
    dispatcher.lost(1, was_running=False)
    dispatcher.ready(1)
    dispatcher.add([only := piece()])
    assert dispatcher.assign() == [(0, only)]
    assert dispatcher.copies() == []  # it would gain 3 s in its old life, and as the average of all only 1


def test_a_piece_has_no_more_copies_than_attempts_and_never_more_than_two() -> None:
    for max_attempts, holders in ((1, 1), (2, 2), (3, 3), (9, 3)):
        dispatcher, clock = seasoned([10.0], max_attempts)
        dispatcher.add([only := piece()])
        dispatcher.assign()
        for worker in range(1, 6):
            dispatcher.ready(worker)
        copies = 0
        for _ in range(6):
            clock.now += 20
            copies += len(dispatcher.copies())
        assert copies == holders - 1
        assert len(only.holders) == holders


def test_nothing_is_copied_while_something_waits_anywhere() -> None:
    dispatcher, clock = seasoned([10.0, 10.0])
    pieces = [piece() for _ in range(4)]
    dispatcher.add(pieces)
    dispatcher.assign()
    for done in (pieces[1], pieces[3]):
        complete(dispatcher, 1, done)
    clock.now += 100
    assert dispatcher.copies() == []  # worker 0 has a second piece, which can be stolen
    [(worker, stolen)] = dispatcher.steals()
    dispatcher.withdrawn(worker, stolen, given_back=True)
    assert dispatcher.copies() == []
    assert dispatcher.assign() == [(1, stolen)]


def test_a_copy_begins_at_the_other_end() -> None:
    [part] = cut(PromptBlock("p", ("a", "b", "c")), GREEDY, 128, lambda news: None)
    part.holders += [4, 7]
    assert (part.indices_for(4), part.indices_for(7)) == ([0, 1, 2], [2, 1, 0])


def test_copies_are_called_back_when_there_is_work_again_those_begun_last_first() -> None:
    dispatcher, clock = seasoned([10.0, 10.0])
    dispatcher.add([first := piece(), second := piece()])
    dispatcher.assign()
    for worker, part, seconds in ((2, first, 20), (3, second, 1)):
        clock.now += seconds
        dispatcher.ready(worker)
        assert dispatcher.copies() == [(worker, part)]
    fresh = piece()
    dispatcher.add([fresh])
    assert dispatcher.assign() == [(0, fresh)]  # behind an original, never behind a copy
    assert dispatcher.recalls() == [(3, second)]
    assert dispatcher.recalls() == []
    assert not dispatcher.finished(3, second)
    assert dispatcher.steals() == [(0, fresh)]
    assert second.holders == [1]


def test_a_lost_worker_leaves_the_other_copy_alone() -> None:
    for lost, left in ((0, 1), (1, 0)):
        dispatcher, [only] = busy_board(1)
        dispatcher.ready(1)
        dispatcher.copies()
        assert dispatcher.lost(lost, was_running=True) == []
        dispatcher.ready(lost)
        assert dispatcher.assign() == dispatcher.copies() == []  # suspect: the next loss is to be blamed on it alone
        assert (only.holders, only.attempts) == ([left], 1)
        assert dispatcher.finished(left, only)


def test_only_real_losses_count_as_attempts_of_a_copied_piece() -> None:
    dispatcher, [only] = busy_board(1, max_attempts=2)
    dispatcher.ready(1)
    dispatcher.copies()
    assert dispatcher.lost(0, was_running=True) == []
    assert dispatcher.lost(1, was_running=False) == []  # the copy had not been sent
    assert only.attempts == 1
    dispatcher.ready(2)
    assert dispatcher.assign() == [(2, only)]
    assert dispatcher.lost(2, was_running=True) == [only]


def test_a_copy_called_back_goes_to_the_queue_when_the_original_was_lost_meanwhile() -> None:
    dispatcher, [only] = busy_board(1)
    dispatcher.ready(1)
    dispatcher.copies()
    dispatcher.add([fresh := piece()])
    dispatcher.assign()
    assert dispatcher.recalls() == [(1, only)]
    dispatcher.lost(0, was_running=False)
    assert not dispatcher.finished(1, only)
    assert {part for _, part in dispatcher.assign()} == {only, fresh}


def test_what_has_failed_once_is_not_copied_and_fails_when_its_last_holder_does() -> None:
    dispatcher, [only] = busy_board(1)
    dispatcher.ready(1)
    dispatcher.copies()
    assert not dispatcher.finished(1, only, has_failed=True)
    assert dispatcher.copies() == []
    assert dispatcher.finished(0, only, has_failed=True)


class Turmoil:
    """A dispatcher with three workers to which anything may happen; what happens is drawn by the caller.

    Attributes:
        ended: how often each piece was said to be over.
    """

    def __init__(self, pieces: list[Piece]) -> None:
        self.board, self._clock = seasoned([1.0] * 3, max_attempts=10_000)
        self.ended = dict.fromkeys(pieces, 0)
        self._asked_back: list[tuple[int, Piece]] = []
        self._recalled: list[tuple[int, Piece]] = []
        self.board.add(pieces)
        self.hand_out()

    def hand_out(self) -> None:
        self.board.assign()
        self.board.copies()
        self._asked_back += self.board.steals()
        self._recalled += self.board.recalls()

    def happen(self, what: int, worker: int) -> None:
        held = self.board.held(worker)
        self._clock.now += 1.0  # after two such steps a piece is late
        if what == 0:
            self.board.lost(worker, was_running=True)
            self.board.ready(worker)
        elif what == 1 and self._asked_back:
            self.board.withdrawn(*self._asked_back.pop(0), given_back=worker != 0)
        elif what == 2 and self._recalled:
            copying, copied = self._recalled.pop(0)
            if copied in self.board.held(copying):
                self._end(copying, copied)
        elif held and what == 3:
            self._end(worker, held[0])
        elif held:
            self.complete(worker, held[0])
        self.hand_out()

    def complete(self, worker: int, part: Piece) -> None:
        if not part.over:
            part.unanswered.clear()
            self.ended[part] += 1
            for other in self.board.drop(part):
                if other != worker:
                    self.board.finished(other, part)
        self.board.finished(worker, part)

    def _end(self, worker: int, part: Piece) -> None:
        """Early: cancelled, or by an error."""
        if self.board.finished(worker, part):
            self.ended[part] += 1
            self.board.drop(part)


@given(st.integers(1, 9), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=60))
def test_whatever_happens_every_piece_is_over_exactly_once(number: int, events: list[tuple[int, int]]) -> None:
    pieces = [piece() for _ in range(number)]
    turmoil = Turmoil(pieces)
    for what, worker in events:
        turmoil.happen(what, worker)
        for part in pieces:
            assert len(part.holders) == len(set(part.holders))
            assert {worker for worker in range(3) if part in turmoil.board.held(worker)} == set(part.holders)
    for _ in range(20 * number):
        for worker in range(3):
            for what in (1, 2, 4):
                turmoil.happen(what, worker)
    assert set(turmoil.ended.values()) == {1}
    assert turmoil.board.busy == turmoil.board.queued == 0


# ------------------------------------------------------------------------------------------------- 64 workers at work


def test_64_workers_of_lognormal_speed_reach_95_percent_of_the_ideal() -> None:
    assert share_of_ideal(0, workers=64, sigma=0.4, each=60, latency=0.1, with_copies=True) >= 0.95


def test_copies_bring_the_end_of_a_short_round_nearer() -> None:
    without, with_copies = (
        share_of_ideal(1, 64, sigma=0.5, each=20, latency=0.1, with_copies=on) for on in (False, True)
    )
    assert with_copies > without


def test_a_second_piece_hides_a_slow_line_from_the_worker() -> None:
    work = dict.fromkeys(unlike_pieces(200), 1.0)
    assert Simulation([1.0, 1.0], latency=0.4).run(work) < 103
