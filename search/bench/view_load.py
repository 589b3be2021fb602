"""How fast the view answers over HTTP on a large run: first page of answers, filters, full-text search, one answer.

    python -m search.bench.view_load --candidates 1000 --questions 50

A run directory is made as `search.bench.reading` makes it, with every answer and verdict in the ledger, and served by
`demosearch view` in a process of its own. Each request is made several times; the first one pays for the index, and
the first one with words for theirs. At last the run grows, as a search that goes on does.
"""

import argparse
import json
import random
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from search.bench.reading import made_run, scored_trial
from search.bench.served_view import ServedView
from search.problem.candidate import Candidate
from search.run_directory.journal import Journal
from search.run_directory.records import EndRecord, TrialRecord

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
_TIMES = 10
_PAGE = 50  # answers


def _ask(view: ServedView, name: str, address: str, times: int = 1) -> None:
    """Ask so many times, and print the mean of what it took."""
    cpu, wall = view.cpu(), time.perf_counter()
    for _ in range(times):
        size = len(view.read(address))
    figures = {"cpu_ms": view.cpu() - cpu, "wall_ms": time.perf_counter() - wall}
    means = {quantity: round(1000 * seconds / times) for quantity, seconds in figures.items()}
    print(json.dumps({"request": name} | means | {"kB": round(size / 1000)}), flush=True)


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
        with closing(ServedView(Path(folder))) as view:
            _ask(view, "answers for the first time", "answers/run")
            _ask(view, "search for the first time", "answers/run?words=never")
            for name, address in _REQUESTS.items():
                filled = address.format(last=answers // _PAGE - 1, trial=given.candidates * 9 // 10)
                _ask(view, name, filled, _TIMES)
            _grow(Path(folder) / "run", given.questions)
            _ask(view, "first page after one candidate more", "answers/run")


if __name__ == "__main__":
    main()
