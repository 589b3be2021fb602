"""The journal is the same whatever happened on the way."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import InputError
from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial
from search.run_directory.journal import Journal, read_journal, scored_trial, trial_line

TRIAL = Trial(Candidate(("a", "b")), ("q1", "q2"))
SCORED = ScoredTrial(TRIAL, {"q1": 7.25}, {"q2": "JudgeFailed"}, None)


def test_a_line_gives_back_the_trial_that_made_it() -> None:
    assert scored_trial("search", trial_line("search", SCORED), TRIAL) == SCORED


@given(score=st.floats(allow_nan=False, allow_infinity=False))
def test_scores_survive_the_file_bit_for_bit(score: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal"
    scored = ScoredTrial(Trial(Candidate(("ä",)), ("q",)), {"q": score}, {}, score)
    journal = Journal(path)
    journal.append(trial_line("search", scored))
    journal.close()
    (line,) = read_journal(path)
    assert scored_trial("search", line, scored.trial) == scored


def test_a_line_torn_by_a_crash_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    whole = Journal(path)
    for number in range(3):
        whole.append({"number": number})
    whole.close()
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        journal = Journal(path)
        for number in range(3):
            journal.append({"number": number})
        journal.close()
        assert path.read_bytes() == content


def test_a_replay_that_differs_is_refused_with_the_difference(tmp_path: Path) -> None:
    first = Journal(tmp_path / "journal")
    first.append(trial_line("search", SCORED))
    first.close()
    again = Journal(tmp_path / "journal")
    other = ScoredTrial(TRIAL, {"q1": 8.0}, {"q2": "JudgeFailed"}, None)
    with pytest.raises(InputError, match=r"(?s)-.*7\.25.*\+.*8\.0"):
        again.append(trial_line("search", other))


def test_another_candidate_than_the_journals_is_refused_with_both() -> None:
    line = trial_line("search", SCORED)
    with pytest.raises(InputError, match=r'(?s)-.*"b".*\+.*"c"'):
        scored_trial("search", line, Trial(Candidate(("a", "c")), ("q1", "q2")))


def test_other_questions_than_the_journals_are_refused() -> None:
    with pytest.raises(InputError, match="q3"):
        scored_trial("search", trial_line("search", SCORED), Trial(TRIAL.candidate, ("q1", "q3")))


def test_a_damaged_line_in_the_middle_is_refused_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text('{"a": 1}\n{"a": \n{"a": 3}\n')
    with pytest.raises(InputError, match="line 2 is damaged"):
        read_journal(tmp_path / "journal")


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "none") == []


FILLER = """
import sys
from pathlib import Path
from search.run_directory.journal import Journal
journal = Journal(Path(sys.argv[1]))
for number in range(1000):
    journal.append({"number": number})
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
    assert [line["number"] for line in read_journal(path)] == list(range(len(read_journal(path))))
