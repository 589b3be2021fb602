"""How much processor time and memory it takes to read a large run.

    python -m search.bench.reading --candidates 2000 --questions 500
    python -m search.bench.reading --candidates 100000 --questions 10 --rows 0 --readers status

A run directory is made, with answers and verdicts of its first candidates in the ledger; each reader is a process of
its own, the interpreter and its imports included.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from configs.loading import load_config
from evaluators.answer_keys import AnswerKeys
from evaluators.ledger.file import open_to_write
from evaluators.question import Question
from search.problem.candidate import Candidate
from search.problem.material import Material
from search.problem.trial import ScoredTrial, Side, Trial
from search.prompts.demonstration import Demonstration
from search.run_directory.files import write_json
from search.run_directory.journal import Journal
from search.run_directory.records import EndRecord, TrialRecord
from search.run_directory.run import Run
from workers.prompt import Decoding

_POOL = 200
_HELD_OUT = 50
_JUDGE = "judge"
_READERS = {
    "imports": "import search.results.status, search.cli.status_table, search.cli.app",
    "status": "from search.results.status import read_status as read; read(path)",
    "report": "from search.report.forms import report as read; read(path)",
    "markdown": "from search.report.forms import report as read; read(path, 'md')",
    "answers": "from search.results.answers_table import read_answers as read; read(path)",
    "status by hand": "import subprocess, sys; subprocess.run([sys.executable, '-m', 'search', 'status', str(path)])",
}
_MEASURED = """
import resource, sys
from pathlib import Path
path = Path(sys.argv[1])
{read}
for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
    used = resource.getrusage(who)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def key(kind: str, candidate: int, question: str) -> bytes:
    """A key of the ledger, 32 bytes."""
    return sha256(f"{kind} {candidate} {question}".encode()).digest()


def made_run(path: Path, candidates: int, questions: int, rows: int) -> None:
    """Write a finished search whose ledger holds so many generations, and as many verdicts."""
    config = load_config("quickstart", ["workers.kind=local", "strategy={kind: random, trials: 8}"])
    run = Run.create(path, config)
    search = [Question(f"question-{number}", (f"What is {number}?",)) for number in range(questions)]
    held_out = [Question(f"unseen-{number}", (f"Who is {number}?",)) for number in range(_HELD_OUT)]
    material = Material(
        rules="Answer.\n",
        base=(Demonstration("base", "What?", "That."),),
        pool=tuple(Demonstration(f"d{number}", f"What is {number}?", f"It is {number}.") for number in range(_POOL)),
        search=tuple(search),
        held_out=tuple(held_out),
        digests={},
    )
    decoding = asdict(Decoding(max_new_tokens=10))
    judge = [[_JUDGE, 1.0, 1, "mean"]]
    run.check_manifest({"model": "m", "decoding": decoding, "judge": judge, "versions": {"demosearch": "0.1.0"}})
    write_json(path / "material.json", material.to_json())
    _write_ledger(path / "ledger.sqlite", run.id, [question.id for question in search], rows)
    _write_journal(
        path / "journal.jsonl", candidates, [question.id for question in search], [question.id for question in held_out]
    )
    run.set_state("finished")
    run.close()


def _write_journal(path: Path, candidates: int, search: list[str], held_out: list[str]) -> None:
    draw = random.Random(0)  # noqa: S311 -- no cryptography here
    base = Candidate(("base",))
    shown = [base, *(Candidate((*draw.sample([f"d{n}" for n in range(_POOL)], 3), "base")) for _ in range(candidates))]
    with closing(Journal(path)) as journal:
        for number, candidate in enumerate(shown):
            journal.append(TrialRecord("search", scored_trial(number, candidate, search, draw), (shown[1], base)))
        for number in (1, 0):
            side: Side = "held_out"
            journal.append(TrialRecord(side, scored_trial(number, shown[number], held_out, draw)))
        journal.append(EndRecord(shown[1], base, 0.99))


def scored_trial(number: int, candidate: Candidate, questions: list[str], draw: random.Random) -> ScoredTrial:
    """Scores drawn for a candidate of this number, under the keys of its answers."""
    scores = {name: 5 + draw.gauss(0, 1) for name in questions}
    keys = {
        name: AnswerKeys((key("generation", number, name),), (((key("verdict", number, name),),),)).to_text()
        for name in questions
    }
    lengths = {name: draw.randrange(100, 2000) for name in questions}
    mean = sum(scores.values()) / len(scores)
    return ScoredTrial(Trial(candidate, tuple(questions)), scores, {}, mean, lengths=lengths, keys=keys)


def _write_ledger(path: Path, run: str, questions: list[str], rows: int) -> None:
    numbered = [(number // len(questions), questions[number % len(questions)]) for number in range(rows)]

    def generations() -> Iterator[tuple[object, ...]]:
        for number, name in numbered:
            yield (key("generation", number, name), run, b"p", name, "It is so.", 100, 5, "stop", 0, 0.0, 1.0, "")

    def verdicts() -> Iterator[tuple[object, ...]]:
        for number, name in numbered:
            generation = key("generation", number, name)
            usage = (1, 100, 0, 5, 0.001, 0)
            yield (key("verdict", number, name), run, b"j", name, generation, 5.0, "good", *usage, 1.0, "")

    with closing(open_to_write(path)) as ledger, ledger:
        for table, made in (("generations", generations()), ("verdicts", verdicts())):
            marks = ",".join("?" * len(ledger.execute(f"PRAGMA table_info({table})").fetchall()))
            ledger.executemany(f"INSERT INTO {table} VALUES ({marks})", made)  # noqa: S608 -- constants


def measure(path: Path, reader: str) -> dict[str, float]:
    """Processor seconds, wall seconds and peak memory in MiB of one reader."""
    start = time.perf_counter()
    program = _MEASURED.format(read=_READERS[reader])
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)  # noqa: S603
    wall = time.perf_counter() - start
    own, children = (tuple(map(float, line.split())) for line in done.stdout.splitlines()[-2:])
    return {"cpu_seconds": own[0] + children[0], "wall_seconds": wall, "peak_mib": max(own[1], children[1])}


def main() -> None:
    """Print one line of JSON for each reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=2000)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--rows", type=int, help="generations in the ledger, and verdicts; all of them when not given")
    parser.add_argument("--readers", nargs="+", choices=[*_READERS], default=["status", "report"])
    given = parser.parse_args()
    rows = given.candidates * given.questions if given.rows is None else given.rows
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        made_run(path, given.candidates, given.questions, rows)
        journal = (path / "journal.jsonl").stat().st_size / 2**20
        print(json.dumps({"journal_mib": round(journal, 1), "rows": 2 * rows}))
        for reader in given.readers:
            figures = {name: round(value, 2) for name, value in measure(path, reader).items()}
            print(json.dumps({"reader": reader} | figures), flush=True)


if __name__ == "__main__":
    main()
