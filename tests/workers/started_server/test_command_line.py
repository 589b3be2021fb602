import sys
from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError
from configs.schema.model import StartedServerConfig
from workers.started_server.command_line import command_line


def _words(port: int, gpus: int, **knobs: Any) -> str:
    config = StartedServerConfig.model_validate({"command": [sys.executable, "serve"]} | knobs)
    return " ".join(command_line(config, port, gpus)).removeprefix(f"{sys.executable} serve ")


def test_vllm_gets_every_gpu_of_its_worker_and_no_default_decoding() -> None:
    asked = _words(8000, 2, engine="vllm", name="org/m", revision="abc", dtype="bfloat16", context_tokens=8192)
    assert asked == (
        "org/m --enable-prefix-caching --served-model-name org/m --generation-config vllm --revision abc --dtype "
        "bfloat16 --max-model-len 8192 --max-num-seqs 64 --tensor-parallel-size 2 --host 127.0.0.1 --port 8000"
    )


def test_sglang_samples_as_it_is_asked_to() -> None:
    asked = _words(8000, 1, engine="sglang", name="org/m", arguments=["--mem-fraction-static", "0.8"])
    assert asked == (
        "--model-path org/m --served-model-name org/m --sampling-defaults openai --max-running-requests 64 --tp-size 1 "
        "--host 127.0.0.1 --port 8000 --mem-fraction-static 0.8"
    )


def test_llama_cpp_has_the_whole_context_in_every_slot() -> None:
    asked = _words(8000, 0, engine="llama_cpp", name="m.gguf", context_tokens=4096, max_in_flight=16)
    assert "--parallel 16 --ctx-size 65536" in asked


def test_transformers_is_found_beside_the_python_that_runs_this() -> None:
    config = StartedServerConfig(engine="transformers_serve", name="org/m", context_tokens=512)
    program, *rest = command_line(config, 8000, 0)
    assert program == str(Path(sys.executable).parent / "transformers")
    assert rest == ["serve", "org/m", "--device", "cpu", "--host", "127.0.0.1", "--port", "8000"]


def test_a_program_that_is_not_there_is_said_with_what_to_do() -> None:
    config = StartedServerConfig(engine="llama_cpp", name="m.gguf", context_tokens=512, command=("no-such-server",))
    with pytest.raises(InputError, match=r"no-such-server is not on the workers' PATH: .* name the program in model"):
        command_line(config, 8000, 0)
