"""What can go wrong between a completion and its verdict.

VerdictUnreadable       the judge spoke, but gave no rating; carries its words
JudgeFailed             the judge did not answer this once: timeout, 5xx, a request it rejects
JudgeRefused            (RunStopped) the judge will not answer anything now: bad key, quota used up
"""

from configs.errors import DemosearchError, RunStopped


class VerdictUnreadable(DemosearchError):
    """No rating, or none on the scale, in what the judge said."""


class JudgeFailed(DemosearchError):
    """One verdict could not be had, after the retries that the config allows."""


class JudgeRefused(RunStopped):
    """The service refuses every request until a person acts."""
