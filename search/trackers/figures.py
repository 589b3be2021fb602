"""What trackers are told."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from configs.schema.run import RunConfig
from configs.stored import dump_config
from evaluators.counts import Counts
from evaluators.ledger.spend import Spend
from search.export import export
from search.results.status import Status, read_status
from search.run_directory.run import read_id
from search.statistics.estimates import Estimate
from search.trackers.tracker import Conclusion, Figures, Tracked
from workers.activity import WorkersActivity

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def without_credentials(text: str) -> str:
    """The text, its addresses without user and password."""
    return _CREDENTIALS.sub("", text)


def read_tracked(config: RunConfig, path: Path) -> Tracked:
    """The search at `path`, as it runs with this config."""
    knobs = {name: without_credentials(value) for name, value in _flat(dump_config(config))}
    return Tracked(read_id(path), path.resolve().name, path, knobs)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def figures_now(counts: Counts, activity: WorkersActivity, spend: Spend, seconds: float) -> Figures:
    """How things stand; `spend` is of all processes together, the rest of this one, which began `seconds` ago."""
    dollars = {} if spend.dollars is None else {"spend/dollars": spend.dollars}
    return {
        "spend/generations": spend.generated,
        "spend/verdicts": spend.judged,
        "spend/prompt_tokens": spend.prompt_tokens,
        "spend/new_tokens": spend.new_tokens,
        "spend/judge_calls": spend.judge.calls,
        "spend/judge_tokens": spend.judge.prompt_tokens + spend.judge.new_tokens,
        **dollars,
        "spend/hours": spend.seconds / 3600,
        "spend/gpu_hours": spend.gpu_seconds / 3600,
        "process/known": counts.reused,
        "process/failed": counts.failed,
        "process/waiting_for_judge": counts.waiting,
        "process/new_tokens_per_second": counts.new_tokens / seconds if seconds > 0 else 0.0,
        "workers/alive": activity.alive,
        "workers/busy": activity.busy,
        "workers/queued": activity.queued,
        "workers/restarts": activity.restarts,
    }


def read_conclusion(path: Path, step: int) -> Conclusion:
    """The results of the search at `path`, which nobody works on any more."""
    status = read_status(path)
    files = {"status.json": json.dumps(status.to_json(), indent=1, ensure_ascii=False) + "\n"}
    if status.winner is not None:
        files["prompt.json"] = export(path, "json", best_so_far=True)
    return Conclusion(status.state == "finished", step, dict(_results(status)), files)


def _results(status: Status) -> Iterator[tuple[str, float]]:
    winner, base = status.winner, status.base
    if winner is not None:
        yield from _interval("winner/search_score", winner.search_score)
        yield from _interval("winner/held_out_score", winner.held_out_score)
        yield from _interval("winner/held_out_gain", winner.held_out_gain)
        yield "winner/demonstrations", len(winner.candidate)
    if status.win_probability is not None:
        yield "winner/probability_better", status.win_probability
    if base is not None:
        yield from _interval("base/search_score", base.search_score)
        yield from _interval("base/held_out_score", base.held_out_score)


def _interval(name: str, value: Estimate | None) -> Iterator[tuple[str, float]]:
    """Mean and ends; an infinite end is left out."""
    numbers = {} if value is None else value.to_json()
    for part, suffix in (("mean", ""), ("low", "_low"), ("high", "_high")):
        number = numbers.get(part)
        if number is not None:
            yield name + suffix, float(number)
