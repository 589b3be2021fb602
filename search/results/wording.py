"""How figures of work under way are said to people."""

import math
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs.plural import show_many
from evaluators.drafting import Drafting
from search.statistics.estimates import Estimate
from workers.prompt import Decoding

if TYPE_CHECKING:
    from configs.schema.judge import JudgeConfig

_UNITS = ((100.0, 1.0, "s"), (6000.0, 60.0, "min"), (172_800.0, 3600.0, "h"), (math.inf, 86_400.0, "days"))
"""Units of time: below so many seconds, that many are one of these."""

_OF_A_FOLDER = ("/", "~", "./", "../")


def show_estimate(value: Estimate | None, with_n: bool = True, digits: int = 2) -> str:
    """A mean with its interval.

    Args:
        digits: behind the point.
    """
    if value is None:
        return "not yet scored"
    failed = f", {value.failed} failed" if value.failed else ""
    n = f", n={value.n}" if with_n else ""
    return f"{value.mean:.{digits}f} {_interval(value, f'.{digits}f')}{n}{failed}"


def show_gain(value: Estimate, digits: int = 2) -> str:
    """A difference with its interval and its sign."""
    return f"{value.mean:+.{digits}f} {_interval(value, f'+.{digits}f')}"


def show_ends(value: Estimate, form: str = ".2f") -> str:
    """The ends of an interval, `4.09 to 5.03`."""
    return f"{value.low:{form}} to {value.high:{form}}" if _has_ends(value) else "no interval"


def _has_ends(value: Estimate) -> bool:
    """Whether it rests on more than one question, or one draw of several."""
    return math.isfinite(value.low) and math.isfinite(value.high)


def _interval(value: Estimate, form: str) -> str:
    return f"[{value.low:{form}}, {value.high:{form}}]" if _has_ends(value) else "[no interval]"


def show_decoding(value: Decoding) -> str:
    """`temperature 0.7, top p 0.9, 512 new tokens`: what is not off, its stop strings apart."""
    off = Decoding(value.max_new_tokens)
    parts = [
        f"{name.replace('_', ' ')} {getattr(value, name):g}"
        for name in ("temperature", "top_p", "top_k", "repetition_penalty")
        if name == "temperature" or getattr(value, name) != getattr(off, name)
    ]
    return f"{', '.join(parts)}, {value.max_new_tokens} new tokens"


def show_time(seconds: float) -> str:
    """`0:14:03`."""
    return str(timedelta(seconds=round(seconds)))


def show_span(seconds: float) -> str:
    """`42 s`, `12 min`, `3.4 h`: to two digits, which is as much as anyone needs."""
    each, unit = unit_of(seconds)
    return f"{digits(seconds / each)} {unit}"


def show_share(value: float) -> str:
    """A percentage."""
    return f"{100 * value:.0f} %"


def show_drafting(drafting: Drafting) -> str | None:
    """What drafts from earlier answers brought; None where nothing was drafted."""
    accepted, each = drafting.accepted_share, drafting.tokens_per_pass
    if accepted is None or each is None:
        return None
    right = f"{show_share(accepted)} of {show_many(drafting.drafted, 'drafted token')} accepted"
    return f"{right}: {each:.1f} tokens a pass of the model"


def show_quantity(name: str, value: float | None) -> str:
    """What was spent or may be spent of a limited quantity (`budget.QUANTITIES`), without its name."""
    if value is None:
        return "unknown"
    if name == "dollars":
        return f"${value:,.2f}"
    return show_span(3600 * value) if name.endswith("hours") else f"{value:,.0f}"


def unit_of(seconds: float) -> tuple[float, str]:
    """Seconds of the unit that suits a time, and its name."""
    return next((each, unit) for below, each, unit in _UNITS if seconds < below)


def digits(value: float) -> str:
    """A number to two digits; `unknown` where it is not finite."""
    if not math.isfinite(value):
        return "unknown"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")


def show_unseen(seen: int) -> str:
    """What a held-out result was measured on, for the beginning of a sentence.

    Args:
        seen: held-out questions that demonstrations or search questions hold or resemble.
    """
    if not seen:
        return "questions the search never saw"
    are = "is" if seen == 1 else "are"
    return f"held-out questions, {seen:,} of which {are} (or resemble) a demonstration or a search question"


def show_judge(judge: "JudgeConfig") -> str:
    """Name a judge: its kind, and the model, metric or function that tells it from others of the kind; of an ensemble
    the members with their weights."""
    return _judge_in_words(judge.model_dump(mode="json"))


def _judge_in_words(judge: Mapping[str, Any]) -> str:
    if "members" in judge:
        members = (f"{_judge_in_words(each['judge'])} (weight {each['weight']:g})" for each in judge["members"])
        return f"{judge['kind']} of {', '.join(members)}"
    service, model = judge.get("service") or {}, judge.get("model") or {}
    model_name = shown_model(service.get("model") or model.get("name", ""))
    name = model_name or judge.get("metric") or judge.get("function")
    repeats = f", {judge['average']} of {judge['repeats']} verdicts" if judge["repeats"] > 1 else ""
    return f"{judge['kind']} {name or ''}".strip() + repeats


def shown_model(name: str) -> str:
    """A model's name; of a folder only the last part, since what stands before it is nobody's business."""
    return Path(name).name if name.startswith(_OF_A_FOLDER) else name
