"""Strategies: how a search goes about choosing demonstrations, one kind a class."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    Field,
)

from configs.schema.case import CaseConfig
from configs.schema.knobs import Knobs, LocalPath
from configs.schema.search_space import SearchSpaceConfig, StrategySummary, VaryingKnobs


class HintsConfig(Knobs):
    """What may tell beforehand what demonstrations do."""

    runs: tuple[LocalPath, ...] = ()
    """Run directories of earlier searches on demonstrations of this pool, with any model, judge and questions, and
    ledgers, whose prompts are searched for them; scores on questions that are held out here are not looked at."""
    likelihood_questions: Annotated[int, Field(ge=0)] = 0
    """How likely the model itself finds the reference answers of so many search questions (8, say; those that have
    one) behind each demonstration. 0: not asked. It costs so many prompts read for each demonstration of the pool,
    nothing written, nothing judged; a served model is paid for them."""


class ScreeningConfig(SearchSpaceConfig):
    """Groups of demonstrations are judged together, a statistical model tells them apart, then it proposes sets and
    races the best. The one to take unless you know better."""

    budget_setting: ClassVar[str | None] = "evaluations"
    summary: ClassVar = StrategySummary(
        "groups of demonstrations on small blocks of questions, a statistical model that tells them apart, Thompson "
        "sampling over sets, a race of the best",
        "as many as you say; a tenth of exhaustive greedy's otherwise",
        "unless you know better",
    )
    ranks_by: ClassVar = (
        "a statistical model of all search scores, which draws a candidate with few answers of its own towards what "
        "its demonstrations did elsewhere; the finalists meet every search question before the end"
    )

    kind: Literal["screening"]
    evaluations: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Answers judged on search questions, the base prompt's included; `auto`: a tenth of exhaustive greedy's,
    or 12 candidates' worth where that is more."""
    block: Annotated[int, Field(ge=1)] = 8
    """Questions a trial: fewer tell more at the same number of answers, more share their prompt's prefix."""
    screening_judge_answers: Annotated[int, Field(ge=0)] | Literal["auto"] = "auto"
    """Answers that `judge.screening` judges beside those; `auto`: twenty times as many, and at the most as many as
    exhaustive greedy would have judged. Without effect where there is no such judge."""
    screening_share: Annotated[float, Field(ge=0, le=1)] | Literal["auto"] = "auto"
    """Share of the budget for groups, in [0, 1]; `auto`: 0.75, and less where sets of more than 3 would go short of
    trials of their own beside the finalists'."""
    race_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the budget for the race at the end, in [0, 1]."""
    drift_checks: Annotated[int, Field(ge=0)] | Literal["auto"] = 0  # type: ignore[assignment]  # more than others
    """How many times the judge is asked again about the base prompt's answers to at most 8 questions while the search
    runs, which shows whether its level drifts. Each costs that many verdicts beside the budget, and no answer. 0:
    never; `auto`: 8 times, once the scores themselves say that it does."""
    least_gain: Annotated[float, Field(ge=0)] = 0.0
    """Stop early when finding the best set is expected to gain less than this over the best known, in points; 0 never
    stops early."""
    embedding: str = "hashed"
    """What tells which demonstrations are alike: `hashed` (words and letters, built in), `none`, or the name of a
    sentence-transformers model, which is replaced by `hashed` where it is not installed or cannot be reached."""
    hints: HintsConfig = HintsConfig()
    """What is known of demonstrations before anything is judged; answers decide how much it is worth."""


class RacingKnobs(SearchSpaceConfig):
    """What strategies have that race candidates on blocks of questions."""

    ranks_by: ClassVar = (
        "their gain over the base prompt on shared questions, counted the less the fewer these are, the winner of the "
        "last race first; the finalists meet every search question before the end"
    )

    block: Annotated[int, Field(ge=1)] = 8
    """Questions of a block; after each, whoever is proven worse than the best leaves."""
    test: Literal["t", "wilcoxon", "sequential"] = "t"
    """The paired one-sided test. `wilcoxon` leaves out equal scores' share of evidence, and is misled by yes-or-no
    scores. `sequential` errs no more often than `p_value` says however many blocks it looks at, and asks for more
    answers; the others err more often, the more blocks there are."""
    p_value: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """P-value below which a candidate leaves, in (0, 1). Larger is cheaper and less reliable."""


class RacingGreedyConfig(RacingKnobs):
    """Greedy rounds, each a race with paired elimination."""

    summary: ClassVar = StrategySummary(
        "greedy rounds in which whoever is proven worse leaves early",
        "decided by the scores",
        "when effects are few and large, or nothing shall be assumed of them",
    )

    kind: Literal["racing_greedy"]
    carry_over: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of a round's demonstrations, the best, that the next round tries again, in (0, 1]."""


class SuccessiveHalvingConfig(SearchSpaceConfig):
    """Greedy rounds, each halving its contenders again and again."""

    summary: ClassVar = StrategySummary(
        "greedy rounds that halve their contenders",
        "as many as you say",
        "for a fixed budget without a model of effects",
    )
    ranks_by: ClassVar = (
        "their gain over the base prompt on shared questions, counted the less the fewer these are; the finalists "
        "meet every search question before the end"
    )

    kind: Literal["successive_halving"]
    evaluations: Annotated[int, Field(ge=1)] = 3000
    """Answers judged on search questions, about; the base prompt's included."""


class BeamConfig(RacingKnobs):
    """Beam search: the best few sets of every round are extended together."""

    summary: ClassVar = StrategySummary(
        "as racing greedy, with the best few sets extended together",
        "decided by the scores",
        "when demonstrations need each other",
    )

    kind: Literal["beam"]
    width: Annotated[int, Field(ge=1)] = 4
    """Sets kept from round to round."""


class LocalSearchConfig(RacingKnobs):
    """Local search from a set of yours: exchange, insert, remove, move."""

    budget_setting: ClassVar[str | None] = "evaluations"
    summary: ClassVar = StrategySummary(
        "exchanges, inserts, removes and moves, from a set of yours",
        "as many as you say",
        "to improve a set that is good already",
    )

    kind: Literal["local_search"]
    start: tuple[str, ...] = ()
    """Ids of the set to start from, in order; the base prompt when empty."""
    evaluations: Annotated[int, Field(ge=1)] = 3000
    """Answers judged on search questions at most, the base prompt's included."""
    neighbours: Annotated[int, Field(ge=1)] = 12
    """Neighbours that race against the best set together."""
    patience: Annotated[int, Field(ge=1)] = 4
    """Races in a row that may change nothing before the search ends."""


class SimilarConfig(SearchSpaceConfig):
    """The demonstrations nearest to the search questions; nothing is judged but the base prompt and the pick."""

    summary: ClassVar = StrategySummary(
        "the demonstrations nearest to the questions by their texts",
        "two prompts' worth",
        "as a baseline that costs nearly nothing",
    )

    kind: Literal["similar"]
    embedding: str = "hashed"
    """See `screening`."""


class DiverseConfig(SearchSpaceConfig):
    """Demonstrations near to the search questions but unlike each other; judged as `similar`."""

    summary: ClassVar = StrategySummary(
        "near to the questions but unlike each other, by their texts",
        "two prompts' worth",
        "as a baseline that costs nearly nothing",
    )

    kind: Literal["diverse"]
    embedding: str = "hashed"
    """See `screening`."""


class CustomConfig(VaryingKnobs):
    """A strategy of your own."""

    summary: ClassVar = StrategySummary(
        "a class of yours",
        "yours",
        "see below",
    )
    ranks_by: ClassVar = "the strategy of your own; the finalists meet every search question before the end"

    kind: Literal["custom"]
    strategy: str
    """`module:Class`, importable where the search runs; called with the space, `options` and the seed."""
    options: dict[str, Any] = {}
    """Whatever it wants to know."""
    timeout: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    """Seconds one call of it may take; then the run stops, to be resumed."""


class ExhaustiveGreedyConfig(SearchSpaceConfig):
    """The paper's search: every round tries every demonstration next and keeps the best mean."""

    summary: ClassVar = StrategySummary(
        "every demonstration in every round, as the paper did",
        "(1 + N + N - 1 + ...) times all search questions",
        "to reproduce the paper",
    )

    kind: Literal["exhaustive_greedy"]
    threshold: float | None = None
    """Lowest mean of round 1 with which a demonstration is tried from round 2 on (the paper: 6.2)."""
    stop_without_gain: bool = True
    """Stop when a round does not improve on the best so far, and keep that. False is the paper's way: all rounds, and
    the last round's best is accepted even when it is lower."""
    later_verdicts: Annotated[int, Field(ge=1)] = 1
    """Verdicts on each answer from round 2 on; their average chooses. The paper judged these rounds several times."""


class RandomConfig(SearchSpaceConfig):
    """Random ordered choices: the baseline that every search has to beat."""

    budget_setting: ClassVar[str | None] = "trials"
    summary: ClassVar = StrategySummary(
        "ordered choices at random",
        "`trials` times all search questions",
        "as the baseline that every search has to beat",
    )

    kind: Literal["random"]
    trials: Annotated[int, Field(ge=1)] = 100
    """Distinct candidates evaluated, the base prompt not counted."""


class OptunaConfig(RacingKnobs, VaryingKnobs):
    """Optuna guides: groups of demonstrations are judged first and leave a shortlist, then it proposes ordered choices
    of it: one categorical slot a position, each a demonstration or empty; place among the base prompt's and decoding
    where they are to be tried."""

    budget_setting: ClassVar[str | None] = "trials"
    summary: ClassVar = StrategySummary(
        "Gaussian process, TPE or NSGA-II over ordered slots, for a shortlist that a warm start leaves",
        "as many as `trials` candidates need on all search questions",
        "to compare with other work that uses Optuna",
    )
    ranks_by: ClassVar = SearchSpaceConfig.ranks_by

    kind: Literal["optuna"]
    sampler: Literal["gp", "tpe", "nsga2"] = "gp"
    """`gp`: Gaussian process, best up to about 300 proposals. `tpe`: fast at any number. `nsga2`: genetic, beyond 300
    proposals."""
    trials: Annotated[int, Field(ge=1)] = 200
    """The budget: as many answers as so many candidates need on all search questions, the base prompt not counted."""
    warm_start: Literal["screening", "singles", "none"] = "screening"
    """What leaves the shortlist. `screening`: random groups of demonstrations on blocks of questions, told apart by a
    statistical model. `singles`: demonstrations alone. `none`: no shortlist; Optuna needs several times the trials."""
    warm_start_share: Annotated[float, Field(gt=0, lt=1)] = 0.4
    """Share of the budget for that, in (0, 1)."""
    prune: bool = True
    """A proposal that is proven worse than the best candidate so far is given up after a block; what it saves pays for
    further ones."""
    test: Literal["t", "wilcoxon", "sequential"] = "wilcoxon"
    """The paired one-sided test; `wilcoxon` is misled by yes-or-no scores, `sequential` allows for looking after every
    block."""


StrategyConfig = Annotated[
    ScreeningConfig
    | ExhaustiveGreedyConfig
    | RacingGreedyConfig
    | SuccessiveHalvingConfig
    | CaseConfig
    | BeamConfig
    | LocalSearchConfig
    | OptunaConfig
    | RandomConfig
    | SimilarConfig
    | DiverseConfig
    | CustomConfig,
    Field(discriminator="kind"),
]
