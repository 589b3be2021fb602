"""Every knob on one page. Units and ranges stand in the descriptions; an unknown knob is an error.

Paths in a YAML file are relative to that file; paths given on the command line are relative to where it is typed.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    JsonValue,
    ValidationInfo,
    model_validator,
)


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

    benchmark: Literal["jsonl", "mt_bench", "alpaca_eval"] = "jsonl"
    """`jsonl`: rows with the fields below. `mt_bench`: FastChat's question.jsonl, or the folder it stands in.
    `alpaca_eval`: a file of model outputs with `instruction` and `output`, which become question and baseline."""
    reference_path: LocalPath | None = None
    """`mt_bench`: FastChat's reference answers (reference_answer/gpt-4.jsonl). They belong to the benchmark, whatever
    the judge is called."""
    baseline_path: LocalPath | None = None
    """Another model's answers, which a pairwise judge compares with: a JSON or JSONL file with `instruction` and
    `output`, as AlpacaEval keeps them. Must answer every question."""
    id_field: str = "id"
    """Field of a row that holds the question's id; where a row lacks it, the id is a hash of the query."""
    query_field: str = "query"
    """Field that holds the question, as text, or a list of turns."""
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


class WeightsConfig(Knobs):
    """A model of transformers that the workers load themselves."""

    name: ModelName
    """A folder with a model, or the name of a hub model such as `meta-llama/Llama-3.1-8B`."""
    revision: str | None = None
    """Commit or tag of the hub model; pin it, so that a resumed run meets the same weights."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Precision of the weights and of the computation; `auto`: as the model was saved."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto`: the GPU that the worker was given, else the CPU; over several GPUs the model's layers are spread. `cuda`:
    one GPU, which is faster for a model that fits it."""
    context_tokens: Annotated[int, Field(ge=16)] | None = None
    """Use at most this many tokens of context; the model's own limit when absent."""
    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Texts under way at the same time in one worker, at most; `auto`: as many as the free memory holds. Halved when
    memory runs out all the same."""


class ModelConfig(WeightsConfig):
    """The model whose prompt is searched."""

    engine: Literal["transformers"] = "transformers"
    """What runs it: transformers, in the workers' own processes."""


class RewardModelConfig(WeightsConfig):
    """A model with a classification head that rates answers."""

    reads: Literal["chat", "pair"] = "chat"
    """`chat`: one text, question and answer in the model's own chat template. `pair`: question and answer as a pair of
    texts, the tokenizer puts its separator between them (cross-encoders such as DeBERTa's)."""
    label: Annotated[int, Field(ge=0)] = 0
    """Index of the output that is the score; models with one output have only 0."""


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


class RayConfig(Knobs):
    """The cluster the workers live on."""

    address: str | None = None
    """Address of a running cluster (`auto`, `ray://host:10001` or `host:6379`); a local one is started when absent."""
    working_dir: LocalPath | None = None
    """Folder sent to the cluster's nodes; needed where demosearch is not installed on them."""
    autoscaling: bool = False
    """An autoscaler brings nodes for workers that wait: do not refuse what no present node can hold, wait for it
    (`start_timeout`). It brings only what is asked for, so say `workers.count` and `workers.gpus_per_worker`."""


class WorkersConfig(Knobs):
    """Where generation happens."""

    kind: Literal["ray", "local"] = "ray"
    """`ray`: actors, on this machine or on a cluster. `local`: in this process, one model, no Ray."""
    count: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Actors; `auto`: one for every `gpus_per_worker` of the cluster's GPUs, or one where there is no GPU. Nodes that
    join a running cluster later get theirs while the run goes on."""
    max_count: Annotated[int, Field(ge=1)] | None = None
    """`count: auto` makes no more actors than this; no limit when absent."""
    gpus_per_worker: Annotated[float, Field(ge=0, le=64)] | Literal["auto"] = "auto"
    """GPUs (or the fraction of one) an actor takes; `auto`: 1 where the cluster has GPUs, else 0."""
    cpus_per_worker: Annotated[float, Field(ge=0, le=256)] = 1.0
    """CPU cores an actor takes; its torch threads too where there is no GPU."""
    block_size: Annotated[int, Field(ge=1)] = 128
    """Questions behind one prompt that go to one actor together."""
    max_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """How often a block that loses its actor is tried before it counts as failed."""
    start_timeout: Annotated[float, Field(gt=0)] = 1800.0
    """Seconds until the first actor must have a place and have loaded its model; the others join when they have."""
    ray: RayConfig = RayConfig()


class BatchConfig(Knobs):
    """Asking through the Batch API (OpenAI's `/v1/files` and `/v1/batches`): half the price, hours of waiting."""

    linger: Annotated[float, Field(ge=0, le=3600)] = 5.0
    """A batch is submitted when no further call came for this many seconds."""
    max_requests: Annotated[int, Field(ge=1, le=50_000)] = 10_000
    """At most this many calls a batch; it is submitted at once when it has them."""
    poll: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """Seconds between two looks at a batch that is not done."""
    max_wait: Annotated[float, Field(gt=0)] = 26 * 3600.0
    """Seconds a batch may take, counted from its submission; then its calls fail, and its results are still found by
    whoever asks again later. OpenAI promises 24 hours."""
    price_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """What a batched call costs, as a share of the price of a direct one."""


class ServiceConfig(Knobs):
    """An OpenAI-compatible service."""

    model: str
    """Model name that the service knows, for example `gpt-4-turbo-2024-04-09`."""
    base_url: str | None = None
    """Address such as `http://127.0.0.1:8000/v1`; OpenAI's own when absent."""
    api_key_variable: str | None = "OPENAI_API_KEY"
    """NAME of the environment variable that holds the key, never the key; null for a server that asks for none."""
    max_in_flight: Annotated[int, Field(ge=1)] = 32
    """Most requests under way at the same time. It begins with 8 or fewer, grows while all is well, and halves when the
    service is too slow or asks for less."""
    timeout: Annotated[float, Field(gt=0)] = 120.0
    """Seconds one attempt may take."""
    max_retries: Annotated[int, Field(ge=0, le=20)] = 6
    """Further attempts after a 5xx, a timeout or a lost connection, with random, growing pauses. "Slow down" (429, 503)
    is not counted while the service answers others."""
    patience: Annotated[float, Field(gt=0)] = 1800.0
    """Seconds one call may take from its first attempt on, all attempts and pauses together. A service that asks for a
    longer pause than this (Retry-After) stops the run."""
    outage: Annotated[float, Field(gt=0)] = 180.0
    """The run stops, to be resumed, when nobody was answered for this many seconds."""
    dollars_per_million_prompt_tokens: Annotated[float, Field(ge=0)] | None = None
    """Price of a million prompt tokens; costs are unknown when absent."""
    dollars_per_million_cached_tokens: Annotated[float, Field(ge=0)] | None = None
    """Price of a million prompt tokens that the service had in its cache; as the others when absent."""
    dollars_per_million_new_tokens: Annotated[float, Field(ge=0)] | None = None
    """Price of a million tokens written, those of hidden reasoning included; costs are unknown when absent."""
    batch: BatchConfig | None = None
    """Collect chat calls and ask them through the Batch API; directly when absent."""


class ServedModelConfig(Knobs):
    """A model behind a server that somebody else runs, asked through OpenAI's completions endpoint.

    For example, each on the machine with the GPU:

        vllm serve meta-llama/Llama-3.1-8B --port 8000 --enable-prefix-caching --generation-config vllm
        python -m sglang.launch_server --model-path meta-llama/Llama-3.1-8B --port 8000 --sampling-defaults openai
        llama-server --model llama-3.1-8b-f16.gguf --port 8000 --parallel 16 --ctx-size 131072 --cache-reuse 256

    and then `--set model.engine=served --set model.service.base_url=http://host:8000/v1`.
    """

    engine: Literal["served"]
    service: ServiceConfig
    """Where it is. `service.timeout` must leave time for a whole answer while many are being written."""
    server: Literal["auto", "vllm", "sglang", "llama_cpp", "llama_cpp_python", "transformers", "openai"] = "auto"
    """What answers there; `auto`: what it says itself. `transformers`: `transformers serve`. `openai`: a hosted one.
    `llama_cpp_python` counts only the last 64 tokens for a repetition penalty."""
    identity: str | None = None
    """Whatever else tells this model from others of the same name, for example a revision or a quantisation; part of
    what a resumed run must agree in."""
    context_tokens: Annotated[int, Field(ge=16)] | None = None
    """Use at most this many tokens of context; the server's own limit when absent, where it says one."""
    tokenizer: ModelName | None = None
    """A folder or the name of a hub model with the model's tokenizer, for `send: tokens` and for servers that cannot
    count tokens."""
    tokenizer_revision: str | None = None
    """Commit or tag of that hub model."""
    send: Literal["text", "tokens"] = "text"
    """`tokens`: prompts are sent as token ids of `tokenizer`, exactly those that the engine of this package would read.
    `text`: the server's own tokenizer reads them."""
    warm_prefix: bool = True
    """Send a prefix alone, for one token, before the prompts that share it, so that the server computes it once. Of no
    use where a service has no prefix cache, or bills what is in it."""

    @property
    def name(self) -> str:
        """What the server calls it."""
        return self.service.model

    @model_validator(mode="after")
    def _tokens_need_a_tokenizer(self) -> Self:
        if self.send == "tokens" and self.tokenizer is None:
            raise ValueError("send is tokens, and no tokenizer is given")
        return self


def _in_process(value: Any) -> Any:
    return {"engine": "transformers"} | value if isinstance(value, dict) else value


AnyModelConfig = Annotated[ModelConfig | ServedModelConfig, Field(discriminator="engine"), BeforeValidator(_in_process)]
"""Where the model runs; in the workers' own processes when `engine` is absent."""


class JudgeKnobs(Knobs):
    """What every judge has."""

    repeats: Annotated[int, Field(ge=1, le=100)] = 1
    """Verdicts asked for each answer; more than one tells the judge's noise, at that many times the price. Without
    effect on a judge that is sure, such as a model of your own at temperature 0."""
    average: Literal["mean", "median"] = "mean"
    """What becomes of several."""


class SpeakingJudgeKnobs(JudgeKnobs):
    """What every judge has that is a language model: give `service` or `model`."""

    service: ServiceConfig | None = None
    """A model behind an OpenAI-compatible service."""
    model: ModelConfig | None = None
    """A model with a chat template that runs here; no service, no price."""
    workers: WorkersConfig | None = None
    """Where `model` runs; when absent in this process, beside everything else. On a cluster give it Ray workers of its
    own, and say how many: `count: auto` takes all GPUs."""
    unreadable_retries: Annotated[int, Field(ge=0, le=10)] = 2
    """How often a verdict that cannot be read is asked for again before it counts as a failure; never where the same
    words would come again."""

    @model_validator(mode="after")
    def _one_speaker(self) -> Self:
        if (self.service is None) == (self.model is None):
            raise ValueError("give either service or model")
        if self.model is None and self.workers is not None:
            raise ValueError("workers are for a model of your own, and there is a service: leave them out")
        return self


class WritingJudgeKnobs(SpeakingJudgeKnobs):
    """What every judge has that explains itself in words."""

    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Of the judge."""
    max_tokens: Annotated[int, Field(ge=1)] = 2048
    """Tokens the judge may write."""


class ScaleKnobs(Knobs):
    """A scale of scores."""

    low: FiniteFloat = 1.0
    """Worst score."""
    high: FiniteFloat = 10.0
    """Best score; must lie above `low`."""

    @model_validator(mode="after")
    def _low_below_high(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must lie below high ({self.high:g})")
        return self


class MTBenchJudgeConfig(WritingJudgeKnobs):
    """A language model that grades answers to one or two turns with MT-Bench's prompts, 1 to 10 (Zheng et al. 2023;
    temperature 0, at most 2048 tokens)."""

    kind: Literal["mt_bench"]
    prompts_path: LocalPath
    """FastChat's judge_prompts.jsonl, or the folder it stands in."""


class RubricJudgeConfig(ScaleKnobs, WritingJudgeKnobs):
    """A language model that grades an answer by a rubric of your own, on a scale of your own."""

    kind: Literal["rubric"]
    rubric_path: LocalPath
    """A text file with the fields {question}, {answer}, {reference} (those of the turn judged) or {conversation} (all
    turns, the answer judged last), braces doubled elsewhere. A line `[system]` may open it, and the system message then
    ends at a line `[user]`."""
    pattern: str = r"\[\[(-?\d+\.?\d*)\]\]"
    """Regular expression whose one group is the rating; the first match counts. As it stands: `[[7]]`."""


class PairwiseJudgeConfig(WritingJudgeKnobs):
    """A language model that says whether the answer or the question's baseline is better, from 0 (it lost) to 1 (it
    won); a tie is 0.5. First turns only."""

    kind: Literal["pairwise"]
    prompts_path: LocalPath | None = None
    """FastChat's judge_prompts.jsonl, or the folder it stands in: `pair-v2`, and `pair-math-v1` for mathematics,
    reasoning and coding. Give this or `rubric_path`."""
    rubric_path: LocalPath | None = None
    """A text file as for the kind `rubric`, with the fields {question}, {answer_a}, {answer_b}, {reference}; it must
    ask for `[[A]]`, `[[B]]` or, for a tie, `[[C]]`."""
    swap: bool = True
    """Ask twice, the second time with the answers in the other order, and take the mean; else the answer is always A,
    and the judge's liking for a position is in every score."""

    @model_validator(mode="after")
    def _one_prompt(self) -> Self:
        if (self.prompts_path is None) == (self.rubric_path is None):
            raise ValueError("give either prompts_path or rubric_path")
        return self


class AlpacaEvalJudgeConfig(SpeakingJudgeKnobs):
    """The preference of AlpacaEval 2.0 over the question's baseline, from 0 to 1, weighted by the probabilities of the
    judge's first token (Dubois et al. 2024). First turns only."""

    kind: Literal["alpaca_eval"]
    prompt_path: LocalPath
    """AlpacaEval's alpaca_eval_clf.txt, or a text in its format with {instruction}, {output_1} and {output_2}."""


class RewardModelJudgeConfig(JudgeKnobs):
    """A reward model that rates the conversation, on its own scale; no service, no price."""

    kind: Literal["reward_model"]
    model: RewardModelConfig
    workers: WorkersConfig | None = None
    """Where it runs; when absent in this process, beside everything else. On a cluster give it Ray workers of its own,
    and say how many: `count: auto` takes all GPUs."""


class ReferenceJudgeConfig(ScaleKnobs, JudgeKnobs):
    """Similarity to the reference answer of the turn judged, from `low` (nothing in common) to `high` (the same);
    local, free, deterministic."""

    kind: Literal["reference"]
    metric: Literal["chrf", "rouge_l", "exact_match"] = "chrf"
    """`chrf`: character n-gram F-score (Popovic 2015; sacrebleu). `rouge_l`: F-score of the longest common sequence of
    words (Lin 2004; rouge-score, for English). `exact_match`: equal after stripping."""


class FunctionJudgeConfig(JudgeKnobs):
    """A Python function of your own, `f(question, answers, **options)`, plain or async: a `Question`, its answers turn
    by turn, the last one to be scored. It returns a number, or a number and words."""

    kind: Literal["function"]
    function: str
    """`module:function`."""
    folder: LocalPath | None = None
    """Where the module is looked for first."""
    whole_batch: bool = False
    """The function takes a list of pairs (question, answers) instead and returns a list as long."""
    max_in_flight: Annotated[int, Field(ge=1)] = 8
    """Calls under way at the same time; plain functions run in threads."""
    options: dict[str, JsonValue] = {}
    """Given to the function by name, and part of its identity, as is its module's source."""

    @model_validator(mode="after")
    def _well_named(self) -> Self:
        module, _, name = self.function.partition(":")
        if not all(part.isidentifier() for part in (*module.split("."), name)):
            raise ValueError(f"function is written as module:function, not {self.function!r}")
        return self


_SingleJudgeConfig = (
    MTBenchJudgeConfig
    | RubricJudgeConfig
    | PairwiseJudgeConfig
    | AlpacaEvalJudgeConfig
    | RewardModelJudgeConfig
    | ReferenceJudgeConfig
    | FunctionJudgeConfig
)
SingleJudgeConfig = Annotated[_SingleJudgeConfig, Field(discriminator="kind")]


class MemberConfig(Knobs):
    """One judge of an ensemble."""

    weight: Annotated[FiniteFloat, Field(gt=0)] = 1.0
    """Of its score as it is, relative to the others: put judges on one scale before weighing them."""
    judge: SingleJudgeConfig
    """Of any other kind, with that kind's knobs."""


class EnsembleJudgeConfig(Knobs):
    """Several judges; the score is the weighted mean of theirs."""

    kind: Literal["ensemble"]
    members: tuple[MemberConfig, ...]
    """Judges of any other kind, each with its weight; at least one."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.members:
            raise ValueError("members holds nobody: name a judge")
        return self


JudgeConfig = Annotated[_SingleJudgeConfig | EnsembleJudgeConfig, Field(discriminator="kind")]


class SearchSpaceConfig(Knobs):
    """What all strategies share: which candidates there are, and a last stage."""

    max_demonstrations: Annotated[int, Field(ge=1)] = 3
    """At most this many demonstrations are chosen."""
    min_demonstrations: Annotated[int, Field(ge=0)] = 0
    """No winner but the base prompt itself has fewer chosen demonstrations."""
    base: Literal["keep", "drop", "optional"] = "keep"
    """The base prompt's own demonstrations: `keep` adds the chosen ones to them, `drop` leaves them out of every
    candidate, `optional` leaves them out too, but they are among those to choose from (and count)."""
    insert: Literal["front", "back"] | Annotated[int, Field(ge=0)] = "front"
    """Where added demonstrations go among the base prompt's: `front` (the paper's), `back`, or how many of the base's
    stand before them. Without effect unless they are kept."""
    order: Literal["free", "fixed"] = "free"
    """`free`: another order is another candidate. `fixed`: chosen demonstrations stand in the pool's order."""
    required: tuple[str, ...] = ()
    """Ids of demonstrations that every candidate but the base prompt holds."""
    apart: tuple[tuple[str, ...], ...] = ()
    """Groups of ids; no candidate holds two demonstrations of one group."""
    max_prompt_tokens: Annotated[int, Field(ge=1)] | None = None
    """All demonstrations of a candidate together have at most this many tokens; only the model's limit when absent."""

    polish: Annotated[int, Field(ge=0)] = 0
    """So many further answers at most go into a local search from the best set found: exchange, insert, remove, move;
    what it arrives at must be proven better. What has been judged already is not paid for again. 0: none."""

    @model_validator(mode="after")
    def _sizes_agree(self) -> Self:
        if self.min_demonstrations > self.max_demonstrations:
            raise ValueError("min_demonstrations lies above max_demonstrations")
        if len(self.required) > self.max_demonstrations:
            raise ValueError("more demonstrations are required than max_demonstrations allows")
        return self


class ScreeningConfig(SearchSpaceConfig):
    """Groups of demonstrations are judged together, a statistical model tells them apart, then it proposes sets and
    races the best. The one to take unless you know better."""

    kind: Literal["screening"]
    evaluations: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Answers judged on guiding questions, the base prompt's included; `auto`: a tenth of exhaustive greedy's,
    or 12 candidates' worth where that is more."""
    block: Annotated[int, Field(ge=1)] = 8
    """Questions a trial: fewer tell more at the same number of answers, more share their prompt's prefix."""
    screening_share: Annotated[float, Field(ge=0, le=1)] = 0.75
    """Share of the budget for groups, in [0, 1]."""
    race_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the budget for the race at the end, in [0, 1]."""
    least_gain: Annotated[float, Field(ge=0)] = 0.0
    """Stop early when finding the best set is expected to gain less than this over the best known, in points; 0 never
    stops early."""
    embedding: str = "hashed"
    """What tells which demonstrations are alike: `hashed` (words and letters, built in), `none`, or the name of a
    sentence-transformers model, which is replaced by `hashed` where it is not installed or cannot be reached."""
    likelihood_questions: Annotated[int, Field(ge=0)] = 0
    """Let the model itself tell beforehand what demonstrations may do: how likely it finds the reference answers of so
    many guiding questions (8, say; those that have one) behind each demonstration. 0: not. It costs so many prompts
    read for each demonstration of the pool, nothing written, nothing judged; a served model is paid for them."""


class RacingKnobs(SearchSpaceConfig):
    """What strategies have that race candidates on blocks of questions."""

    block: Annotated[int, Field(ge=1)] = 8
    """Questions of a block; after each, whoever is proven worse than the best leaves."""
    test: Literal["t", "wilcoxon"] = "t"
    """The paired one-sided test; `wilcoxon` leaves out equal scores' share of evidence, and is misled by yes-or-no
    scores."""
    p_value: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Below this somebody leaves, in (0, 1). Larger is cheaper and less reliable."""


class RacingGreedyConfig(RacingKnobs):
    """Greedy rounds, each a race with paired elimination."""

    kind: Literal["racing_greedy"]
    carry_over: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of a round's demonstrations, the best, that the next round tries again, in (0, 1]."""


class SuccessiveHalvingConfig(SearchSpaceConfig):
    """Greedy rounds, each halving its contenders again and again."""

    kind: Literal["successive_halving"]
    evaluations: Annotated[int, Field(ge=1)] = 3000
    """Answers judged on guiding questions, about; the base prompt's included."""


class BeamConfig(RacingKnobs):
    """Beam search: the best few sets of every round are extended together."""

    kind: Literal["beam"]
    width: Annotated[int, Field(ge=1)] = 4
    """Sets kept from round to round."""


class LocalSearchConfig(RacingKnobs):
    """Local search from a set of yours: exchange, insert, remove, move."""

    kind: Literal["local_search"]
    start: tuple[str, ...] = ()
    """Ids of the set to start from, in order; the base prompt when empty."""
    evaluations: Annotated[int, Field(ge=1)] = 3000
    """Answers judged on guiding questions at most, the base prompt's included."""
    neighbours: Annotated[int, Field(ge=1)] = 12
    """Neighbours that race against the best set together."""
    patience: Annotated[int, Field(ge=1)] = 4
    """Races in a row that may change nothing before the search ends."""


class SimilarConfig(SearchSpaceConfig):
    """The demonstrations nearest to the guiding questions; nothing is judged but the base prompt and the pick."""

    kind: Literal["similar"]
    embedding: str = "hashed"
    """See `screening`."""


class DiverseConfig(SearchSpaceConfig):
    """Demonstrations near to the guiding questions but unlike each other; judged as `similar`."""

    kind: Literal["diverse"]
    embedding: str = "hashed"
    """See `screening`."""


class FurtherDecodingConfig(Knobs):
    """A further decoding that candidates may have. What is absent is as in `decoding`."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    """Yours: what it is called in the journal and in reports; at most 40 characters."""
    max_new_tokens: Annotated[int, Field(ge=1)] | None = None
    """As in `decoding`, and so are the others."""
    temperature: Annotated[float, Field(ge=0, le=10)] | None = None
    """0 is greedy."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Nucleus mass, in (0, 1]."""
    top_k: Annotated[int, Field(ge=0)] | None = None
    """Most likely tokens kept; 0 keeps all."""
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] | None = None
    """1 is off."""

    @model_validator(mode="after")
    def _speakable(self) -> Self:
        plain = all(one.isalnum() or one in "_-. " for one in self.name)
        if not plain or not self.name[0].isalnum() or self.name != self.name.strip():
            raise ValueError(
                f"the name {self.name!r} must begin with a letter or digit and hold only these, ' ', '.', '-', '_'"
            )
        return self


class VaryingKnobs(SearchSpaceConfig):
    """What only some strategies vary beside the demonstrations."""

    any_place: bool = False
    """Try the chosen demonstrations in every place among the base prompt's; most candidates stand where `insert` says.
    Without effect unless the base prompt's are kept."""
    decodings: tuple[FurtherDecodingConfig, ...] = ()
    """Further decodings to try, each with any demonstrations and with the base prompt as it is; what wins is exported
    with its decoding. Each makes the space that much larger, and an answer in another decoding is another answer."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [one.name for one in self.decodings]
        if len(set(names)) < len(names):
            raise ValueError("two of decodings have the same name: give each its own")
        return self


class CustomConfig(VaryingKnobs):
    """A strategy of your own."""

    kind: Literal["custom"]
    strategy: str
    """`module:Class`, importable where the search runs; called with the space, `options` and the seed."""
    options: dict[str, Any] = {}
    """Whatever it wants to know."""


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
    trials: Annotated[int, Field(ge=1)] = 100
    """Distinct candidates evaluated, the base prompt not counted."""


class OptunaConfig(RacingKnobs, VaryingKnobs):
    """Optuna guides: groups of demonstrations are judged first and leave a shortlist, then it proposes ordered choices
    of it: one categorical slot a position, each a demonstration or empty; place among the base prompt's and decoding
    where they are to be tried."""

    kind: Literal["optuna"]
    sampler: Literal["gp", "tpe", "nsga2"] = "gp"
    """`gp`: Gaussian process, best up to about 300 proposals. `tpe`: fast at any number. `nsga2`: genetic, beyond 300
    proposals."""
    trials: Annotated[int, Field(ge=1)] = 200
    """The budget: as many answers as so many candidates need on all guiding questions, the base prompt not counted."""
    warm_start: Literal["screening", "singles", "none"] = "screening"
    """What leaves the shortlist. `screening`: random groups of demonstrations on blocks of questions, told apart by a
    statistical model. `singles`: demonstrations alone. `none`: no shortlist; Optuna needs several times the trials."""
    warm_start_share: Annotated[float, Field(gt=0, lt=1)] = 0.4
    """Share of the budget for that, in (0, 1)."""
    prune: bool = True
    """A proposal that is proven worse than the best candidate so far is given up after a block; what it saves pays for
    further ones."""
    test: Literal["t", "wilcoxon"] = "wilcoxon"
    """The paired one-sided test; `wilcoxon` is misled by yes-or-no scores."""


StrategyConfig = Annotated[
    ScreeningConfig
    | ExhaustiveGreedyConfig
    | RacingGreedyConfig
    | SuccessiveHalvingConfig
    | BeamConfig
    | LocalSearchConfig
    | OptunaConfig
    | RandomConfig
    | SimilarConfig
    | DiverseConfig
    | CustomConfig,
    Field(discriminator="kind"),
]


class ScoringConfig(Knobs):
    """What a candidate's score is made of."""

    max_failed_share: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """A trial with more failed questions than this share of them, rounded up, has no mean, in [0, 1)."""
    stop_after_failed: Annotated[int, Field(ge=1)] = 5
    """Stop the run when this many trials in a row have no mean: something is wrong with model or judge."""
    confidence: Share = 0.95
    """Of every interval shown."""
    sure: Annotated[float, Field(ge=0, lt=1)] = 0.95
    """The base prompt is exported unless all scores of the run, held-out ones included, make it this probable that the
    winner beats it; 0 exports the winner in any case."""
    objective: Literal["turn_1", "turn_2", "mean"] | tuple[Annotated[FiniteFloat, Field(ge=0)], ...] = "turn_1"
    """Which answers count: those to the first turn, to the second, the mean of both, or a weight a turn, such as
    `[1, 2]`. Turns that count for nothing are answered where a later one needs them, and not judged."""

    @model_validator(mode="after")
    def _last_turn_counts(self) -> Self:
        if not isinstance(self.objective, str) and not (self.objective and self.objective[-1] > 0):
            raise ValueError("objective must end in a weight above 0: leave out the turns behind it")
        return self


class BudgetConfig(Knobs):
    """What a run may cost at most, all its processes together; no limit where absent. When one is reached the run
    stops, everything is kept, and it goes on with a larger one. No part of a run's identity."""

    generations: Annotated[int, Field(ge=1)] | None = None
    """Completions. May be exceeded by one for each block of questions under way."""
    verdicts: Annotated[int, Field(ge=1)] | None = None
    """Judged generations: single verdicts, repeats included. Never exceeded."""
    judge_calls: Annotated[int, Field(ge=1)] | None = None
    """Calls of a judging model, unreadable ones included. May be exceeded by further calls of verdicts under way."""
    judge_tokens: Annotated[int, Field(ge=1)] | None = None
    """Tokens the judge reads and writes. May be exceeded by the calls under way."""
    dollars: Annotated[float, Field(gt=0)] | None = None
    """At the prices in `service`; needs them. May be exceeded by the calls under way."""
    gpu_hours: Annotated[float, Field(gt=0)] | None = None
    """GPUs held by loaded models, times hours; looked at every two seconds."""
    hours: Annotated[float, Field(gt=0)] | None = None
    """Wall time, loading included; looked at every two seconds."""


class MLflowConfig(Knobs):
    """A run in MLflow (needs `demosearch[mlflow]`)."""

    experiment: Annotated[str, Field(min_length=1)] = "demosearch"
    """Name of the MLflow experiment; made where there is none."""
    tracking_uri: str | None = None
    """Where MLflow keeps its runs, such as `http://host:5000` or `sqlite:////home/me/mlflow.db`; MLFLOW_TRACKING_URI,
    or MLflow's own default, when absent. Never with a password: that belongs in MLFLOW_TRACKING_PASSWORD."""

    @model_validator(mode="after")
    def _no_password(self) -> Self:
        if self.tracking_uri is not None and "@" in self.tracking_uri:
            raise ValueError("tracking_uri holds a user or a password: set MLFLOW_TRACKING_USERNAME and _PASSWORD")
        return self


class WandbConfig(Knobs):
    """A run in Weights & Biases (needs `demosearch[wandb]`, and WANDB_API_KEY or `wandb login`)."""

    project: Annotated[str, Field(min_length=1)] = "demosearch"
    """Name of the project; made where there is none."""
    entity: str | None = None
    """User or team it belongs to; the key's own when absent."""
    offline: bool = False
    """Write into the run directory's `wandb` only, for `wandb sync`; no key, no network."""


class TensorBoardConfig(Knobs):
    """Event files for TensorBoard (needs `demosearch[tensorboard]`)."""

    directory: LocalPath | None = None
    """Folder for this run's event files; `tensorboard` in the run directory when absent, so that `tensorboard --logdir
    runs` shows all runs side by side."""


class PrometheusConfig(Knobs):
    """Gauges among Ray's own metrics, for Prometheus to fetch (needs `demosearch[prometheus]` and Ray workers)."""


TrackerConfig = MLflowConfig | WandbConfig | TensorBoardConfig | PrometheusConfig


class TrackersConfig(Knobs):
    """Where else a search's figures go while it runs. No part of its identity; a tracker that cannot be reached is
    warned of and left out, never a reason to stop, nor to wait for more than 20 seconds at the end."""

    mlflow: MLflowConfig | None = None
    """MLflow: `{}` for a run where MLflow keeps its runs anyway."""
    wandb: WandbConfig | None = None
    """Weights & Biases: `{offline: true}` for a folder instead of a service."""
    tensorboard: TensorBoardConfig | None = None
    """TensorBoard: `{}` for event files in the run directory."""
    prometheus: PrometheusConfig | None = None
    """Prometheus: `{}` for gauges among those of Ray."""

    @property
    def wanted(self) -> dict[str, TrackerConfig]:
        """Those that are given, by kind."""
        return {name: config for name, config in self if config is not None}


class RunConfig(Knobs):
    """One search, complete."""

    seed: int = 0
    """Of the strategy."""
    base_prompt: BasePromptConfig
    pool: PoolConfig
    questions: QuestionsConfig
    render: RenderConfig = RenderConfig()
    model: AnyModelConfig
    decoding: DecodingConfig = DecodingConfig()
    judge: JudgeConfig
    strategy: StrategyConfig = ScreeningConfig(kind="screening")
    scoring: ScoringConfig = ScoringConfig()
    budget: BudgetConfig = BudgetConfig()
    workers: WorkersConfig = WorkersConfig()
    window: Annotated[int, Field(ge=1)] = 12
    """Candidates under way at the same time; 3 times the workers or more keeps all of them busy. Part of the search's
    identity: another window is another search."""
    trackers: TrackersConfig = TrackersConfig()
    ledger_path: LocalPath | None = None
    """A ledger shared by several runs, so that none pays for what another has paid; in the run directory when absent.
    On a local disk: SQLite's write-ahead log does not work over NFS."""


class ContestantConfig(Knobs):
    """One prompt of an evaluation, and the model it is put to."""

    name: Annotated[str, Field(min_length=1)]
    """What it is called in tables; no two alike."""
    prompt: LocalPath | None = None
    """A file, told apart by its ending. `.jsonl`, `.parquet`: a list of demonstrations. `.json`: such a list, or what
    `demosearch export --format json` wrote. Any other: a URIAL prompt file. Neither rules nor demonstrations when
    absent. Where the search varied the decoding too (`strategy.decodings`), an export says what to change of the
    evaluation's, and with `use: all` that is done."""
    use: Literal["all", "rules", "demonstrations"] = "all"
    """Which part of that file the prompt is made of."""
    rules: LocalPath | None = None
    """A text file with rules, verbatim; in the place of those in `prompt`."""
    max_demonstrations: Annotated[int, Field(ge=0)] | None = None
    """Only so many demonstrations, from the top; all of them when absent."""
    query_field: str = "query"
    """Field of a list's rows that holds the query, as text."""
    answer_field: str = "answer"
    """Field of a list's rows that holds the answer, as text."""
    model: AnyModelConfig | None = None
    """In the place of the evaluation's own."""
    render: RenderConfig | None = None
    """In the place of the evaluation's own; `chat` for a model that has learnt to follow instructions."""
    decoding: DecodingConfig | None = None
    """In the place of the evaluation's own, whatever an export says."""


class EvaluationConfig(Knobs):
    """Prompts on a benchmark, without a search: `demosearch evaluate`."""

    contestants: Annotated[tuple[ContestantConfig, ...], Field(min_length=1)]
    """What is compared; differences are to the first. Those with the same `model` are evaluated without loading it
    again."""
    questions: QuestionsConfig
    side: Literal["all", "guiding", "held_out"] = "all"
    """Which of the questions are asked; all of them, or one side of `questions.split`."""
    render: RenderConfig = RenderConfig()
    model: AnyModelConfig
    decoding: DecodingConfig = DecodingConfig()
    judge: JudgeConfig
    scoring: ScoringConfig = ScoringConfig()
    budget: BudgetConfig = BudgetConfig()
    workers: WorkersConfig = WorkersConfig()
    ledger_path: LocalPath | None = None
    """A ledger shared with searches and other evaluations, so that none pays for what another has paid; in the run
    directory when absent. On a local disk."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [one.name for one in self.contestants]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two contestants are called '{twice}'; give each a name of its own")
        return self
