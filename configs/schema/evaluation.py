"""An evaluation: prompts compared on one benchmark."""

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    model_validator,
)

from configs.schema.data import QuestionsConfig, RenderConfig
from configs.schema.decoding import DecodingConfig
from configs.schema.distinct import refuse_same_names
from configs.schema.forecast import ForecastConfig
from configs.schema.judge import JudgeConfig
from configs.schema.knobs import Knobs, LocalPath
from configs.schema.model import AnyModelConfig
from configs.schema.scoring import BudgetConfig, ScoringConfig
from configs.schema.workers import WorkersConfig


class VariantConfig(Knobs):
    """One prompt of an evaluation, and the model it is put to."""

    name: Annotated[str, Field(min_length=1)]
    """What it is called in tables; no two alike."""
    prompt: LocalPath | None = None
    """A file, told apart by its ending. `.jsonl`, `.parquet`: a list of demonstrations. `.json`: such a list, or what
    `demosearch export --format json` wrote. Any other: a URIAL prompt file. Neither rules nor demonstrations when
    absent. Where the search varied the decoding too (`strategy.decodings`), an export says what to change of the
    evaluation's, and with `use: all` that is done; so is its separation tag where the evaluation has none."""
    use: Literal["all", "rules", "demonstrations"] = "all"
    """Part of that file that the prompt is made of."""
    rules: LocalPath | None = None
    """A text file with rules, verbatim; in the place of those in `prompt`."""
    max_demonstrations: Annotated[int, Field(ge=0)] | None = None
    """Only so many demonstrations, from the top; all of them when absent."""
    query_field: str = "query"
    """Field of a list's rows that holds the query, as text, or as a list for several turns. Rows are read as those of a
    pool are."""
    answer_field: str = "answer"
    """Field of a list's rows that holds the answer, or the list of answers."""
    model: AnyModelConfig | None = None
    """Model in the place of the evaluation's own."""
    render: RenderConfig | None = None
    """Form of the prompt in the place of the evaluation's own; `chat` for a model that has learnt to follow
    instructions.
    """
    decoding: DecodingConfig | None = None
    """Decoding in the place of the evaluation's own, whatever an export says."""


class EvaluationConfig(Knobs):
    """Prompts on a benchmark, without a search: `demosearch evaluate`."""

    variants: Annotated[tuple[VariantConfig, ...], Field(min_length=1)]
    """What is compared; differences are to the first. Those with the same `model` are evaluated without loading it
    again."""
    questions: QuestionsConfig
    side: Literal["all", "search", "held_out"] = "all"
    """Questions that are asked: all of them, or one side of `questions.split`."""
    render: RenderConfig = RenderConfig()
    model: AnyModelConfig
    decoding: DecodingConfig = DecodingConfig()
    judge: JudgeConfig
    scoring: ScoringConfig = ScoringConfig()
    budget: BudgetConfig = BudgetConfig()
    forecast: ForecastConfig = ForecastConfig()
    workers: WorkersConfig = WorkersConfig()
    ledger_path: LocalPath | None = None
    """A ledger shared with searches and other evaluations, so that none pays for what another has paid; in the run
    directory when absent. On a local disk."""
    reuse_folder: bool = False
    """Take over what other runs in the folder of this one have paid for, instead of paying again (`--reuse`). Without
    effect where `ledger_path` is given."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        refuse_same_names("variants", [variant.name for variant in self.variants])
        return self
