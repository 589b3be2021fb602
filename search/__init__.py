"""demosearch as a library: the functions that the commands are made of.

    from search import launch, load_config, read_status
    launch(load_config("quickstart", ["workers.kind=local"]), Path("runs/first"))

Importing this loads neither ray, torch, transformers nor optuna.
"""

from configs.loading import load_config
from search.export import export
from search.journal import read_journal
from search.launch import launch, resume
from search.status import read_status

__all__ = ["export", "launch", "load_config", "read_journal", "read_status", "resume"]
