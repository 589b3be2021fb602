"""demosearch as a library: the functions that the commands are made of.

Search, compare, look, take along (docs/python.md has more):

    import demosearch

    for event in demosearch.run("quickstart", "runs/first", overrides={"workers.kind": "local"}):
        print(event)                                   # progress; the last one is the run
    print(event.status.winner)
    table = pandas.DataFrame(event.answers())
    Path("report.html").write_text(event.report())
    Path("found.json").write_text(event.export("json"))
    compared = demosearch.load_evaluation("evaluate_quickstart", {}, {"found": "found.json"})
    demosearch.evaluate(compared, "runs/compared").results

A strategy of your own asks for `Trial`s of candidates that its `SearchSpace` allows and is told `ScoredTrial`s. A judge
of your own is given a `Question` and its answers. Whatever is wrong raises `InputError` before anything is spent;
whatever stops a run raises `RunStopped`, and `resume` goes on.

Importing this loads neither ray, torch, transformers, optuna nor pandas.
"""

from pathlib import Path

import search

if Path(__file__).parent not in Path(search.__file__ or "").parents:
    raise ImportError(
        f"{search.__file__ or 'a folder named search'} stands in the way of demosearch's own package `search`: rename "
        "it, or start Python in another folder"
    )

from configs.errors import DemosearchError, InputError, RunStopped
from configs.loading import load_config, load_evaluation, load_rejudge, override_config
from evaluators.question import Question
from search.export import export
from search.fetch.selection import fetch
from search.forecast.dry_run import forecast_evaluation, forecast_run
from search.forecast.experience import Experience
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.report.forms import report, save_figures
from search.results.answers_table import Answer, read_answers
from search.results.evaluation_status import read_evaluation
from search.results.status import read_status
from search.run_directory.journal import read_journal
from search.run_directory.records import EndRecord, TrialRecord
from search.run_directory.run import read_config
from search.running.evaluate import evaluate
from search.running.extend import extend
from search.running.launch import launch, resume
from search.running.rejudge import rejudge
from search.running.retry import retry_failed
from search.running.session import Progress, SearchRun, run
from search.statistics.estimates import Estimate, estimate, paired_difference, unpaired_difference
from search.strategies.parts.leaderboard import Leaderboard
from search.strategies.strategy import Strategy

__all__ = [
    "Answer",
    "Candidate",
    "DemosearchError",
    "EndRecord",
    "Estimate",
    "Experience",
    "InputError",
    "Leaderboard",
    "Progress",
    "Question",
    "RunStopped",
    "ScoredTrial",
    "SearchRun",
    "SearchSpace",
    "Strategy",
    "Trial",
    "TrialRecord",
    "estimate",
    "evaluate",
    "export",
    "extend",
    "fetch",
    "forecast_evaluation",
    "forecast_run",
    "launch",
    "load_config",
    "load_evaluation",
    "load_rejudge",
    "override_config",
    "paired_difference",
    "read_answers",
    "read_config",
    "read_evaluation",
    "read_journal",
    "read_status",
    "rejudge",
    "report",
    "resume",
    "retry_failed",
    "run",
    "save_figures",
    "unpaired_difference",
]

vars(search).update({name: globals()[name] for name in __all__})  # where some name folders, such as `search/report`
