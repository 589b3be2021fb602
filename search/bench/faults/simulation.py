"""A search whose processes are killed, interrupted and starved, against the same one left alone.

What must hold, whatever befalls its processes:

1. An end is reached, with the journal of the search that was left alone, byte for byte.
2. No row that was durable when a process began is lost, or asked for again by it.
3. Every row tells of a call on the services' bill, and every call on it is durable, or its answer came too late or to
   nobody, or it was lost by a process that did not end in order. A lost call had not been answered, or had been
   answered no earlier than the last commit that was acknowledged had been asked for: it had no place in that one.
   Where a process ends in order, nothing that is paid for is lost; where the disk takes no more of it, somebody is
   told. So what is spent, with what was lost, is the bill to the last call.
4. Every score is one that the judge gave. Every score in a journal follows from durable verdicts.
5. Rows that a note beside the ledger promises are there.
6. Every error comes to somebody's ears.
7. Nothing that was answered is asked for again by the same process.
8. Of a whole run, whoever looks is told how it stands, whenever its processes end; and at the end as if nothing had
   befallen them.
"""

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from shutil import rmtree
from statistics import fmean
from typing import Protocol

from evaluators.answer_keys import AnswerKeys
from evaluators.ledger.spend import Spend
from evaluators.ledger.tally import Tally, read_tally
from search.bench.faults.disk import write_files
from search.bench.faults.loop import Order
from search.bench.faults.process import Fate, Process, ProcessEnd, Say
from search.bench.faults.search import JOURNAL, LEDGER, STRATEGIES, TALLY, Problem, SearchAlone, Storage
from search.bench.faults.services import Bill
from search.bench.faults.whole_run import WholeRun, write_inputs
from search.run_directory.journal import read_journal
from search.run_directory.records import TrialRecord
from search.running.launch import InLoop

MOST_PROCESSES = 40
WORKING = Storage()
FAILED = "failures"
_ILL_FATED = (1, 2, 6)
WHOLE = 8
"""One seed in so many is a whole run, with all its files and the real client of services."""


class InvariantBroken(AssertionError):
    """What must hold does not."""


@dataclass(frozen=True, slots=True)
class SimulatedFaults:
    """What a simulated search went through.

    Attributes:
        processes: of the search.
        billed, lost: calls; a lost one was paid for again.
        ends: how its processes ended.
    """

    processes: int
    billed: int
    lost: int
    ends: Counter[str]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a folder holds durably.

    Attributes:
        calls: table and score of every row that was paid for, by the number of its call.
        verdicts: scores by key.
    """

    calls: dict[int, tuple[str, float | None]] = field(default_factory=dict)
    verdicts: dict[bytes, float] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> "_Kept":
        if not (folder / LEDGER).exists():
            return cls()
        calls: dict[int, tuple[str, float | None]] = {}
        with closing(sqlite3.connect(folder / LEDGER)) as ledger:
            for table, score in (("generations", "NULL"), ("verdicts", "score"), ("failures", "NULL")):
                query = f"SELECT prompt_tokens, {score} FROM {table} WHERE prompt_tokens > 0"  # noqa: S608 -- constants
                calls |= {number: (table, value) for number, value in ledger.execute(query)}
            return cls(calls, dict(ledger.execute("SELECT key, score FROM verdicts")))


class Subject(Protocol):
    """What is searched, the same from one process to the next.

    Attributes:
        paid: answers of the model are paid for.
        pondered: seconds for which an answer may be looked at before it is kept.
    """

    paid: bool
    pondered: float

    def work(self, path: Path, bill: Bill, draw: random.Random, ill: float) -> Callable[[InLoop], None]:
        """What one process does in this folder, with services that are ill in this share of their answers."""
        ...

    def spend(self, path: Path) -> Spend:
        """What the ledger in this folder says was paid for."""
        ...

    def standing(self, path: Path) -> object:
        """What whoever looks is told."""
        ...


class _Searched:
    """One search from its first process to its last."""

    def __init__(
        self, folder: Path, subject: Subject, draw: random.Random, say: Say | None, synchronises: bool
    ) -> None:
        self._folder, self._subject, self._draw, self._say = folder, subject, draw, say
        self._synchronises = synchronises
        self._kept = _Kept()
        self.standing: object = None
        self.bill = Bill()
        self.lost: set[int] = set()
        self.processes = 0
        self.path = folder / "0"
        self.path.mkdir(parents=True)

    def live(self, fate: Fate, ill: float) -> ProcessEnd:
        """One process; what it leaves becomes the directory of the next."""
        bill = self.bill
        bill.begin_session(
            {bill.calls[number].content for number, (table, _) in self._kept.calls.items() if table != FAILED}
        )
        process = Process(self.path, fate, self._draw, self._say, synchronises=self._synchronises)
        ended = process.run(self._subject.work(self.path, bill, self._draw, ill))
        self.processes += 1
        self.path = self._folder / str(self.processes)
        write_files(self.path, ended.files)
        self._check(ended)
        return ended

    def _check(self, ended: ProcessEnd) -> None:
        looked_at = self._folder / "looked at"  # a copy: looking into a ledger repairs it
        rmtree(looked_at, ignore_errors=True)
        write_files(looked_at, ended.files)
        before, after, bill = self._kept.calls, _Kept.of(looked_at), self.bill
        self._kept = after
        _hold(not bill.asked_again, "a durable row was asked for again: {}", bill.asked_again)
        _hold(before.keys() <= after.calls.keys(), "durable rows were lost: {}", before.keys() - after.calls.keys())
        unbilled = after.calls.keys() - bill.calls.keys()
        _hold(not unbilled, "rows that nobody has billed: {}", unbilled)
        for number, (table, score) in after.calls.items():
            call = bill.calls[number]
            _hold((table == FAILED) == call.failed, "a failure is a result, or a result a failure: {}", call)
            _hold(table != "verdicts" or score == call.score, "a score that the judge did not give: {}", (score, call))
        _hold(not ended.unheard, "errors that nobody has heard of: {}", ended.unheard)
        self._check_lost(ended)
        _check_journal(looked_at, after.verdicts)
        spend, noted = self._subject.spend(looked_at), read_tally(looked_at / TALLY)
        there = Tally(spend.generated, spend.judged)
        _hold(not noted.exceeds(there), "{} is noted, and not there", (noted, there))
        self.standing = self._subject.standing(looked_at)

    def _check_lost(self, ended: ProcessEnd) -> None:
        in_order = ended.how != "killed" and ended.times_told < 2 and not ended.disk_full
        is_silent = ended.disk_full and ended.how in ("finished", "interrupted")
        for number in self.bill.calls.keys() - self._kept.calls.keys() - self.lost:
            call = self.bill.calls[number]
            is_free = call.given_up or (call.content.startswith("answer") and not self._subject.paid)
            in_flight = call.ended is None or call.ended >= ended.committed - self._subject.pondered
            _hold(is_free or not in_order, "a process that ended in order has lost {}", call)
            _hold(is_free or ended.times_told > 1 or not is_silent, "the disk was full, and nobody is told: {}", call)
            _hold(in_flight, "a call that had been acknowledged was lost: {}", call)
            self.lost.add(number)


def _check_journal(folder: Path, verdicts: Mapping[bytes, float]) -> None:
    for record in read_journal(folder / JOURNAL):
        if isinstance(record, TrialRecord):
            for question, score in record.scored.scores.items():
                keys = AnswerKeys.from_text(record.scored.keys[question])
                wanted = [key for turn in keys.verdicts for member in turn for key in member]
                durable = [verdicts[key] for key in wanted if key in verdicts]
                _hold(
                    len(durable) == len(wanted), "a score in the journal has no durable verdict: {}", (record, question)
                )
                _hold(score == fmean(durable), "a score that is not what the verdicts say: {}", (score, durable))


def simulate(seed: int, folder: Path, storage: Storage = WORKING, say: Say | None = None) -> SimulatedFaults:
    """One search among faults against the same one without.

    Raises:
        InvariantBroken: see the module.
    """
    draw = _draw(seed)
    subject, ill_fated = _subject(seed, folder, storage, draw)
    whole_subject, _ = _subject(seed, folder, WORKING, _draw(seed))
    whole = _Searched(folder / "whole", whole_subject, _draw(seed), None, synchronises=True)
    alone = whole.live(Fate(), ill=0.0)
    _hold(alone.how == "finished" and not whole.lost, "left alone, the search has {}", alone.how)
    searched = _Searched(folder / "among faults", subject, draw, say, storage.synchronises)
    kinds: Counter[str] = Counter()
    for number in range(MOST_PROCESSES):
        is_well = number >= ill_fated
        fate = Fate() if is_well else _draw_fate(draw, alone)
        if say is not None:
            say(f"process {number}: {fate}")
        ended = searched.live(fate, ill=0.0 if is_well else draw.choice((0.0, 0.02, 0.3)))
        kinds[ended.how] += 1
        if ended.how == "finished" and is_well:
            break
    else:
        raise InvariantBroken(f"no end after {MOST_PROCESSES} processes")
    _hold(ended.files[JOURNAL] == alone.files[JOURNAL], "another journal: {}", _difference(ended, alone))
    _hold(searched.standing == whole.standing, "it stands otherwise: {}", (searched.standing, whole.standing))
    asked = len(searched.bill.calls)
    searched.live(Fate(), ill=0.0)
    _hold(len(searched.bill.calls) == asked, "a search that has ended asks for more: {}", asked)
    return SimulatedFaults(searched.processes, asked, len(searched.lost), kinds)


def _subject(seed: int, folder: Path, storage: Storage, draw: random.Random) -> tuple[Subject, int]:
    """What is searched, and how many processes fare ill; nothing befalls later ones. One seed in `WHOLE` is a whole
    run."""
    favours_base = seed % 16 > 0  # what the end says of another winner takes most of the time
    window, ill_fated = draw.choice((1, 2, 4, 12)), draw.choice(_ILL_FATED)
    if seed % WHOLE == WHOLE - 1:
        inputs = folder / "inputs"
        inputs.mkdir(parents=True, exist_ok=True)
        config = write_inputs(inputs, strategy=seed // WHOLE, seed=seed, window=window)
        return WholeRun(config, favours_base, storage.keeps_connections), ill_fated // 2
    problem = Problem(
        strategy=seed % len(STRATEGIES),
        seed=seed,
        window=window,
        paid=draw.random() < 0.5,
        repeats=draw.choice((1, 1, 2)),
        stop_after_failed=draw.choice((3, 9)),
    )
    return SearchAlone(problem, storage, favours_base), ill_fated


def _draw_fate(draw: random.Random, alone: ProcessEnd) -> Fate:
    """Steps and writes are drawn from those of the search left alone, or from the first ones: a process that goes on
    with a search makes fewer."""
    order: Order = draw.choice(("oldest", "any", "any", "starving"))
    step = draw.randrange(draw.choice((alone.steps, alone.steps // 8)) + 1)
    files = ("file",) if alone.writes.get("file") else ()
    kind = draw.choice(("step", "commit", "journal", "told", "full", "none", *files))
    if kind == "step":
        return Fate(killed_before=step, order=order)
    if kind in ("commit", "journal", "file"):
        writes = alone.writes[kind]
        return Fate(killed_in=(kind, draw.randrange(draw.choice((2, writes // 4 + 1, writes)))), order=order)
    if kind == "full":
        writes = sum(alone.writes.values())
        return Fate(full_from=draw.randrange(draw.choice((2, writes // 4 + 1, writes))), order=order)
    if kind == "told":
        told_steps = [step + draw.randrange(20) * again for again in range(draw.choice((1, 1, 2)))]
        killed = step + draw.randrange(40) if draw.random() < 0.3 else None
        full = draw.randrange(sum(alone.writes.values())) if draw.random() < 0.3 else None
        return Fate(told_to_end=tuple(told_steps), killed_before=killed, full_from=full, order=order)
    return Fate(order=order)


def _draw(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 -- replays


def _difference(ended: ProcessEnd, alone: ProcessEnd) -> tuple[str, str]:
    """The first two lines that differ."""
    pairs = zip_longest(ended.files[JOURNAL].splitlines(), alone.files[JOURNAL].splitlines(), fillvalue=b"")
    first, second = next((pair for pair in pairs if pair[0] != pair[1]), (b"", b""))
    return first.decode(errors="replace"), second.decode(errors="replace")


def _hold(truth: bool, sentence: str, detail: object) -> None:
    if not truth:
        raise InvariantBroken(sentence.format(f"{detail!s:.2000}"))
