"""Every knob on one page. Units and ranges stand in the descriptions; an unknown knob is an error.

Paths in a YAML file are relative to that file; paths given on the command line are relative to where it is typed.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, ValidationInfo, model_validator


class FromCommandLine(str):
    """A value typed after `--set`: its relative paths start at the working directory, not at the YAML file."""

    __slots__ = ()


def _anchored(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, (str, Path)) or info.context is None:
        return value
    base = Path.cwd() if isinstance(value, FromCommandLine) else Path(info.context["folder"])
    return (base / Path(value).expanduser()).resolve()


def _model_name(value: Any, info: ValidationInfo) -> Any:
    folder = _anchored(value, info)
    return str(folder) if isinstance(folder, Path) and folder.is_dir() else value


LocalPath = Annotated[Path, BeforeValidator(_anchored)]
ModelName = Annotated[str, BeforeValidator(_model_name)]
Share = Annotated[float, Field(gt=0, lt=1)]


class Knobs(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class BasePromptConfig(Knobs):
    """What every candidate starts from: rules, and demonstrations that are always there."""

    path: LocalPath
    """A URIAL prompt file: rules, then demonstrations (possibly none of either)."""


class RecordsConfig(Knobs):
    """Where rows come from: a file, or a data set of a Hugging Face hub."""

    path: LocalPath | None = None
    """JSONL, JSON (a list of objects) or Parquet file; told apart by the ending. Give this or `hub`."""
    hub: str | None = None
    """Name of a hub data set, for example `PrincetonPLI/Instruct-SkillMix-SDA`."""
    hub_split: str = "train"
    """Split of the hub data set."""
    hub_revision: str | None = None
    """Commit or tag of the hub data set; pin it, so that a resumed run reads the same rows."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Use a random sample of this many rows (drawn with `sample_seed`); all of them when absent."""
    sample_seed: int = 0
    """Seed of that sample."""


class PoolConfig(RecordsConfig):
    """The demonstrations that may be chosen."""

    query_field: str = "query"
    """Field of a row that holds the query, as text."""
    answer_field: str = "answer"
    """Field of a row that holds the answer, as text."""
    id_field: str | None = None
    """Field that holds the demonstration's id; when absent, or when a row lacks it, the id is a hash of its content."""


class SplitConfig(Knobs):
    """Which questions guide the search and which judge the winner alone. First match wins: field, file, share."""

    by_field: str | None = None
    """Field of a question row that says `guiding` or `held_out` (data sets that come with a split of their own)."""
    held_out_path: LocalPath | None = None
    """A separate file of held-out questions, in the same format; then all of `questions.path` guides."""
    held_out_share: Share = 0.5
    """Else: share of the questions held out, stratified by category, in (0, 1)."""
    seed: int = 0
    """Seed of the stratified draw."""


class QuestionsConfig(RecordsConfig):
    """The benchmark's questions."""

    benchmark: Literal["jsonl", "mt_bench"] = "jsonl"
    """`jsonl`: rows with the fields below. `mt_bench`: FastChat's question.jsonl, turn 1."""
    reference_path: LocalPath | None = None
    """`mt_bench`: FastChat's reference answers (reference_answer/gpt-4.jsonl). They belong to the benchmark, whatever
    the judge is called."""
    id_field: str = "id"
    """Field of a row that holds the question's id; where a row lacks it, the id is a hash of the query."""
    query_field: str = "query"
    """Field that holds the question, as text (or a list of turns, of which the first is asked)."""
    category_field: str = "category"
    """Field that holds the category; may be missing in a row."""
    reference_field: str = "reference"
    """Field that holds the reference answer, as text (or a list, one a turn); may be missing in a row."""
    split: SplitConfig = SplitConfig()


class RenderConfig(Knobs):
    """How rules, demonstrations and a question become a prompt."""

    template: Literal["urial_backticks", "urial_v5", "urial_v6", "chat"] = "urial_backticks"
    """`urial_backticks`: `# Query:` / `# Answer:` with fences, the paper's. `urial_v5`, `urial_v6`: `# User:` /
    `# Assistant:` without fences, with more and with less white space. `chat`: the model's own chat template, rules as
    the system message."""
    clean_up: Literal["strip", "faithful"] = "strip"
    """`strip`: a closing fence and white space around an answer are removed. `faithful`: upstream's clean-up, which
    deletes every triple backtick and so breaks answers with code; for reproducing published numbers."""


class ModelConfig(Knobs):
    """The model whose prompt is searched."""

    engine: Literal["transformers"] = "transformers"
    """What runs it: transformers, in the workers' own processes."""
    name: ModelName
    """A folder with a model, or the name of a hub model such as `meta-llama/Llama-3.1-8B`."""
    revision: str | None = None
    """Commit or tag of the hub model; pin it, so that a resumed run meets the same weights."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Precision of the weights and of the computation; `auto`: as the model was saved."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto`: the GPU that the worker was given, else the CPU."""
    context_tokens: Annotated[int, Field(ge=16)] | None = None
    """Use at most this many tokens of context; the model's own limit when absent."""
    batch_size: Annotated[int, Field(ge=1)] = 32
    """Prompts answered at the same time by one worker; halved when memory runs out."""


class DecodingConfig(Knobs):
    """How tokens are chosen; see `workers.prompt.Decoding`."""

    max_new_tokens: Annotated[int, Field(ge=1)] = 2048
    """At most this many tokens an answer."""
    temperature: Annotated[float, Field(ge=0, le=10)] = 0.0
    """0 is greedy."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Nucleus mass, in (0, 1]."""
    top_k: Annotated[int, Field(ge=0)] = 0
    """Most likely tokens kept; 0 keeps all."""
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] = 1.0
    """1 is off. It counts the prompt's tokens too, so the number of demonstrations changes its effect."""
    stop: tuple[str, ...] | None = None
    """An answer ends before the first of these; the template's own stop strings when absent."""
    seed: int = 0
    """Seed of sampling; without effect at temperature 0."""


class ServiceConfig(Knobs):
    """An OpenAI-compatible service."""

    model: str
    """Model name that the service knows, for example `gpt-4-turbo-2024-04-09`."""
    base_url: str | None = None
    """Address such as `http://127.0.0.1:8000/v1`; OpenAI's own when absent."""
    api_key_variable: str | None = "OPENAI_API_KEY"
    """NAME of the environment variable that holds the key, never the key; null for a server that asks for none."""
    max_in_flight: Annotated[int, Field(ge=1)] = 32
    """Requests under way at the same time."""
    timeout: Annotated[float, Field(gt=0)] = 120.0
    """Seconds one request may take."""
    max_retries: Annotated[int, Field(ge=0, le=20)] = 6
    """Further attempts after 429, 5xx, a timeout or a lost connection, with growing pauses; Retry-After is honoured."""


class MTBenchJudgeConfig(Knobs):
    """A language model that grades single answers with MT-Bench's prompts, 1 to 10 (Zheng et al. 2023)."""

    kind: Literal["mt_bench"]
    prompts_path: LocalPath
    """FastChat's judge_prompts.jsonl."""
    service: ServiceConfig
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Of the judge; MT-Bench uses 0."""
    max_tokens: Annotated[int, Field(ge=16)] = 2048
    """Tokens the judge may write; MT-Bench uses 2048."""
    unreadable_retries: Annotated[int, Field(ge=0, le=10)] = 2
    """How often a verdict without a rating is asked for again before it counts as a failure."""


class ReferenceJudgeConfig(Knobs):
    """Similarity to the question's reference answer (sacrebleu); local, free, deterministic."""

    kind: Literal["reference"]
    metric: Literal["chrf", "exact_match"] = "chrf"
    """`chrf`: character n-gram F-score (Popovic 2015). `exact_match`: equal after stripping."""
    low: FiniteFloat = 1.0
    """Score of no similarity."""
    high: FiniteFloat = 10.0
    """Score of identity; must lie above `low`."""

    @model_validator(mode="after")
    def _low_below_high(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must lie below high ({self.high:g})")
        return self


JudgeConfig = Annotated[MTBenchJudgeConfig | ReferenceJudgeConfig, Field(discriminator="kind")]


class SearchSpaceConfig(Knobs):
    """Which candidates there are."""

    max_demonstrations: Annotated[int, Field(ge=1)] = 3
    """At most this many demonstrations are added to the base prompt's own."""
    insert: Literal["front", "back"] | Annotated[int, Field(ge=0)] = "front"
    """Where added demonstrations go among the base prompt's: `front` (the paper's), `back`, or how many of the base's
    stand before them. Among themselves they keep the order chosen."""


class ExhaustiveGreedyConfig(SearchSpaceConfig):
    """The paper's search: every round tries every demonstration next and keeps the best mean."""

    kind: Literal["exhaustive_greedy"]
    threshold: float | None = None
    """From round 2 on, only demonstrations whose round-1 mean reached this score are tried (the paper: 6.2)."""
    stop_without_gain: bool = True
    """Stop when a round does not improve on the best so far, and keep that. False is the paper's way: all rounds, and
    the last round's best is accepted even when it is lower."""


class RandomConfig(SearchSpaceConfig):
    """Random ordered choices: the baseline that every search has to beat."""

    kind: Literal["random"]
    min_demonstrations: Annotated[int, Field(ge=0)] = 1
    """At least this many demonstrations are added."""
    trials: Annotated[int, Field(ge=1)] = 100
    """Distinct candidates evaluated, the base prompt not counted."""


class OptunaConfig(SearchSpaceConfig):
    """Optuna guides: one categorical slot a position, each a demonstration or empty."""

    kind: Literal["optuna"]
    sampler: Literal["gp", "tpe", "nsga2"] = "gp"
    """`gp`: Gaussian process, best up to about 300 trials. `tpe`: fast at any size. `nsga2`: genetic, beyond 300."""
    trials: Annotated[int, Field(ge=1)] = 200
    """Distinct candidates evaluated, the base prompt not counted, single demonstrations of the warm start counted."""
    warm_start: bool = True
    """Evaluate every demonstration alone first, and suggest the best ones together (needs `trials` above the pool's
    size). Without it Optuna needs several times the trials."""


StrategyConfig = Annotated[ExhaustiveGreedyConfig | RandomConfig | OptunaConfig, Field(discriminator="kind")]


class RayConfig(Knobs):
    """The cluster the workers live on."""

    address: str | None = None
    """Address of a running cluster (`auto`, `ray://host:10001` or `host:6379`); a local one is started when absent."""
    working_dir: LocalPath | None = None
    """Folder sent to the cluster's nodes; needed where demosearch is not installed on them."""


class WorkersConfig(Knobs):
    """Where generation happens."""

    kind: Literal["ray", "local"] = "ray"
    """`ray`: actors, on this machine or on a cluster. `local`: in this process, one model, no Ray."""
    count: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Actors; `auto`: one for every `gpus_per_worker` of the cluster's GPUs, or one where there is no GPU."""
    gpus_per_worker: Annotated[float, Field(ge=0, le=64)] | Literal["auto"] = "auto"
    """GPUs (or the fraction of one) an actor takes; `auto`: 1 where the cluster has GPUs, else 0."""
    cpus_per_worker: Annotated[float, Field(ge=0, le=256)] = 1.0
    """CPU cores an actor takes; its torch threads too where there is no GPU."""
    block_size: Annotated[int, Field(ge=1)] = 128
    """Questions behind one prompt that go to one actor together."""
    max_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """How often a block that loses its actor is tried before it counts as failed."""
    start_timeout: Annotated[float, Field(gt=0)] = 1800.0
    """Seconds that placing an actor and loading its model may take."""
    ray: RayConfig = RayConfig()


class ScoringConfig(Knobs):
    """What a candidate's score is made of."""

    max_failed_share: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """A candidate with more failed questions than this share has no mean, in [0, 1)."""
    stop_after_failed: Annotated[int, Field(ge=1)] = 5
    """Stop the run when this many candidates in a row have no mean: something is wrong with model or judge."""
    confidence: Share = 0.95
    """Of every interval shown."""


class RunConfig(Knobs):
    """One search, complete."""

    seed: int = 0
    """Of the strategy."""
    base_prompt: BasePromptConfig
    pool: PoolConfig
    questions: QuestionsConfig
    render: RenderConfig = RenderConfig()
    model: ModelConfig
    decoding: DecodingConfig = DecodingConfig()
    judge: JudgeConfig
    strategy: StrategyConfig
    scoring: ScoringConfig = ScoringConfig()
    workers: WorkersConfig = WorkersConfig()
    window: Annotated[int, Field(ge=1)] = 12
    """Candidates under way at the same time; 3 times the workers or more keeps all of them busy. Part of the search's
    identity: another window is another search."""
    ledger_path: LocalPath | None = None
    """A ledger shared by several runs, so that none pays for what another has paid; in the run directory when absent.
    On a local disk: SQLite's write-ahead log does not work over NFS."""
