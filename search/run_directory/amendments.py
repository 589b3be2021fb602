"""What `retry-failed` has scored since: beside the journal, never in it.

The journal is the path that the strategy took, and a resumed search must take it again; a score that comes later would
lead it elsewhere. So each later score stands in a file of its own, and whoever reads results puts the two together.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, mean_of
from search.run_directory.journal import Journal, Line, read_journal

KINDS = ("search", "held_out")
_Subject = tuple[str, Candidate]


def amendment(kind: str, scored: ScoredTrial) -> Line:
    """The line of what has been scored of a trial now; its failures stay where they are."""
    return {
        kind: scored.trial.candidate.to_json(),
        "scores": scored.scores,
        "lengths": scored.lengths,
        **({"turns": {name: list(scores) for name, scores in scored.turns.items()}} if scored.turns else {}),
    }


@contextmanager
def open_amendments(path: Path) -> Iterator[Journal]:
    """The file at `path`, to append to; made where there is none."""
    earlier = read_journal(path)
    with closing(Journal(path)) as file:
        for line in earlier:
            file.append(line)
        yield file


def amended(lines: Sequence[Line], amendments: Sequence[Line], max_failed_share: float) -> list[Line]:
    """The journal's lines with later scores in the place of failures, and their means anew."""
    later: dict[_Subject | None, list[Line]] = {}
    for one in amendments:
        later.setdefault(_subject(one), []).append(one)
    return [_amend(line, later.get(_subject(line), []), max_failed_share) for line in lines]


def _subject(line: Line) -> _Subject | None:
    """Kind and candidate; None for the line that ends a search."""
    return next(((kind, Candidate.from_json(line[kind])) for kind in KINDS if kind in line), None)


def _amend(line: Line, amendments: Sequence[Line], max_failed_share: float) -> Line:
    found = [one for one in amendments if not one["scores"].keys().isdisjoint(line["failures"])]
    if not found:
        return line
    result = {**line, "failures": dict(line["failures"])}
    for part in ("scores", "lengths", "turns"):
        result[part] = dict(line.get(part, {}))
    for one in found:
        for name in [name for name in one["scores"] if name in result["failures"]]:
            del result["failures"][name]
            for part in ("scores", "lengths", "turns"):
                if name in one.get(part, {}):
                    result[part][name] = one[part][name]
    result["mean"] = mean_of(result["scores"], len(result["failures"]), max_failed_share)
    return result


def failed_items(lines: Sequence[Line], permanent: frozenset[str]) -> Iterator[tuple[str, Candidate, list[str]]]:
    """Of each line with failures: its kind, its candidate, and the questions that failed.

    Args:
        permanent: causes that stay, whatever is tried.
    """
    for line in lines:
        subject = _subject(line)
        questions = [name for name, cause in line.get("failures", {}).items() if cause not in permanent]
        if subject and questions:
            yield *subject, questions
