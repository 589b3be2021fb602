"""How each kind of server is started: its program, and what its options are called.

Sources: vLLM 0.33 (`vllm serve --help`), SGLang (`srt/server_args.py`), llama.cpp (`tools/server/README.md`),
transformers 5.23 (`transformers serve --help`).
"""

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from configs.errors import InputError
from configs.schema.model import StartedServerConfig

_Options = Callable[[StartedServerConfig, int], list[str]]


def command_line(config: StartedServerConfig, port: int, gpus: int) -> list[str]:
    """The whole command of a server on this machine.

    Args:
        gpus: that the worker was given.

    Raises:
        InputError: its program is not there.
    """
    program = program_of(config)
    return [*program, *_OPTIONS[config.engine](config, gpus), *_address(port), *config.arguments]


def program_of(config: StartedServerConfig) -> list[str]:
    """The server's program on this machine and its first words. Raises InputError where it is not there."""
    program = [*config.command] or _PROGRAMS[config.engine]
    folder = str(Path(sys.executable).parent) if program == _PROGRAMS["transformers_serve"] else None
    program_path = shutil.which(program[0], path=folder) or shutil.which(program[0])
    if program_path is None:
        raise InputError(
            f"model.engine is {config.engine}, and {program[0]} is not on the workers' PATH: install it in an "
            f"environment of its own there, and name the program in model.command, such as "
            f"[/opt/{config.engine}/bin/{Path(program[0]).name}{''.join(f', {word}' for word in program[1:])}]"
        )
    return [program_path, *program[1:]]


def _address(port: int) -> list[str]:
    return ["--host", "127.0.0.1", "--port", str(port)]


def _given(options: Mapping[str, object]) -> list[str]:
    """The options that have a value."""
    return [word for name, value in options.items() if value is not None for word in (name, str(value))]


def _dtype(config: StartedServerConfig) -> str | None:
    return None if config.dtype == "auto" else config.dtype


def _vllm(config: StartedServerConfig, gpus: int) -> list[str]:
    options = {
        "--served-model-name": config.name,
        "--generation-config": "vllm",  # decoding is the run's, not the model's own default
        "--revision": config.revision,
        "--dtype": _dtype(config),
        "--max-model-len": config.context_tokens,
        "--max-num-seqs": config.max_in_flight,
        "--tensor-parallel-size": gpus or None,
    }
    return [config.name, "--enable-prefix-caching", *_given(options)]


def _sglang(config: StartedServerConfig, gpus: int) -> list[str]:
    options = {
        "--model-path": config.name,
        "--served-model-name": config.name,
        "--sampling-defaults": "openai",
        "--revision": config.revision,
        "--dtype": _dtype(config),
        "--context-length": config.context_tokens,
        "--max-running-requests": config.max_in_flight,
        "--tp-size": gpus or None,
    }
    return _given(options)


def _llama_cpp(config: StartedServerConfig, gpus: int) -> list[str]:  # noqa: ARG001 -- it takes all it sees
    slots = config.max_in_flight
    options = {
        "--model": config.name,
        "--alias": config.name,
        "--parallel": slots,
        "--ctx-size": slots * (config.context_tokens or 0),  # shared out among the slots
        "--cache-reuse": 256,
    }
    return _given(options)


def _transformers(config: StartedServerConfig, gpus: int) -> list[str]:
    options = {"--device": "cuda" if gpus else "cpu", "--dtype": _dtype(config)}
    return [config.name, *_given(options)]


_PROGRAMS = {
    "vllm": ["vllm", "serve"],
    "sglang": ["python", "-m", "sglang.launch_server"],
    "llama_cpp": ["llama-server"],
    "transformers_serve": ["transformers", "serve"],
}
_OPTIONS: Mapping[str, _Options] = {
    "vllm": _vllm,
    "sglang": _sglang,
    "llama_cpp": _llama_cpp,
    "transformers_serve": _transformers,
}
