"""Whether everything of one run comes from one model.

A name such as `gpt-6.1-sol` is an alias: the service decides which snapshot answers, and says so in each reply's
`model`. The first one seen is what counts, in this process or in the ledger: another one later would show as a gain or
a loss of the prompts.
"""

import logging

from configs.errors import RunStopped

logger = logging.getLogger(__name__)


class ReplyModelChanged(RunStopped):
    """A service answers with another model than before."""


class ReplyModelWatch:
    """A watch on the model that a service says it answers with.

    Args:
        role: whose service it is, "the judge" or "the model".
        first: who answered first, as the ledger has it; "" where nobody has said.
    """

    def __init__(self, role: str, first: str) -> None:
        self._role = role
        self._first = first
        self._unnamed = False
        self._was_told = False

    def complaint(self, model: str) -> ReplyModelChanged | None:
        """What to raise for a reply that names this model; None where all is well, or where it names none. That some
        replies name one and others do not is said once."""
        self._first = self._first or model
        self._unnamed |= not model
        if self._first and self._unnamed and not self._was_told:
            self._was_told = True
            logger.warning(
                "the service of %s says in some replies that it answers as %r, and in others nothing: whether one "
                "model gave them all is not known",
                self._role,
                self._first,
            )
        if model in ("", self._first):
            return None
        return ReplyModelChanged(
            f"the service of {self._role} answers as {model!r} now and answered as {self._first!r} before, and scores "
            "of both cannot be compared: go on when it is the earlier one again, or start a new run with a dated "
            "model name and a ledger of its own"
        )
