"""How fast the view answers over HTTP on a large run: first page of answers, filters, full-text search, one answer.

    python -m search.bench.view_load --candidates 1000 --questions 50

A run directory is made as `search.bench.reading` makes it, with every answer and verdict in the ledger, and served by
the real server in this process. Each request is made several times; the first one of a run pays for the index. At last
the run grows, as a search that goes on does.
"""

import argparse
import json
import random
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import uvicorn

from search.bench.reading import made_run, scored_trial
from search.problem.candidate import Candidate
from search.run_directory.journal import Journal
from search.run_directory.records import EndRecord, TrialRecord
from search.view.answer_index import PAGE
from search.view.server import make_app

_REQUESTS = {
    "list of runs": "",
    "first page": "answers/run",
    "last page": "answers/run?page={last}",
    "by score": "answers/run?order=score&descending=on",
    "by score, last page": "answers/run?order=score&page={last}",
    "filter": "answers/run?change=better&least=5&shortest=1000&side=search",
    "search, all": "answers/run?words=it+is+so",
    "search, few": 'answers/run?words="What+is+17"',
    "one answer": "answer/run?trial={trial}&item=question-7",
    "one answer of a search": "answer/run?trial={trial}&item=question-7&words=it+is+so&order=score",
}
_TIMES = 5


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(make_app(folder), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


def _ask(address: str) -> tuple[float, float, int]:
    """Processor and wall milliseconds, and how long the page is in bytes."""
    cpu, wall = time.process_time(), time.perf_counter()
    with urllib.request.urlopen(address) as reply:  # noqa: S310 -- our own server
        size = len(reply.read())
    return 1000 * (time.process_time() - cpu), 1000 * (time.perf_counter() - wall), size


def _say(name: str, asked: list[tuple[float, float, int]]) -> None:
    cpu, wall, size = (median(values) for values in zip(*asked, strict=True))
    print(json.dumps({"request": name, "cpu_ms": round(cpu), "wall_ms": round(wall), "kB": round(size / 1000)}))


def _grow(path: Path, questions: int) -> None:
    """One candidate more, as if the search had been extended."""
    draw = random.Random(1)  # noqa: S311 -- no cryptography here
    with closing(Journal(path / "journal.jsonl")) as journal:
        position = 0
        while record := journal.recorded(position):
            position += 1
            journal.append(record)
        asked = [f"question-{number}" for number in range(questions)]
        candidate = Candidate(("d1", "base"))
        journal.append(TrialRecord("search", scored_trial(position, candidate, asked, draw), (candidate,)))
        journal.append(EndRecord(candidate, None, 0.99))


def main() -> None:
    """Print one line of JSON for each request."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=1000)
    parser.add_argument("--questions", type=int, default=50)
    given = parser.parse_args()
    answers = given.candidates * given.questions
    with TemporaryDirectory() as folder:
        made_run(Path(folder) / "run", given.candidates, given.questions, answers)
        with _served(Path(folder)) as home:
            _say("answers for the first time", [_ask(f"{home}answers/run")])
            for name, address in _REQUESTS.items():
                whole = home + address.format(last=answers // PAGE - 1, trial=given.candidates * 9 // 10)
                _say(name, [_ask(whole) for _ in range(_TIMES)])
            _grow(Path(folder) / "run", given.questions)
            _say("first page after one candidate more", [_ask(f"{home}answers/run")])


if __name__ == "__main__":
    main()
