"""What each kind of server calls things beyond OpenAI's completions endpoint. One table, no requests.

Sources: vLLM 0.33 (entrypoints/openai/completion/protocol.py, entrypoints/serve/tokenize), SGLang
(srt/entrypoints/openai), llama.cpp (tools/server/README.md), llama-cpp-python 0.3.36 (llama_cpp/server/types.py),
transformers 5.23 (cli/serving).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workers.prompt import Decoding

Body = dict[str, Any]

_SPECIAL = "add_special_tokens"


@dataclass(frozen=True, slots=True)
class Counting:
    """How a server is asked for the length of a text.

    Attributes:
        path: for `Service.post`.
        text: field that holds the text.
        special: field that says whether special tokens go in front; None where they always do.
    """

    path: str
    text: str
    special: str | None

    def body(self, model: str, text: str, special: bool) -> Body:
        return {"model": model, self.text: text} | ({} if self.special is None else {self.special: special})


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of server.

    Attributes:
        own_fields: of a request's body, by decoding and context in tokens, for what OpenAI's endpoint has no name for.
            Everything is spelled out, because servers and models bring defaults of their own (llama.cpp: top-k 40,
            min-p 0.05).
        counting: None where it cannot count.
        about: where it tells about itself, and the version in what it tells; None where it does not.
        has_models: it has a `/v1/models` that can be relied on.
        lists_models: it answers for the models in `/v1/models` alone.
        spells_bos: a prompt without the begin-of-text token in front can be asked for as text.
        echoes: gives the log-probabilities of a prompt's tokens.
        takes_tokens: takes token ids as a prompt.
    """

    own_fields: Callable[[Decoding, int], Body]
    counting: Counting | None = None
    about: tuple[str, Callable[[Any], str | None]] | None = None
    has_models: bool = True
    lists_models: bool = True
    spells_bos: bool = False
    echoes: bool = True
    takes_tokens: bool = True


def completion_fields(decoding: Decoding, bos: bool, dialect: Dialect, context_tokens: int = 0) -> Body:
    """The fields of a completion's request, the prompt's apart.

    Args:
        context_tokens: of the server; llama.cpp's alone is told.
    """
    body: Body = {
        "max_tokens": decoding.max_new_tokens,
        "temperature": decoding.temperature,
        "top_p": decoding.top_p,
        "seed": decoding.seed % 2**31,  # llama.cpp and SGLang keep 32 bits
        **dialect.own_fields(decoding, context_tokens),
        **({_SPECIAL: bos} if dialect.spells_bos else {}),
    }
    stop = [string for string in decoding.stop if string]
    return body | ({"stop": stop} if stop else {})


def idle_fields(fields: Body) -> frozenset[str]:
    """Fields of a completion that do nothing by their values, and can be left out where a gateway refuses them. They
    are sent all the same, since a server's own default may do something."""
    idle = {name for name, value in fields.items() if _IDLE.get(name, _MISSING) == value}
    return frozenset(idle | ({"seed", "top_p"} if not fields["temperature"] else set()))


_MISSING = object()
_IDLE: Body = {
    "top_k": -1,
    "min_p": 0.0,
    "typical_p": 1.0,
    "repetition_penalty": 1.0,
    "repeat_penalty": 1.0,
    "cache_prompt": True,
}
"""Values at which a field does nothing."""


def _vllm(decoding: Decoding, context_tokens: int) -> Body:  # noqa: ARG001 -- one form for all
    return {
        "top_k": decoding.top_k or -1,
        "min_p": 0.0,
        "repetition_penalty": decoding.repetition_penalty,
    }


def _sglang(decoding: Decoding, context_tokens: int) -> Body:  # noqa: ARG001 -- one form for all
    return {"top_k": decoding.top_k or -1, "min_p": 0.0, "repetition_penalty": decoding.repetition_penalty}


def _llama_cpp(decoding: Decoding, context_tokens: int) -> Body:
    return {
        "top_k": decoding.top_k,
        "min_p": 0.0,
        "typical_p": 1.0,
        "repeat_penalty": decoding.repetition_penalty,
        "repeat_last_n": context_tokens,  # all of it; -1 is refused since its schema of June 2026 (#24150)
        "cache_prompt": True,
    }


def _llama_cpp_python(decoding: Decoding, context_tokens: int) -> Body:  # noqa: ARG001 -- one form for all
    return {"top_k": decoding.top_k, "min_p": 0.0, "repeat_penalty": decoding.repetition_penalty}


def _transformers(decoding: Decoding, context_tokens: int) -> Body:  # noqa: ARG001 -- one form for all
    settings = {
        "do_sample": decoding.temperature > 0,
        "top_k": decoding.top_k,
        "repetition_penalty": decoding.repetition_penalty,
    }
    return {"generation_config": json.dumps(settings)}


def _openai(decoding: Decoding, context_tokens: int) -> Body:  # noqa: ARG001 -- one form for all
    """Hosted services know neither by OpenAI's standard, but many do by these names; the others say so."""
    body: Body = {} if decoding.top_k == 0 else {"top_k": decoding.top_k}
    return body | ({} if decoding.repetition_penalty == 1 else {"repetition_penalty": decoding.repetition_penalty})


_TOKENIZE = Counting("//tokenize", "prompt", _SPECIAL)

DIALECTS = {
    "vllm": Dialect(_vllm, _TOKENIZE, ("//version", lambda info: str(info["version"])), spells_bos=True),
    "sglang": Dialect(_sglang, _TOKENIZE, ("//get_server_info", lambda info: str(info["version"]))),
    "llama_cpp": Dialect(
        _llama_cpp,
        Counting("//tokenize", "content", "add_special"),
        ("//props", lambda info: f"{info['build_info']} {str(info['model_path']).rpartition('/')[2]}"),
        lists_models=False,
        echoes=False,
    ),
    "llama_cpp_python": Dialect(
        _llama_cpp_python, Counting("//extras/tokenize/count", "input", None), lists_models=False, takes_tokens=False
    ),
    "transformers": Dialect(
        _transformers,
        about=("//health", lambda _: None),
        has_models=False,
        lists_models=False,
        echoes=False,
        takes_tokens=False,
    ),
    "openai": Dialect(_openai, lists_models=False),
}
"""Dialects by the names of the knob `model.server`."""


def counted(answer: Any) -> int:
    """The number of tokens in a server's answer to `Counting.body`.

    Raises:
        LookupError, TypeError, ValueError: there is none in it.
    """
    return int(answer["count"]) if "count" in answer else len(answer["tokens"])


def recognised(models: Any) -> str:
    """The kind of a server, by what it lists under `/v1/models`; "openai" when it is none of those known."""
    try:
        owners = {str(model.get("owned_by")) for model in models["data"]}
    except (AttributeError, LookupError, TypeError):
        owners = set()
    for owner, kind in (("vllm", "vllm"), ("sglang", "sglang"), ("llamacpp", "llama_cpp"), ("me", "llama_cpp_python")):
        if owner in owners:
            return kind
    return "openai"
