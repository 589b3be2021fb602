"""Every error demosearch raises on purpose, and the exit code it leads to.

    DemosearchError
    ├── InputError          something the user gave is wrong; raised before anything is spent   exit 2
    └── RunStopped          the work cannot go on now; what is paid for is kept, and the command goes on   exit 3
        └── AlreadyClosed   something was asked for after it had been closed: a consequence, never the reason

The rooms add their own leaves: `workers.failures` and `evaluators.failures`. A leaf that is neither of the two above
concerns one item alone and becomes a `Failure` of that item, never an exit.
"""

STOPPED = 3
"""Exit code where the work cannot go on now, or nothing of it could be scored."""
INTERRUPTED = 130
"""Exit code of a process that was told to end."""


class DemosearchError(Exception):
    """Base of all; its text is one sentence that says what to do."""


class InputError(DemosearchError):
    """A config, a file, a model or an environment that cannot work."""


class RunStopped(DemosearchError):
    """A clean stop: a refused key, an exhausted quota, no worker left.

    Attributes:
        may_go_on: whether the same command, given again, can go on from here.
    """

    may_go_on = True


class AlreadyClosed(RunStopped):
    """Something was asked for after it had been closed; why that happened is another error's to say."""


def reason_of(error: Exception) -> str:
    """A library's error as a message of ours quotes it: its first line without a full stop, or its name."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
