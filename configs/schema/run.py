"""A search: every knob of it."""

from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from configs.schema.data import BasePromptConfig, PoolConfig, QuestionsConfig, RenderConfig
from configs.schema.decoding import DecodingConfig
from configs.schema.forecast import ForecastConfig
from configs.schema.knobs import Knobs, LocalPath, Seed
from configs.schema.model import AnyModelConfig
from configs.schema.scoring import BudgetConfig, ScoringConfig
from configs.schema.search_judge import (
    ScreenedKnobs,
    SearchJudgeConfig,
    judge_alone,
    screened_held_out_share,
    screening_judge,
)
from configs.schema.strategy import ScreeningConfig, StrategyConfig
from configs.schema.trackers import TrackersConfig
from configs.schema.workers import WorkersConfig


class RunConfig(Knobs):
    """One search, complete."""

    seed: Seed = 0
    """Seed of the strategy."""
    base_prompt: BasePromptConfig
    pool: PoolConfig
    questions: QuestionsConfig
    render: RenderConfig = RenderConfig()
    model: AnyModelConfig
    decoding: DecodingConfig = DecodingConfig()
    judge: SearchJudgeConfig
    strategy: StrategyConfig = ScreeningConfig(kind="screening")
    scoring: ScoringConfig = ScoringConfig()
    budget: BudgetConfig = BudgetConfig()
    forecast: ForecastConfig = ForecastConfig()
    workers: WorkersConfig = WorkersConfig()
    window: Annotated[int, Field(ge=1)] = 12
    """Candidates under way at the same time; 3 times the workers or more keeps all of them busy. Part of the search's
    identity: another window is another search."""
    trackers: TrackersConfig = TrackersConfig()
    ledger_path: LocalPath | None = None
    """A ledger shared by several runs, so that none pays for what another has paid; in the run directory when absent.
    On a local disk: SQLite's write-ahead log does not work over NFS."""
    reuse_folder: bool = False
    """Take over what other runs in the folder of this one have paid for, instead of paying again (`--reuse`). Without
    effect where `ledger_path` is given."""

    @field_validator("judge", mode="before")
    @classmethod
    def _of_any_kind(cls, judge: Any) -> Any:
        """A judge as an evaluation has it is one of a search."""
        return judge.model_dump() if isinstance(judge, Knobs) and not isinstance(judge, ScreenedKnobs) else judge

    @model_validator(mode="after")
    def _screening_is_used(self) -> Self:
        screening = screening_judge(self.judge)
        if screening == judge_alone(self.judge):
            raise ValueError("judge.screening is the judge itself: name a cheaper one, or leave it out")
        if screening is not None and not isinstance(self.strategy, ScreeningConfig):
            raise ValueError(
                f"only strategy.kind screening asks judge.screening, and this is {self.strategy.kind}: leave it out, "
                "or use that strategy"
            )
        if screening is None and screened_held_out_share(self.judge):
            raise ValueError(
                "judge.screened_held_out_share is scored by judge.screening, and there is none: name one, or leave the "
                "share out"
            )
        return self
