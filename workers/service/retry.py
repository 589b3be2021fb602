"""The one retry policy: which fault is worth another attempt, and after which pause.

A call is charged for a fault, at most `max_retries` times, unless the fault is the service's: it says "slow down" but
has answered others since the call's last fault, or it answers nobody at all. Then the call waits with the others until
the service is back, its `patience` ends, or the silence has lasted for `outage` seconds and stops the run. So a passing
outage costs no item its evaluation, and a request that breaks the service fails alone. A pause that the service asks
for is no silence, once: a service that asks for one second for ever answers nobody.

Pauses have full jitter (Brooker 2015, "Exponential backoff and jitter"): uniform between 0 and a bound that doubles,
or behind the pause that the service asks everyone for (Retry-After) a short one.

Rejected: tenacity and stamina, which count attempts of one call alone and so cannot tell the service's faults from the
call's; openai's own retries, which do the same and keep a Retry-After to the one call that met it.
"""

from math import inf
from random import Random

from configs.schema.service import ServiceConfig
from workers.service.error_mapping import ClassifiedError
from workers.service.failures import ServiceRefused, ServiceSilent, ServiceUnreachable

FIRST, LONGEST = 0.5, 30.0
"""Seconds: the bound of the first pause, and of all."""

FEW_CALLERS, FEW_ATTEMPTS = 3, 10
"""Numbers of calls that must have met nothing but silence before the service is suspected, and of attempts before it is
given up; below that it may be the requests' fault."""


class Outage:
    """How long nobody has been answered. Times are seconds of any one clock.

    Attributes:
        answers: had so far.
    """

    def __init__(self, seconds: float) -> None:
        self.answers = 0
        self._seconds = seconds
        self._callers: set[int] = set()
        self._attempts = 0
        self._since = self._answered_at = -inf
        self._excused: float | None = None
        self._says_so = False

    def answered(self, now: float) -> None:
        self.answers += 1
        self._answered_at = now
        self._callers.clear()
        self._attempts = 0
        self._excused = None
        self._says_so = False

    def met(self, caller: int, began: float) -> None:
        """An attempt of this caller, begun at this time, met silence."""
        self._since = min(self._since, began) if self._attempts else began
        self._callers.add(caller)
        self._attempts += 1

    def excused(self, now: float, pause: float) -> None:
        """Silence for so many seconds is what the service asks for; of each silence the first pause counts."""
        self._says_so = True
        if self._excused is None:
            self._excused = now + pause

    @property
    def suspected(self) -> bool:
        return len(self._callers) >= FEW_CALLERS

    def lasts(self, now: float) -> float | None:
        """Seconds of silence, once they are enough to give the service up."""
        excused = -inf if self._excused is None else self._excused
        silence = now - max(self._since, excused, self._answered_at)
        certain = self._says_so or (self.suspected and self._attempts >= FEW_ATTEMPTS)
        return silence if certain and silence >= self._seconds else None


class Retries:
    """The retries of one call.

    Args:
        caller: its number.
        random: of the jitter.
    """

    def __init__(self, config: ServiceConfig, outage: Outage, caller: int, random: Random) -> None:
        self._config = config
        self._outage = outage
        self._caller = caller
        self._random = random
        self._began: float | None = None
        self._answers_then = outage.answers
        self._faults = 0
        self._charged = 0

    def begin(self, now: float) -> None:
        """An attempt goes out."""
        self._began = now if self._began is None else self._began

    def pause(self, error: ClassifiedError, began: float, now: float) -> float:
        """Seconds until the next attempt; the service's own pause is not among them.

        Args:
            error: of the attempt just made.
            began: when that went out.

        Raises:
            ServiceFailed, ServiceRefused, ServiceUnreachable: there is none.
        """
        if error.silent:
            self._outage.met(self._caller, began)
        if error.pause:
            self._outage.excused(now, error.pause)
        if not error.passing:
            raise error.failure
        self._refuse_long_pause(error)
        self._refuse_outage(error, now)
        self._charged += not self._is_services(error)
        self._answers_then = self._outage.answers
        wait = self._random.uniform(0, FIRST if error.pause else min(LONGEST, FIRST * 2.0**self._faults))
        self._faults += 1
        assert self._began is not None
        if self._charged > self._config.max_retries or now + wait - self._began > self._config.patience:
            raise error.failure
        return wait

    def _is_services(self, error: ClassifiedError) -> bool:
        progress = self._outage.answers > self._answers_then
        return (error.slow_down and progress) or (error.silent and self._outage.suspected)

    def _refuse_long_pause(self, error: ClassifiedError) -> None:
        if error.pause is not None and error.pause > self._config.patience:
            pause = f"{error.pause:,.0f} s" if error.pause < inf else "no end"
            raise ServiceRefused(
                f"the service asks for a pause of {pause}, longer than service.patience "
                f"({self._config.patience:,.0f} s): go on later ({error.failure})"
            )

    def _refuse_outage(self, error: ClassifiedError, now: float) -> None:
        silence = self._outage.lasts(now)
        if silence is not None:
            was_reached = self._outage.answers or not isinstance(error.failure, ServiceSilent)
            remedy = "go on when it is back" if was_reached else "check base_url and the network, then go on"
            raise ServiceUnreachable(
                f"the service has answered no request for {silence:,.0f} s (the last time, {error.failure}): {remedy}"
            )
