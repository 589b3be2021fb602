"""What a strategy achieved on one landscape, and what that means over many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import get_args

from pydantic import TypeAdapter

from configs.schema.search_space import SearchSpaceConfig
from configs.schema.strategy import StrategyConfig
from search.bench.landscape import Landscape
from search.bench.landscapes import LANDSCAPES
from search.bench.second_judge import JudgedTwice
from search.bench.simulation import WINDOW, SimulatedSearch, simulate
from search.problem.space import SearchSpace
from search.statistics.estimates import Estimate, estimate, paired_difference
from search.strategies.make import strategy_of
from search.strategies.parts.embedding import Embedding

_CONFIDENCE = 0.95
_FURTHER = 2000  # questions that stand for all there could be
REFERENCE = "exhaustive_greedy"
WITH_JUDGES = "screening"
"""The strategy that a screening judge may guide."""
_SAMPLERS = ("tpe", "gp")
_CONFIGS: Mapping[str, type[SearchSpaceConfig]] = {
    name: member
    for member in get_args(get_args(StrategyConfig)[0])
    for kind in get_args(member.model_fields["kind"].annotation)
    for name in ([f"{kind}_{sampler}" for sampler in _SAMPLERS] if "sampler" in member.model_fields else [kind])
}
STRATEGIES = tuple(name for name in _CONFIGS if name not in (REFERENCE, "custom"))
UNBUDGETED = frozenset(
    name for name, member in _CONFIGS.items() if not {"evaluations", "trials"} & member.model_fields.keys()
)


@dataclass(frozen=True, slots=True)
class Case:
    """One landscape: its name, demonstrations, most demonstrations of a set, seed."""

    landscape: str
    pool: int
    most: int
    seed: int


@dataclass(frozen=True, slots=True)
class StrategyOutcome:
    """One search on one landscape.

    Attributes:
        share: of exhaustive greedy's budget that it was given; its own need for a strategy without a budget.
        evaluations, greedy_evaluations: judged generations.
        difference: true held-out score of what it found minus that of what exhaustive greedy found.
        exported: the same of what is exported, the base prompt where what was found is not surely better.
        regret: of the best known set (noise-free greedy steps and swaps), minus what it found.
        base_kept: whether the base prompt is exported.
        score_covered, gain_covered: whether the reported 95 % intervals of the winner's held-out score, and of its gain
            over the base prompt, hold the truth over all questions of the kind; None where there is no gain to report.
        seconds: processor time inside the strategy, a trial.
        under_way: other trials at work while one was told, on average.
    """

    case: Case
    strategy: str
    share: float
    evaluations: int
    greedy_evaluations: int
    difference: float
    exported: float
    regret: float
    base_kept: bool
    score_covered: bool
    gain_covered: bool | None
    seconds: float
    under_way: float = 0.0


def outcomes(
    case: Case,
    strategies: Sequence[str],
    shares: Sequence[float],
    window: int = WINDOW,
    judges: Sequence[str] = (),
) -> list[StrategyOutcome]:
    """All strategies with all budgets on one landscape, exhaustive greedy first.

    Args:
        window: trials under way at the most.
        judges: screening judges, of `SECOND_JUDGES`, with each of which `screening` searches too.
    """
    landscape = Landscape(LANDSCAPES[case.landscape], case.seed, pool=case.pool, further=_FURTHER)
    space = landscape.space(case.most)
    ceiling = landscape.truth(landscape.ceiling(case.most), landscape.held_out)
    embedding = Embedding(landscape.embedding, landscape.question_embedding[: len(space.questions)])
    greedy = simulate(strategy_of(config_of(REFERENCE, space, 0), space, case.seed, embedding), landscape, space)

    def outcome(name: str, share: float, search: SimulatedSearch) -> StrategyOutcome:
        score_covered, gain_covered = _covered(landscape, space, search)
        return StrategyOutcome(
            case=case,
            strategy=name,
            share=share,
            evaluations=search.evaluations,
            greedy_evaluations=greedy.evaluations,
            difference=search.found_truth - greedy.found_truth,
            exported=search.truth - greedy.truth,
            regret=ceiling - search.found_truth,
            base_kept=len(search.winner) == 0,
            score_covered=score_covered,
            gain_covered=gain_covered,
            seconds=search.seconds / search.trials,
            under_way=search.under_way,
        )

    results = [outcome(REFERENCE, 1.0, greedy)]
    budgets = {share: max(2 * len(space.questions), round(share * greedy.evaluations)) for share in shares}
    for name in strategies:
        for share in shares if name not in UNBUDGETED else shares[:1]:
            strategy = strategy_of(config_of(name, space, budgets[share]), space, case.seed, embedding)
            search = simulate(strategy, landscape, space, window)
            given = search.evaluations / greedy.evaluations if name in UNBUDGETED else share
            results.append(outcome(name, given, search))
    for judge, share in product(judges, shares):
        config, twice = config_of(WITH_JUDGES, space, budgets[share]), JudgedTwice(landscape, judge, case.seed)
        strategy = strategy_of(config, space, case.seed, embedding, has_screening_judge=True)
        results.append(outcome(with_judge(judge), share, simulate(strategy, twice, space, window)))
    return results


def with_judge(judge: str) -> str:
    """What `screening` with this screening judge is called."""
    return f"{WITH_JUDGES}, judge {judge}"


def _covered(landscape: Landscape, space: SearchSpace, search: SimulatedSearch) -> tuple[bool, bool | None]:
    """Whether the intervals of the winner's held-out score and gain hold the truth."""
    base = space.compose(())
    truths = {candidate: landscape.truth(candidate, landscape.further) for candidate in (search.winner, base)}
    score = estimate([*search.held_out[search.winner].values()], _CONFIDENCE, bounds=landscape.bounds)
    if search.winner == base:
        return _holds(score, truths[base]), None
    gain = paired_difference(search.held_out[search.winner], search.held_out[base], _CONFIDENCE, landscape.bounds)
    return _holds(score, truths[search.winner]), _holds(gain, truths[search.winner] - truths[base])


def _holds(interval: Estimate | None, truth: float) -> bool:
    return interval is not None and interval.low <= truth <= interval.high


def config_of(name: str, space: SearchSpace, budget: int) -> StrategyConfig:
    """A strategy's config with nothing tuned but its budget, in judged generations."""
    fields = _CONFIGS[name].model_fields
    (kind,) = get_args(fields["kind"].annotation)
    knobs: dict[str, object] = {}
    if "evaluations" in fields:
        knobs["evaluations"] = budget
    if "trials" in fields:
        knobs["trials"] = max(1, budget // len(space.questions) - 1)
    if "sampler" in fields:
        knobs["sampler"] = name.removeprefix(f"{kind}_")
    if "patience" in fields:
        knobs["patience"] = 1000
    if name == REFERENCE:
        knobs["stop_without_gain"] = False
    config: StrategyConfig = TypeAdapter(StrategyConfig).validate_python(
        {"kind": kind, "max_demonstrations": space.max_added, **knobs}
    )
    return config
