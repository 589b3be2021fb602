"""What each experiment of the paper has settings for."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from configs.schema.data import PoolConfig, QuestionsConfig, SeparationTag
from configs.schema.distinct import Distinct, refuse_same_names
from configs.schema.forecast import ForecastConfig
from configs.schema.judge import JudgeConfig
from configs.schema.knobs import Knobs, LocalPath
from configs.schema.model import AnyModelConfig
from configs.schema.scoring import ScoringConfig
from configs.schema.strategy import ExhaustiveGreedyConfig, OptunaConfig, ScreeningConfig, StrategyConfig

Counts = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), Distinct]
"""Numbers of demonstrations, each once."""


class ComponentsConfig(Knobs):
    """Rules, examples, or both (the paper's figure 2 and table 7)."""

    counts: Counts = (0, 1, 2, 3)
    """Numbers of the base prompt's demonstrations, from its top."""


class ManyShotConfig(Knobs):
    """The number of demonstrations, from none to as many as the context holds (the paper's figure 3 and table 10)."""

    counts: Counts = (0, 3, 10, 20, 30, 40, 50)
    """Demonstrations in all, the base prompt's included where they are there. A number that the context does not hold
    is missing from the table, with that reason."""
    draws: Annotated[int, Field(ge=1)] = 5
    """Random draws from the pool. Each is one order of the pool, from which the first n are taken, so that draws of
    different numbers share their prefix."""
    seed: int = 0
    """Seed of the draws."""
    unsupervised: bool = True
    """Queries alone, without answers, too."""
    scores: LocalPath | None = None
    """Run directory of a search on this pool: the n demonstrations with the best mean by themselves, too, without and
    with the base prompt's behind them."""
    strategy: ExhaustiveGreedyConfig | None = None
    """A search, in the place of `scores`, whose first round scores every demonstration by itself; pool, questions,
    judge, scoring, seed and window are those of `greedy`. On one ledger, what `greedy` has paid for is not paid
    again."""
    source_field: str | None = None
    """Field of the pool's rows that says where they come from: draws with equal parts of each source, too."""

    @model_validator(mode="after")
    def _one_source_of_scores(self) -> Self:
        if self.scores is not None and self.strategy is not None:
            raise ValueError("scores and strategy both tell which demonstrations are best alone; leave one out")
        return self


class DecodingSweepConfig(Knobs):
    """Temperature, nucleus mass and repetition penalty (the paper's heat maps)."""

    temperatures: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Distinct] = (0.0, 0.3, 0.5, 1.0)
    """Temperatures of sampling; 0 is greedy."""
    top_ps: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Distinct] = (0.6, 0.8, 1.0)
    """Nucleus masses; without effect at temperature 0, where they share one set of answers."""
    repetition_penalties: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Distinct] = (1.0, 1.15)
    """Repetition penalties; they count the prompt's tokens too."""
    strategy: OptunaConfig | None = None
    """A search of demonstrations and decodings together (its `decodings`), beside the grid; questions, judge, scoring,
    seed and window are those of `greedy`. None when absent."""

    @model_validator(mode="after")
    def _search_varies_the_decoding(self) -> Self:
        if self.strategy is not None and not self.strategy.decodings:
            raise ValueError("strategy searches no decoding: add `decodings` to it, or leave it out")
        return self


class MatchingConfig(Knobs):
    """Answers that belong to their queries, to others, or to none (the paper's tables 2 and 8)."""

    added: Annotated[int, Field(ge=0)] = 3
    """Demonstrations of the pool in front of the base prompt's, in a second set; 0 for the base prompt alone."""
    strategy: StrategyConfig | None = None
    """A search whose largest set is matched in the same ways, as a third set; questions, judge, scoring, seed and
    window are those of `greedy`. None when absent."""
    out_of_domain: PoolConfig | None = None
    """Pool from which answers of another domain come; without it that condition is missing."""
    seed: int = 0
    """Seed of the random answers."""
    draws: Annotated[int, Field(ge=1)] = 1
    """Random draws of the added demonstrations and of the random answers. With one, its luck is in no interval."""


class MultiTurnConfig(Knobs):
    """Demonstrations of two turns (the paper's table 3)."""

    pool: PoolConfig | None = None
    """Demonstrations of several turns to draw from, the first two turns of each; those of the experiment's own `pool`
    that have several when absent."""
    base_prompt: PoolConfig | None = None
    """The base prompt's demonstrations with a second turn each, in their order. Without it, the conditions that show it
    alone are missing, and the drawn ones stand in front of the base prompt as it is."""
    follow_ups: LocalPath | None = None
    """File in the place of `base_prompt`: JSON lines with the second turns alone (`follow_up_query`,
    `follow_up_answer`), one for each of the base prompt's demonstrations, in their order."""
    added: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Distinct] = (3, 6)
    """Numbers of drawn demonstrations in front of the base prompt's."""
    draws: Annotated[int, Field(ge=1)] = 3
    """Random draws from the pool, nested."""
    seed: int = 0
    """Seed of the draws."""
    separation_tag: SeparationTag = "# Conversation"
    """The line that parts conversations in the conditions with a tag, as `render.separation_tag`. The paper does not
    print its own."""
    separation_tag_between: Literal["conversations", "turns"] = "conversations"
    """Place of the tag, as `render.separation_tag_between`."""

    @model_validator(mode="after")
    def _one_source_of_second_turns(self) -> Self:
        if self.base_prompt is not None and self.follow_ups is not None:
            raise ValueError("base_prompt and follow_ups both give the base prompt's second turns; leave one out")
        return self


class ModelPairConfig(Knobs):
    """A base model and the model that was made of it to follow instructions."""

    name: Annotated[str, Field(min_length=1)]
    """What the pair is called in tables."""
    model: AnyModelConfig
    """The base model."""
    instruct: AnyModelConfig | None = None
    """The model's aligned sibling, asked in its own chat template."""


class AlignedConfig(Knobs):
    """Base models with a prompt against instruct models (the paper's table 1)."""

    pairs: tuple[ModelPairConfig, ...] = ()
    """Further pairs, in the same table."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        refuse_same_names("pairs", [pair.name for pair in self.pairs])
        return self


class NamedStrategy(Knobs):
    """One way to search."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")]
    """What it is called in tables; also the name of its folder."""
    strategy: StrategyConfig


class GreedyConfig(Knobs):
    """Demonstrations found by search (the paper's tables 4 and 6)."""

    strategies: Annotated[tuple[NamedStrategy, ...], Field(min_length=1)] = (
        NamedStrategy(
            name="paper", strategy=ExhaustiveGreedyConfig(kind="exhaustive_greedy", max_demonstrations=3, threshold=6.2)
        ),
        NamedStrategy(name="screening", strategy=ScreeningConfig(kind="screening", max_demonstrations=3)),
    )
    """What is compared. The paper's: every round keeps its best, even where that is worse than the round before."""
    pool: PoolConfig | None = None
    """Demonstrations to search in; the experiment's `pool` when absent. The paper searched in a hundred of them."""
    questions: QuestionsConfig | None = None
    """What guides the search; the first benchmark's when absent."""
    judge: JudgeConfig | None = None
    """Judge while searching; the first benchmark's judge when absent. The report has the benchmark's own: another one
    shows how much of a score is the search's judge."""
    scoring: ScoringConfig = ScoringConfig()
    """Scoring of the search: its objective."""
    seed: int = 0
    """Seed of the strategies."""
    window: Annotated[int, Field(ge=1)] = 12
    """Candidates under way at the same time."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        refuse_same_names("strategies", [named.name for named in self.strategies])
        return self


class NamedPoolConfig(Knobs):
    """Demonstrations of another source."""

    name: Annotated[str, Field(pattern=r"^[^,]+$")]
    """What it is called in tables; `Evol-Instruct` has the paper's figures beside it."""
    pool: PoolConfig


class IclVsFinetuningConfig(Knobs):
    """The same n examples as a prompt or as training data (the paper's figure 5)."""

    counts: Counts = (3, 10, 20, 30, 40, 50, 100, 300, 1000, 2000, 4000)
    """Numbers of examples; 0, the base model as it is, comes by itself."""
    draws: Annotated[int, Field(ge=1)] = 3
    """Random draws from the pool, nested, each a prompt and a training with a seed of its own."""
    seed: int = 0
    """Seed of the draws and of the trainings."""
    methods: Annotated[tuple[Literal["full", "lora"], ...], Field(min_length=1), Distinct] = ("full", "lora")
    """All weights, low-rank adapters, or both."""
    further_pools: tuple[NamedPoolConfig, ...] = ()
    """The same with examples of other sources. The paper had Evol-Instruct beside Instruct-SkillMix."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        refuse_same_names("further_pools", [named.name for named in self.further_pools])
        return self


class NamedSetConfig(Knobs):
    """Demonstrations that were found somewhere."""

    name: Annotated[str, Field(min_length=1)]
    """What they are called in tables."""
    path: LocalPath
    """Run directory of a search, of which the best set of each size is taken; or a prompt as `variants[].prompt` of an
    evaluation takes it, such as an export."""
    query_field: str = "query"
    """Field of a list's rows that holds the query."""
    answer_field: str = "answer"
    """Field of a list's rows that holds the answer."""


class AskedModelConfig(Knobs):
    """A model that prompts are put to."""

    name: Annotated[str, Field(min_length=1)]
    """What it is called in tables."""
    model: AnyModelConfig
    """The other model."""
    chat: bool = False
    """Ask the model in its own chat template, and not in the form of the base model's prompts."""


class TransferConfig(Knobs):
    """Sets found on one model, put to others (the paper's table 9)."""

    sets: tuple[NamedSetConfig, ...] = ()
    """What was found before."""
    strategies: tuple[NamedStrategy, ...] = ()
    """Searches on the experiment's model whose best set of each size is put to all models; questions, judge, scoring,
    seed and window are those of `greedy`."""
    models: tuple[AskedModelConfig, ...] = ()
    """Further models, beside the experiment's own."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        refuse_same_names("sets", [*(named.name for named in self.sets), *(named.name for named in self.strategies)])
        refuse_same_names("models", [asked.name for asked in self.models])
        return self


class SufficientConfig(Knobs):
    """All experiments on one page: the share of the gap from base to instruct model that each prompt closes."""

    experiments: Annotated[
        tuple[
            Literal[
                "components",
                "greedy",
                "many_shot",
                "multi_turn",
                "decoding",
                "matching",
                "transfer",
                "icl_vs_finetuning",
            ],
            ...,
        ],
        Field(min_length=1),
        Distinct,
    ] = ("components", "greedy", "many_shot", "multi_turn", "decoding", "matching", "transfer", "icl_vs_finetuning")
    """What is put together, with the settings that each of them has here; `transfer` only where it has sets. On one
    `ledger_path`, what was run before is not paid again."""


class ExperimentForecastConfig(ForecastConfig):
    """What `--dry-run` assumes where nothing is measured yet. Decides nothing else."""

    billion_parameters: Annotated[float, Field(gt=0)] | None = None
    """Size of the base model, in the place of what its config says where that is on this machine: a training step takes
    six operations a parameter and token, and disk and memory of trainings follow from it."""
    gpu_memory_gb: Annotated[float, Field(gt=0)] | None = None
    """Memory of one GPU, in 10^9 bytes: trainings that need more are told of beforehand."""
    training_teraflops: Annotated[float, Field(gt=0)] = 200.0
    """Operations a second of one GPU while training, in 10^12, as they are reached and not as they are advertised."""
