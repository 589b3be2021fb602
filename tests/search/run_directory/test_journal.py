"""The journal is the same whatever happened on the way."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import InputError
from evaluators.answer_keys import AnswerKeys
from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial
from search.run_directory.journal import Journal, read_journal, read_record_at, read_records, replayed
from search.run_directory.records import EndRecord, JournalRecord, TrialRecord

TRIAL = Trial(Candidate(("a", "b")), ("q1", "q2"))
SCORED = ScoredTrial(TRIAL, {"q1": 7.25}, {"q2": "JudgeFailed"}, None)


RECORD = TrialRecord("search", SCORED)
END = EndRecord(TRIAL.candidate, Candidate(("a",)), 0.9)


def numbered(number: int) -> TrialRecord:
    trial = Trial(Candidate((f"d{number}",)), ("q1",))
    return TrialRecord("search", ScoredTrial(trial, {"q1": float(number)}, {}, float(number)))


def write(path: Path, *records: JournalRecord) -> bytes:
    journal = Journal(path)
    for record in records:
        journal.append(record)
    journal.close()
    return path.read_bytes()


names = st.text(min_size=1, max_size=5)
finite = st.floats(-1e300, 1e300)
candidates = st.builds(Candidate, st.lists(names, max_size=3, unique=True).map(tuple), st.sampled_from(["", "hot"]))
key = st.binary(min_size=32, max_size=32)
members = st.lists(st.lists(key, min_size=1, max_size=2).map(tuple), max_size=2).map(tuple)
turns = st.lists(st.tuples(key, members), min_size=1, max_size=2)
answer_keys = turns.map(lambda pairs: AnswerKeys(*map(tuple, zip(*pairs, strict=True))).to_text())


@st.composite
def trial_records(draw: st.DrawFn) -> TrialRecord:
    questions = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    failed = draw(st.sets(st.sampled_from(questions)))
    scores = {name: draw(finite) for name in questions if name not in failed}
    some = st.dictionaries(st.sampled_from([*scores]), st.just(0)) if scores else st.just({})
    return TrialRecord(
        draw(st.sampled_from(["search", "held_out"])),
        ScoredTrial(
            Trial(draw(candidates), (*scores, *sorted(failed)), draw(st.integers(0, 2)), draw(st.booleans())),
            scores,
            {name: draw(names) for name in sorted(failed)},
            draw(st.sampled_from([None, fmean(scores.values())])) if scores else None,
            lengths={name: draw(st.integers(0, 2**53)) for name in draw(some)},
            turns={name: tuple(draw(st.lists(st.none() | finite, max_size=3))) for name in draw(some)},
            keys={name: draw(answer_keys) for name in draw(some)},
        ),
        tuple(draw(st.lists(candidates, max_size=2))),
    )


end_records = st.builds(EndRecord, candidates, st.none() | candidates, st.none() | st.floats(0, 1))


@given(records=st.lists(trial_records() | end_records, max_size=4))
def test_what_is_written_is_read_again(records: list[JournalRecord], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal"
    whole = write(path, *records)
    assert [*read_journal(path)] == records
    assert write(path, *records) == whole
    stored = [*read_records(path)]
    assert [read_record_at(path, one.start) for one in stored] == records
    for number, one in enumerate(stored):
        assert [later.record for later in read_records(path, one.stop)] == records[number + 1 :]


def test_a_finished_journal_whose_line_ends_git_has_changed_is_read_and_checked_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    records: list[JournalRecord] = [RECORD, numbered(1), END]
    path.write_bytes(write(path, *records).replace(b"\n", b"\r\n"))
    assert [*read_journal(path)] == records
    before = path.read_bytes()
    assert write(path, *records) == before


def test_a_changed_end_of_a_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(write(path, RECORD, END).replace(b"0.9", b"0.8"))
    with pytest.raises(InputError, match="line 3 is damaged"):
        [*read_journal(path)]


def test_a_record_gives_back_the_trial_that_made_it_in_the_order_asked() -> None:
    asked = Trial(TRIAL.candidate, ("q2", "q1"))
    assert replayed("search", RECORD, asked) == replace(SCORED, trial=asked)


@pytest.mark.parametrize("lost", [(0, 40), (20, 60), (60, None)])
def test_a_last_line_of_which_sectors_never_reached_the_disk_is_torn(
    lost: tuple[int, int | None], tmp_path: Path
) -> None:
    """Behind a power cut a file may have its length, and zeros where content was under way."""
    path = tmp_path / "journal"
    whole = write(path, numbered(0), numbered(1))
    last = bytearray(whole.splitlines(keepends=True)[-1])
    last[slice(*lost)] = bytes(len(last[slice(*lost)]))
    path.write_bytes(whole[: -len(last)] + last)
    assert [*read_journal(path)] == [numbered(0)]
    assert write(path, numbered(0), numbered(1)) == whole


def test_zeros_before_the_last_line_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    header, _, last = write(path, numbered(0), numbered(1)).splitlines(keepends=True)
    path.write_bytes(header + bytes(40) + b"\n" + last)
    with pytest.raises(InputError, match=r"journal, line 2 is damaged .it is not JSON.: restore"):
        [*read_journal(path)]


def test_a_line_torn_by_a_crash_is_cut_off(tmp_path: Path) -> None:
    path, records = tmp_path / "journal", [numbered(number) for number in range(3)]
    content = write(path, *records)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert write(path, *records) == content


def test_a_replay_that_differs_is_refused_with_the_difference(tmp_path: Path) -> None:
    write(tmp_path / "journal", RECORD)
    again = Journal(tmp_path / "journal")
    other = ScoredTrial(TRIAL, {"q1": 8.0}, {"q2": "JudgeFailed"}, None)
    with pytest.raises(InputError, match=r"(?s)-.*7\.25.*\+.*8\.0"):
        again.append(TrialRecord("search", other))


@pytest.mark.parametrize("now", [replace(END, win_probability=0.7), replace(END, drift=0.5, agreement=0.2)])
def test_the_end_keeps_the_numbers_of_the_version_that_wrote_it(now: EndRecord, tmp_path: Path) -> None:
    whole = write(tmp_path / "journal", RECORD, END)
    assert write(tmp_path / "journal", RECORD, now, numbered(1)).startswith(whole)
    assert [*read_journal(tmp_path / "journal")] == [RECORD, END, numbered(1)]


@pytest.mark.parametrize("now", [replace(END, winner=Candidate(("c",))), replace(END, runner_up=None)])
def test_another_winner_or_runner_up_than_the_ends_is_refused_with_both(now: EndRecord, tmp_path: Path) -> None:
    whole = write(tmp_path / "journal", RECORD, END)
    with pytest.raises(
        InputError,
        match=r"(?s)this version makes another choice at the end.*-.*\+.*pays for nothing",
    ):
        write(tmp_path / "journal", RECORD, now)
    assert (tmp_path / "journal").read_bytes() == whole


def test_another_candidate_than_the_journals_is_refused_with_both() -> None:
    with pytest.raises(InputError, match=r'(?s)-.*"b".*\+.*"c"'):
        replayed("search", RECORD, Trial(Candidate(("a", "c")), ("q1", "q2")))


@pytest.mark.parametrize("record", [TrialRecord("held_out", SCORED), EndRecord(TRIAL.candidate, None, None)])
def test_another_side_or_the_end_is_refused_where_a_trial_is_asked(record: JournalRecord) -> None:
    with pytest.raises(InputError, match="takes a different path from the one in its journal"):
        replayed("search", record, TRIAL)


def test_verdicts_drawn_again_are_not_the_first_ones() -> None:
    with pytest.raises(InputError, match="takes a different path from the one in its journal"):
        replayed("search", RECORD, replace(TRIAL, again=1))


def test_a_screening_judges_scores_are_not_the_judges() -> None:
    with pytest.raises(InputError, match='"screening": true'):
        replayed("search", TrialRecord("search", SCORED), replace(TRIAL, screening=True))


def test_other_questions_than_the_journals_are_refused() -> None:
    with pytest.raises(InputError, match="q3"):
        replayed("search", RECORD, Trial(TRIAL.candidate, ("q1", "q3")))


WHOLE = {"search": ["a"], "mean": 1.0, "scores": {"q": 1.0}, "failures": {}, "leaders": []}
WRONG: list[dict[str, object]] = [
    {"scores": {"q": "1"}},
    {"scores": {"q": None}},
    {"scores": [1.0]},
    {"mean": "1.0"},
    {"mean": 1.001},
    {"scores": {"q": 11}},
    {"scores": {"q": -99.0}},
    {"scores": {"q": 1e308, "p": 1e308}},
    {"scores": {}, "failures": {"q": "Timeout"}},
    {"failures": {"p": 1}},
    {"lengths": [1, 2]},
    {"lengths": ["1"]},
    {"turns": [1.0]},
    {"turns": [["1"]]},
    {"keys": [7]},
    {"keys": ["AAA:"]},
    {"leaders": ["a"]},
    {"search": "abc"},
    {"search": [1]},
    {"held_out": ["a"]},
]
DAMAGES = [
    *(b"{", b"[]", b"7", b"{}", b'{"search": ["a"]}', b'{"end": {}}', b"\xff", b"[" * 100_000),
    b'{"end": {"winner": ["a"], "runner_up": null, "win_probability": "1"}}',
    b'{"end": {"winner": ["a"], "runner_up": null, "win_probability": 1.5}}',
    *(json.dumps(WHOLE | wrong).encode() for wrong in WRONG),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_line_is_refused_with_its_number(damage: bytes, tmp_path: Path) -> None:
    header, first, *_ = write(tmp_path / "journal", numbered(1)).splitlines(keepends=True)
    (tmp_path / "journal").write_bytes(header + damage + b"\n" + first)
    with pytest.raises(InputError, match="journal, line 2 is damaged"):
        [*read_journal(tmp_path / "journal")]
    with pytest.raises(InputError, match="journal, line 2 is damaged"):
        Journal(tmp_path / "journal")


def test_a_score_that_is_another_one_than_was_written_is_told_as_such(tmp_path: Path) -> None:
    written = write(tmp_path / "journal", numbered(1))
    (tmp_path / "journal").write_bytes(written.replace(b'"q1":1.0', b'"q1":4.0'))
    with pytest.raises(InputError, match=r"line 2 is damaged \(its mean is not that of its scores\): restore the file"):
        [*read_journal(tmp_path / "journal")]


def test_a_journal_without_a_format_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text('{"search": ["a"], "mean": 1.0, "scores": {"q": 1.0}, "failures": {}}\n')
    readers: list[Callable[[Path], object]] = [lambda path: [*read_journal(path)], Journal]
    for read in readers:
        with pytest.raises(InputError, match=r"before journals had a format version: .* start a new run"):
            read(tmp_path / "journal")


def test_a_journal_of_another_format_is_refused_with_both_versions(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text('{"journal": 99}\n')
    with pytest.raises(InputError, match="has format 99, this version reads and writes format 2"):
        [*read_journal(tmp_path / "journal")]


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert [*read_journal(tmp_path / "none")] == []


FILLER = """
import sys
from pathlib import Path
from search.problem.candidate import Candidate
from search.run_directory.journal import Journal
from search.run_directory.records import EndRecord
journal = Journal(Path(sys.argv[1]))
for number in range(1000):
    journal.append(EndRecord(Candidate(()), None, number / 1000))
"""


def test_a_full_disk_stops_the_run_and_leaves_only_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    filler = subprocess.run(
        [sys.executable, "-c", FILLER, str(path)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1005, 1005)),
    )
    assert "RunStopped: the journal cannot be written" in filler.stderr
    assert path.read_bytes().endswith(b"}\n")
    written = [record.win_probability for record in read_journal(path) if isinstance(record, EndRecord)]
    assert len(written) > 9
    assert written == [number / 1000 for number in range(len(written))]
