"""A bridge from one judge to another over the same answers: what moves, and which conclusions change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from search.results.scored_answers import Asked
from search.statistics.agreement import (
    Agreement,
    krippendorff_alpha,
    rank_agreement,
    table,
    with_interval,
)
from search.statistics.estimates import Estimate, estimate, paired_difference
from search.statistics.intervals import Bounds

Scores = Mapping[str, Mapping[str, float]]
"""Scores by prompt, then by question."""


_ENOUGH = 0.75  # of the most questions that a prompt has met: a failure or two leave nobody out


@dataclass(frozen=True, slots=True)
class PromptBridge:
    """One prompt under both judges, over the questions that both have scored.

    Attributes:
        name: for people.
        earlier, now: its mean under each.
        earlier_gain, now_gain: over the base prompt, paired by question; None for the base prompt itself.
    """

    name: str
    earlier: Estimate
    now: Estimate
    earlier_gain: Estimate | None
    now_gain: Estimate | None

    @property
    def changes(self) -> str:
        """What is concluded otherwise now; "" where nothing is."""
        verdicts = [_verdict(gain) for gain in (self.earlier_gain, self.now_gain)]
        return "" if verdicts[0] == verdicts[1] else f"{verdicts[0]} before, {verdicts[1]} now"


@dataclass(frozen=True, slots=True)
class SideBridge:
    """All prompts under both judges, on one side of a search's split or on all questions of an evaluation.

    Attributes:
        answers: that both have scored.
        shift: how much higher the new judge scores, a mean over questions.
        alpha: Krippendorff's, interval metric.
        ranks: Kendall's tau-b of the prompts, each two compared on the questions that both have met.
        best: the prompt with the largest gain over the base prompt, before and now, of those that have met about as
            many questions as any other; the base prompt where none gains.
    """

    side: Asked
    answers: int
    shift: Estimate
    alpha: Agreement
    ranks: Agreement
    best: tuple[str, str]
    prompts: tuple[PromptBridge, ...]

    def to_json(self) -> dict[str, Any]:
        """What `demosearch rejudge --json` prints."""
        return {
            "side": self.side,
            "answers": self.answers,
            "shift": self.shift.to_json(),
            "krippendorff_alpha": self.alpha.to_json(),
            "kendall_tau_of_prompts": self.ranks.to_json(),
            "best_before": self.best[0],
            "best_now": self.best[1],
            "prompts": [
                {
                    "name": prompt.name,
                    "before": prompt.earlier.to_json(),
                    "now": prompt.now.to_json(),
                    "gain_before": prompt.earlier_gain and prompt.earlier_gain.to_json(),
                    "gain_now": prompt.now_gain and prompt.now_gain.to_json(),
                    "changes": prompt.changes,
                }
                for prompt in self.prompts
            ],
        }


@dataclass(frozen=True, slots=True)
class Scales:
    """Lowest and highest scores of both judges; None where they are not known."""

    before: Bounds | None = None
    now: Bounds | None = None

    @property
    def shift(self) -> Bounds | None:
        """Bounds of a new score minus an old one."""
        if self.before is None or self.now is None:
            return None
        return self.now[0] - self.before[1], self.now[1] - self.before[0]


def bridge(
    side: Asked, base: str, before: Scores, now: Scores, confidence: float, scales: Scales = Scales()
) -> SideBridge | None:
    """Hold two judges' scores of one side against each other; None where they have no answer in common.

    Args:
        base: name of the base prompt.
        scales: inside which intervals stay.
    """
    common = {
        name: {question: (score, now[name][question]) for question, score in own.items() if question in now[name]}
        for name, own in before.items()
        if name in now
    }
    common = {name: own for name, own in common.items() if own}
    if not common:
        return None
    old, new = ({name: {q: pair[at] for q, pair in own.items()} for name, own in common.items()} for at in (0, 1))
    names, questions = list(common), sorted({question for own in common.values() for question in own})
    tables = [
        table({(name, q): score for name, own in scores.items() for q, score in own.items()}, questions, names)
        for scores in (old, new)
    ]
    shift = estimate(_shifts(common, questions), confidence, bounds=scales.shift)
    assert shift is not None
    return SideBridge(
        side=side,
        answers=sum(map(len, common.values())),
        shift=shift,
        alpha=with_interval(krippendorff_alpha, tables[0], tables[1], confidence),
        ranks=with_interval(rank_agreement, tables[0], tables[1], confidence),
        best=(_best(old, base), _best(new, base)),
        prompts=tuple(_prompt(name, base, old, new, confidence, scales) for name in names),
    )


def _shifts(common: Mapping[str, Mapping[str, tuple[float, float]]], questions: Sequence[str]) -> list[float]:
    """New minus old, question by question."""
    return [fmean(own[q][1] - own[q][0] for own in common.values() if q in own) for q in questions]


def _best(scores: Scores, base: str) -> str:
    """The largest gain over the base prompt, on the questions that both have met; the highest mean where it has none.

    Of those alone that have met about as many questions as any but the base prompt: others may have met easier ones.
    """
    common = scores.get(base)
    points = {
        name: [score - (common[q] if common else 0.0) for q, score in own.items() if not common or q in common]
        for name, own in scores.items()
        if name != base
    }
    enough = _ENOUGH * max(map(len, points.values()), default=0)
    ahead = {base: 0.0} if common else {}
    ahead |= {name: fmean(own) for name, own in points.items() if own and len(own) >= enough}
    return max(ahead, key=ahead.__getitem__)


def _prompt(name: str, base: str, old: Scores, new: Scores, confidence: float, scales: Scales) -> PromptBridge:
    sides = ((old, scales.before), (new, scales.now))
    means = [estimate([*scores[name].values()], confidence, bounds=bounds) for scores, bounds in sides]
    gains: list[Estimate | None] = [None, None]
    if name != base and base in old:
        gains = [paired_difference(scores[name], scores[base], confidence, bounds) for scores, bounds in sides]
    assert means[0] is not None
    assert means[1] is not None
    return PromptBridge(name, means[0], means[1], gains[0], gains[1])


def _verdict(gain: Estimate | None) -> str:
    if gain is None or gain.low <= 0 <= gain.high:
        return "level with the base prompt"
    return "better than the base prompt" if gain.low > 0 else "worse than the base prompt"
