"""A folder with two searches and an evaluation, made by hand."""

from pathlib import Path

from tests.search.report.made_evaluation import made_evaluation
from tests.search.report.made_run import Names, small_run

HOSTILE = "<script>window.hacked = 1</script>"


def score(names: Names, question: str) -> float:
    """Demonstration `b` is worth two points, `a` one; questions differ."""
    return 3.0 + ("a" in names) + 2.0 * ("b" in names) + int(question[1]) / 10


def say(names: Names, question: str) -> str:
    return f"{'+'.join(names)} says {HOSTILE} on {question}"


def made_search(path: Path, added: str) -> Path:
    """A finished search whose winner adds this demonstration to the base prompt."""
    run = small_run(path, score, say)
    run.search(added)
    run.judge_finalists((added,), ())
    return run.write()


def made_folder(path: Path) -> Path:
    """`first` found `a`, `below/second` found `b`, `compared` is an evaluation of `plain` and `rich`."""
    made_search(path / "first", "a")
    made_search(path / "below" / "second", "b")
    questions = {"h1": "maths", "h2": "prose"}
    made_evaluation(path / "compared", questions, ("plain", "rich"), lambda name, _: 2.0 + (name == "rich"))
    return path


def made_experiment(path: Path, page: str) -> Path:
    """A finished experiment without runs, and this as its page."""
    path.mkdir(parents=True)
    (path / "experiment.json").write_text('{"experiment": "models"}', encoding="utf-8")
    (path / "page.html").write_text(page, encoding="utf-8")
    return path
