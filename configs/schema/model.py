"""The model that answers: loaded here or served."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    model_validator,
)

from configs.schema.knobs import Knobs, ModelName
from configs.schema.service import ServiceConfig


def is_path(name: str) -> bool:
    """Whether a model's name can be no hub model's."""
    return Path(name).is_absolute() or name.startswith(".") or name.count("/") > 1


class NamedWeightsConfig(Knobs):
    """Weights in a folder or on a hub."""

    name: ModelName
    """A folder with a model, or the name of a hub model such as `meta-llama/Llama-3.1-8B`."""
    revision: str | None = None
    """Commit or tag of the hub model; pin it, so that a resumed run meets the same weights."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Precision of the weights and of the computation; `auto`: as the model was saved."""

    @property
    def names_folder(self) -> bool:
        """Whether `name` can be no hub model's."""
        return is_path(self.name)

    @property
    def tokenizer_source(self) -> tuple[str | None, str | None]:
        """Folder or hub name of the model's tokenizer, and its revision; None where that is not known."""
        return self.name, self.revision


class WeightsConfig(NamedWeightsConfig):
    """A model of transformers that the workers load themselves."""

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
    """Address of the server. `service.timeout` must leave time for a whole answer while many are being written."""
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

    @property
    def tokenizer_source(self) -> tuple[str | None, str | None]:
        """Folder or hub name of the model's tokenizer, and its revision; None where that is not known."""
        return self.tokenizer, self.tokenizer_revision

    @model_validator(mode="after")
    def _tokens_need_a_tokenizer(self) -> Self:
        if self.send == "tokens" and self.tokenizer is None:
            raise ValueError("send is tokens, which needs a tokenizer: set model.tokenizer")
        return self


class StartedServerConfig(NamedWeightsConfig):
    """A model in a server that each worker starts for itself on its GPUs, asks as `served` does, starts again when it
    dies, and ends with the run. The server's program comes from an environment of your own, for example
    `{engine: vllm, name: meta-llama/Llama-3.1-8B, command: [/opt/vllm/bin/vllm, serve]}`. For `llama_cpp`, `name` is a
    GGUF file, which has a precision of its own.
    """

    engine: Literal["vllm", "sglang", "llama_cpp", "transformers_serve"]
    """What serves it. `transformers_serve` is there without a further installation, and slow."""
    device: Literal["auto", "cpu"] = "auto"
    """`auto`: the GPUs that the worker was given, else the CPU."""
    context_tokens: Annotated[int, Field(ge=16)] | None = None
    """Tokens of context that the server makes room for; the model's own limit when absent. `llama_cpp` and
    `transformers_serve` must be told."""
    command: tuple[str, ...] = ()
    """The server's program and its first words; `vllm serve`, `python -m sglang.launch_server`, `llama-server` or
    `transformers serve` from the workers' PATH when empty."""
    arguments: tuple[str, ...] = ()
    """Further arguments, at the end of its command line, for example `[--gpu-memory-utilization, "0.8"]`."""
    max_in_flight: Annotated[int, Field(ge=1)] = 64
    """Prompts that a server is given at the same time, at most; `llama_cpp` makes as many slots of `context_tokens`
    each."""
    start_timeout: Annotated[float, Field(gt=0)] = 1800.0
    """Seconds a server may take until it answers, its download of the weights included."""
    timeout: Annotated[float, Field(gt=0)] = 600.0
    """Seconds one answer may take."""
    tokenizer: ModelName | None = None
    """A folder or the name of a hub model with the model's tokenizer, for servers that cannot count tokens."""
    warm_prefix: bool = True
    """Send a prefix alone, for one token, before the prompts that share it, so that the server computes it once."""

    @property
    def tokenizer_source(self) -> tuple[str | None, str | None]:
        """Folder or hub name of the model's tokenizer, and its revision; None where that is not known."""
        return (self.tokenizer, None) if self.tokenizer else (self.name, self.revision)

    @model_validator(mode="after")
    def _context_is_known(self) -> Self:
        if self.engine in ("llama_cpp", "transformers_serve") and self.context_tokens is None:
            raise ValueError(f"{self.engine} does not report a model's context length: set context_tokens")
        return self


def _in_process(value: Any) -> Any:
    return {"engine": "transformers"} | value if isinstance(value, dict) else value


AnyModelConfig = Annotated[
    ModelConfig | ServedModelConfig | StartedServerConfig,
    Field(discriminator="engine"),
    BeforeValidator(_in_process),
]
"""A model by where it runs; in the workers' own processes when `engine` is absent."""
