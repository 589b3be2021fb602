"""Work under way in words, the same in a terminal, in a line and in a browser."""

from collections.abc import Iterator, Mapping

from configs.plural import show_many
from evaluators.pipeline.budget import QUANTITIES
from search.live.snapshot import Snapshot
from search.results.wording import show_estimate, show_gain, show_quantity, show_share, unit_of
from workers.service.activity import ServiceActivity

PHASES = {
    "search": "searching",
    "held_out": "judging the winner on held-out questions",
    "retry": "trying failed items again",
    "evaluate": "evaluating",
}
_OF_TIME = {"gpu_hours": "of GPU time", "hours": "of work"}
"""What is said behind an amount of time, which has a unit that suits it."""
_TIMES = {"gpu_hours": "GPU time", "hours": "time worked"}
"""What times are called that have a limit."""


def show_phase(snapshot: Snapshot) -> str:
    """What is evaluated now, and what the strategy is doing."""
    return PHASES[snapshot.phase] + (f" ({snapshot.stage})" if snapshot.stage else "")


def share_done(snapshot: Snapshot) -> float:
    """The share that is done, in [0, 1]."""
    return snapshot.done / max(1, snapshot.planned)


def show_done(snapshot: Snapshot) -> str:
    """How many evaluations are through, of at most how many."""
    return f"{snapshot.done:,} of {show_many(snapshot.planned, 'evaluation')}"


def show_best(snapshot: Snapshot) -> str:
    """The leader's search score beside the base prompt's."""
    best = show_estimate(snapshot.best)
    if snapshot.best is None or snapshot.base is None:
        return best
    remark = f"; {snapshot.remark}" if snapshot.remark else ""
    if snapshot.gain is None:
        alone = snapshot.candidates > 1 and snapshot.ranked == 1
        return f"{best}: the base prompt{'; no other candidate is ranked yet' if alone else ''}{remark}"
    gain, n, base = show_gain(snapshot.gain), snapshot.gain.n, ""
    if snapshot.best.n == n:  # the base prompt's mean over the questions that both have scores for
        base = f"'s {snapshot.best.mean - snapshot.gain.mean:.2f}"
    elif snapshot.base.n == n:
        base = f"'s {snapshot.base.mean:.2f}"
    return f"{best}; {gain} over the base prompt{base} on the same {show_many(n, 'question')}{remark}"


def show_generation(snapshot: Snapshot) -> str:
    """What the model is working on."""
    activity = snapshot.activity
    blocks = f" in {show_many(activity.queued, 'block')}" if activity.queued else ""
    speed = f"{snapshot.work.tokens_per_second:,.0f} tokens/s"
    return f"{show_many(activity.answering, 'prompt')} in flight, {activity.waiting:,} waiting{blocks}, {speed}"


def show_judging(snapshot: Snapshot) -> list[str]:
    """What waits for a verdict, and what each judge's service is doing."""
    waiting = snapshot.work.waiting
    parts = [f"{show_many(waiting, 'answer')} to be judged"] if waiting else []
    return parts + [f"judge: {_service(service)}" for service in snapshot.services]


def _service(service: ServiceActivity) -> str:
    text = f"{service.in_flight} of {service.limit} in flight, {service.waiting:,} waiting"
    text += f", {service.batched:,} in batches" if service.batched else ""
    text += f", rate-limited {show_many(service.slow_downs, 'time')}" if service.slow_downs else ""
    text += f", {show_many(service.retries, 'retry', 'retries')}" if service.retries else ""
    return text + (f", pausing for {service.paused:.0f} s" if service.paused else "")


def show_spent(snapshot: Snapshot) -> Iterator[str]:
    """What no limit speaks of."""
    for name, value in snapshot.spent.items():
        if name not in snapshot.limits and value != 0:
            called = _OF_TIME.get(name) or QUANTITIES[name].removesuffix("s" if value == 1 else "")
            yield show_quantity(name, value) + ("" if name == "dollars" and value is not None else f" {called}")


def show_against(snapshot: Snapshot, name: str) -> str:
    """Spent and limit of a quantity, times in the limit's unit: `GPU time 0.20 of 2 h (10 %)`."""
    limit, spent = snapshot.limits[name], snapshot.spent[name]
    share = "" if spent is None else f" ({show_share(spent / limit)})"
    if name not in _TIMES or spent is None:
        return (
            f"{_TIMES.get(name, QUANTITIES[name])} {show_quantity(name, spent)} of {show_quantity(name, limit)}{share}"
        )
    each, unit = unit_of(3600 * limit)
    whole = 3600 * limit / each
    decimals = 2 if whole < 10 else 1 if whole < 100 else 0
    return f"{_TIMES[name]} {3600 * spent / each:,.{decimals}f} of {whole:g} {unit}{share}"


def show_failed(causes: Mapping[str, int]) -> str:
    """How many have failed, by cause."""
    most = sorted(causes.items(), key=lambda pair: -pair[1])
    return f"{sum(causes.values()):,}: " + ", ".join(f"{number:,} {cause}" for cause, number in most)
