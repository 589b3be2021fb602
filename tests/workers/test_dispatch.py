"""Scheduling, without processes and without waiting."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from workers.affinity import PrefixMemory, chain_of
from workers.dispatch import Dispatcher, Piece, cut
from workers.prompt import Decoding, PromptBlock

GREEDY = Decoding(max_new_tokens=8)


def piece(prefix: str = "") -> Piece:
    [only] = cut(PromptBlock(prefix, ("?",)), GREEDY, 128, lambda news: None)
    return only


def board(workers: int, max_attempts: int = 3) -> Dispatcher:
    dispatcher = Dispatcher(max_attempts)
    for worker in range(workers):
        dispatcher.join(worker)
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
    dispatcher.join(1)
    assert dispatcher.steals() == [(0, pieces[1])]
    dispatcher.withdrawn(0, pieces[1], given_back=False)
    assert dispatcher.held(0) == tuple(pieces)
    assert dispatcher.assign() == []


def test_a_piece_nobody_wants_leaves_the_queue_at_once() -> None:
    dispatcher = board(1)
    pieces = [piece() for _ in range(3)]
    dispatcher.add(pieces)
    dispatcher.assign()
    assert [dispatcher.drop(part) for part in pieces] == [0, 0, None]
    dispatcher.lost(0, was_running=True)
    dispatcher.join(0)
    assert dispatcher.assign() == []


# ----------------------------------------------------------------------------------------------------------- losses


def test_a_lost_worker_counts_against_the_piece_it_ran_and_not_against_the_one_behind() -> None:
    dispatcher = board(1)
    first, second = piece(), piece()
    dispatcher.add([first, second])
    dispatcher.assign()
    assert dispatcher.lost(0, was_running=True) == []
    assert (first.attempts, second.attempts) == (1, 0)


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
    dispatcher.join(0)
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
                dispatcher.join(worker)
            elif held:
                done.add(held[0])
                dispatcher.finished(worker, held[0])
    assert spent == [poison]
    assert done == set(pieces) - {poison}


# ------------------------------------------------------------------------------------------------- 64 workers at work


@dataclass
class Simulation:
    """Workers of different speed behind a slow line, on a virtual clock.

    Attributes:
        speeds: work units a second, one a worker.
        latency: seconds a message takes, either way.
    """

    speeds: list[float]
    latency: float
    clock: float = 0.0
    events: list[tuple[float, int, str, int, Piece]] = field(default_factory=list)
    order: Iterator[int] = field(default_factory=count)

    def run(self, pieces: list[Piece], work: dict[Piece, float]) -> float:
        """Seconds until the last piece is known to be done."""
        self.work, self.board = work, board(len(self.speeds))
        self.inside: dict[int, list[Piece]] = {worker: [] for worker in range(len(self.speeds))}
        self.board.add(pieces)
        self._hand_out()
        while self.events:
            self.clock, _, what, worker, part = heapq.heappop(self.events)
            getattr(self, f"_{what}")(worker, part)
        assert self.board.busy == self.board.queued == 0
        return self.clock

    def _later(self, seconds: float, what: str, worker: int, part: Piece) -> None:
        heapq.heappush(self.events, (self.clock + seconds, next(self.order), what, worker, part))

    def _hand_out(self) -> None:
        for worker, part in self.board.assign():
            self._later(self.latency, "arrive", worker, part)
        for worker, part in self.board.steals():
            self._later(self.latency, "withdraw", worker, part)

    def _arrive(self, worker: int, part: Piece) -> None:
        self.inside[worker].append(part)
        if len(self.inside[worker]) == 1:
            self._begin(worker)

    def _begin(self, worker: int) -> None:
        part = self.inside[worker][0]
        self._later(self.work[part] / self.speeds[worker], "complete", worker, part)

    def _complete(self, worker: int, part: Piece) -> None:
        self.inside[worker].remove(part)
        if self.inside[worker]:
            self._begin(worker)
        self._later(self.latency, "told", worker, part)

    def _told(self, worker: int, part: Piece) -> None:
        self.board.finished(worker, part)
        self._hand_out()

    def _withdraw(self, worker: int, part: Piece) -> None:
        given_back = part in self.inside[worker][1:]
        if given_back:
            self.inside[worker].remove(part)
        self._later(self.latency, "given_back" if given_back else "kept", worker, part)

    def _given_back(self, worker: int, part: Piece) -> None:
        self.board.withdrawn(worker, part, given_back=True)
        self._hand_out()

    def _kept(self, worker: int, part: Piece) -> None:
        self.board.withdrawn(worker, part, given_back=False)


def test_64_workers_of_lognormal_speed_reach_95_percent_of_the_ideal() -> None:
    chance = random.Random(0)
    speeds = [chance.lognormvariate(0, 0.4) for _ in range(64)]
    pieces = [piece(f"rules {number}" * 40) for number in range(64 * 60)]
    work = {part: chance.lognormvariate(2, 0.3) for part in pieces}
    ideal = sum(work.values()) / sum(speeds)
    assert ideal / Simulation(speeds, latency=0.1).run(pieces, work) >= 0.95


def test_a_second_piece_hides_a_slow_line_from_the_worker() -> None:
    pieces = [piece() for _ in range(200)]
    work = dict.fromkeys(pieces, 1.0)
    assert Simulation([1.0, 1.0], latency=0.4).run(pieces, work) < 103
