"""The paper's experiments on a pair of models: one config for all of them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from configs.schema.data import PoolConfig, QuestionsConfig, RenderConfig
from configs.schema.decoding import DecodingConfig
from configs.schema.distinct import refuse_same_names
from configs.schema.experiment_names import ExperimentName
from configs.schema.experiments import (
    AlignedConfig,
    ComponentsConfig,
    DecodingSweepConfig,
    ExperimentForecastConfig,
    GreedyConfig,
    IclVsFinetuningConfig,
    ManyShotConfig,
    MatchingConfig,
    MultiTurnConfig,
    SufficientConfig,
    TransferConfig,
)
from configs.schema.finetuning import FinetuningConfig
from configs.schema.judge import JudgeConfig
from configs.schema.knobs import Knobs, LocalPath
from configs.schema.model import AnyModelConfig
from configs.schema.scoring import BudgetConfig, ScoringConfig
from configs.schema.workers import WorkersConfig


class BenchmarkConfig(Knobs):
    """Questions, who judges the answers, and which turns count."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")]
    """What it is called in tables; also the name of its folder."""
    questions: QuestionsConfig
    """Questions, as a search has them."""
    side: Literal["all", "search", "held_out"] = "all"
    """Questions that are asked: all of them, or one side of `questions.split`."""
    judge: JudgeConfig
    """Judge, as a search has it (`demosearch knobs judge`)."""
    scoring: ScoringConfig = ScoringConfig()
    """`objective: mean` has both turns answered, judged and shown."""
    experiments: Annotated[tuple[ExperimentName, ...], Field(min_length=1)] | None = None
    """The experiments that put their prompts to this benchmark; all of them when absent. The first of `benchmarks` is
    in all of them."""


class ExperimentConfig(Knobs):
    """A pair of models, and everything that is asked of it: `demosearch experiment NAME CONFIG`."""

    pair: str = "base"
    """What the pair of models is called in tables."""
    toy: bool = False
    """The models are toys: every table and figure says that its numbers claim nothing about language models."""
    paper_model: Literal["Mistral-7B-v0.2", "Llama-3.1-8B"] | None = None
    """Column of the paper that stands beside ours; none when absent."""
    model: AnyModelConfig
    """The base model."""
    instruct: AnyModelConfig | None = None
    """The model's aligned sibling, asked in its own chat template."""
    base_prompt: LocalPath
    """A URIAL prompt file: the rules and demonstrations that the paper starts from."""
    pool: PoolConfig
    """Demonstrations to draw from, to search in, and to train on."""
    benchmarks: Annotated[tuple[BenchmarkConfig, ...], Field(min_length=1)]
    """What every prompt is put to."""
    render: RenderConfig = RenderConfig()
    """Form of the base model's prompts."""
    decoding: DecodingConfig = DecodingConfig()
    budget: BudgetConfig = BudgetConfig()
    """Limits of each benchmark's evaluation, and of each search."""
    workers: WorkersConfig = WorkersConfig()
    ledger_path: LocalPath | None = None
    """A ledger shared with searches, evaluations and other experiments, so that none pays for what another has paid;
    in the run directory when absent. Fine-tuned models are kept beside it, and shared alike."""
    finetuning: FinetuningConfig = FinetuningConfig()
    components: ComponentsConfig = ComponentsConfig()
    many_shot: ManyShotConfig = ManyShotConfig()
    decoding_sweep: DecodingSweepConfig = DecodingSweepConfig()
    matching: MatchingConfig = MatchingConfig()
    multi_turn: MultiTurnConfig = MultiTurnConfig()
    aligned: AlignedConfig = AlignedConfig()
    greedy: GreedyConfig = GreedyConfig()
    icl_vs_finetuning: IclVsFinetuningConfig = IclVsFinetuningConfig()
    transfer: TransferConfig = TransferConfig()
    sufficient: SufficientConfig = SufficientConfig()
    forecast: ExperimentForecastConfig = ExperimentForecastConfig()

    @model_validator(mode="after")
    def _first_is_for_all(self) -> Self:
        if self.benchmarks[0].experiments is not None:
            raise ValueError("benchmarks[0].experiments: the first benchmark is in all experiments; leave it out there")
        return self

    @property
    def confidence(self) -> float:
        """The level of every interval, in (0, 1): the same on all benchmarks."""
        return self.benchmarks[0].scoring.confidence

    @model_validator(mode="after")
    def _confidences_agree(self) -> Self:
        for benchmark in self.benchmarks:
            if benchmark.scoring.confidence != self.confidence:
                raise ValueError(
                    f"benchmark '{benchmark.name}' has scoring.confidence {benchmark.scoring.confidence:g}, "
                    f"'{self.benchmarks[0].name}' {self.confidence:g}; set the same, since one table shows both"
                )
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        refuse_same_names("benchmarks", [benchmark.name for benchmark in self.benchmarks])
        if self.pair in {*(asked.name for asked in self.transfer.models), *(pair.name for pair in self.aligned.pairs)}:
            raise ValueError(f"`pair` and another model are both called '{self.pair}'; give each a name of its own")
        return self
