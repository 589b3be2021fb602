"""ServedModel against a real server with a real model: `transformers serve` on the quickstart's."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

from configs.schema.model import ModelConfig, ServedModelConfig
from tests.kits.text_model_kit import answers, run_with
from workers.engines.transformers_engine import TransformersEngine
from workers.prompt import Decoding, PromptBlock
from workers.served_model.model import ServedModel

pytestmark = pytest.mark.heavy

MODEL = str(Path("configs/quickstart/model").absolute())
BLOCK = PromptBlock(
    "Answer.\n\n# Query:\n```\nWhat is ice?\n```\n\n# Answer:\n```\nGood question! Ice is frozen water.\n```\n\n",
    tuple(
        f"# Query:\n```\n{query}\n```\n\n# Answer:\n```\n"
        for query in ("What do bees make?", "Which planet is red?", "What is the capital of Cuba?")
    ),
)


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", MODEL]
    server = subprocess.Popen([*command, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"])
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    direct = build_opener(ProxyHandler({}))
    while True:
        try:
            direct.open(address, timeout=5).close()
            return
        except URLError:
            assert server.poll() is None, "the server ended before it answered"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def engine() -> TransformersEngine:
    return TransformersEngine.load(ModelConfig(name=MODEL))


def _served(base_url: str) -> ServedModel:
    service = {"model": MODEL, "base_url": base_url, "api_key_variable": None}
    return ServedModel(
        ServedModelConfig.model_validate(
            {
                "engine": "served",
                "service": service,
                "server": "transformers",
                "tokenizer": MODEL,
                "context_tokens": 512,
            }
        )
    )


@pytest.mark.parametrize(
    "decoding",
    [
        Decoding(32),
        Decoding(32, stop=("\n```",)),
        Decoding(32, repetition_penalty=1.3),
        Decoding(8, stop=("question",)),
    ],
    ids=["free", "stop string", "penalty", "early stop"],
)
def test_greedy_completions_are_those_of_our_own_engine(
    base_url: str, engine: TransformersEngine, decoding: Decoding
) -> None:
    got = dict(run_with(_served(base_url), lambda model: answers(model, BLOCK, decoding)))
    assert got == dict(engine.generate(BLOCK, decoding))


def test_prompts_have_the_length_that_our_own_engine_counts(base_url: str, engine: TransformersEngine) -> None:
    counted = run_with(_served(base_url), lambda model: model.count_tokens(BLOCK))
    assert counted == engine.count_tokens(BLOCK)


def test_sampling_reaches_the_server_with_its_seed(base_url: str) -> None:
    def sampled(seed: int) -> list[str]:
        decoding = Decoding(16, temperature=1.5, top_k=50, seed=seed)
        got = run_with(_served(base_url), lambda model: answers(model, BLOCK.select([0]), decoding))
        return [completion.text for _, completion in got]

    assert sampled(1) == sampled(1)
    assert len({tuple(sampled(seed)) for seed in range(4)}) > 1
