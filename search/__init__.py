"""demosearch as a library: the functions that the commands are made of.

    from search import launch, load_config, read_status
    launch(load_config("quickstart", ["workers.kind=local"]), Path("runs/first"))

    from search import evaluate, load_evaluation
    evaluate(load_evaluation("evaluate_quickstart", [], {"found": "found.json"}), Path("runs/compared")).results

Importing this loads neither ray, torch, transformers nor optuna.
"""

from configs.loading import load_config, load_evaluation
from search.dry_run import Experience, forecast_evaluation, forecast_run
from search.evaluate import evaluate
from search.evaluation_status import read_evaluation
from search.export import export
from search.journal import read_journal
from search.launch import launch, resume
from search.retry import retry_failed
from search.status import read_status

__all__ = [
    "Experience",
    "evaluate",
    "export",
    "forecast_evaluation",
    "forecast_run",
    "launch",
    "load_config",
    "load_evaluation",
    "read_evaluation",
    "read_journal",
    "read_status",
    "resume",
    "retry_failed",
]
