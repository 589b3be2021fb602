import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from configs.errors import InputError
from configs.schema.model import ModelConfig, StartedServerConfig
from configs.schema.workers import WorkersConfig
from search.running.models import make_model
from tests.kits import engine_kit
from tests.kits.text_model_kit import answers, run_with
from workers.engines.transformers_engine import TransformersEngine
from workers.failures import PromptTooLong
from workers.messages import Ended, Message
from workers.prompt import Continuations, Decoding, Likelihood, PromptBlock
from workers.started_server.server_engine import ServerEngine, _identity
from workers.started_server.server_process import ServerProcess
from workers.text_model import TextModel

pytestmark = pytest.mark.heavy

FAKE = str(Path(__file__).with_name("fake_vllm.py"))
MODEL = Path("configs/quickstart/model").absolute()
BLOCK = PromptBlock("say ", ("one", "two", "three"))
SAID = ["said one", "said two", "said three"]


def _config(failing: str, **knobs: object) -> StartedServerConfig:
    asked = {"engine": "vllm", "name": str(MODEL), "command": [sys.executable, FAKE, failing], "warm_prefix": False}
    return StartedServerConfig.model_validate(asked | knobs)


def _texts(engine: ServerEngine) -> list[str]:
    return [completion.text for completion in engine_kit.answers(engine, BLOCK, Decoding(8))]


def _has_ended(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@contextmanager
def _ends(process: int) -> Iterator[None]:
    """The process with this number has ended a while after the body."""
    yield
    while not _has_ended(process):  # the test's timeout is the limit
        time.sleep(0.02)


def test_what_a_dead_server_has_left_unanswered_is_asked_again_when_it_is_back(tmp_path: Path) -> None:
    engine = ServerEngine.load(_config(f"dies:{tmp_path / 'dead'}"))
    assert _texts(engine) == SAID
    assert (tmp_path / "dead").exists()


def test_likelihoods_that_a_dead_server_has_left_open_are_asked_for_again(tmp_path: Path) -> None:
    engine = ServerEngine.load(_config(f"dies:{tmp_path / 'dead'}"))
    assert sorted(engine.score(BLOCK, Continuations(("a", "to be", "!")))) == [
        (index, Likelihood(-float(tokens), tokens)) for index, tokens in enumerate((1, 5, 1))
    ]
    assert (tmp_path / "dead").exists()


@pytest.mark.parametrize("moment", ["meets", "counts", "falls"])
def test_a_server_that_dies_while_it_warms_up_or_starts_again_is_waited_for(moment: str, tmp_path: Path) -> None:
    engine = ServerEngine.load(_config(f"{moment}:{tmp_path / 'died'}"))
    assert engine.count_tokens(BLOCK) == (2, 2, 2)
    assert _texts(engine) == SAID
    assert (tmp_path / "died").exists()


def test_a_server_whose_port_another_program_has_taken_gets_another_one() -> None:
    server = ServerProcess(_config("well"))
    with socket.create_server(("127.0.0.1", server.port)) as taken:
        server.start()
        assert server.port != taken.getsockname()[1]
    server.close()


def test_a_server_that_cannot_load_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"(?s)\(exit status 1\); it said last:\nCUDA error: no kernel"):
        ServerEngine.load(_config("broken"))
    with pytest.raises(InputError, match=r"ended while it loaded the model \(exit status -9\)"):
        ServerEngine.load(_config("killed"))
    with pytest.raises(InputError, match=r"took longer than model\.start_timeout"):
        ServerEngine.load(_config("slow", start_timeout=0.5))
    with pytest.raises(InputError, match="holds no model"):
        ServerEngine.load(_config("well", name=str(tmp_path)))


def test_jobs_share_the_server_and_one_that_does_not_fit_ends_alone() -> None:
    batch = ServerEngine.load(_config("well")).batch(Decoding(8))
    blocks = [BLOCK, PromptBlock("say " * 60, ("much",)), PromptBlock("", ()), PromptBlock("say ", ("four",))]
    for job, block in enumerate(blocks):
        batch.add(job, block)
    messages: list[Message] = []
    while sum(isinstance(message, Ended) for message in messages) < len(blocks):
        messages += batch.step()
    errors = {message.job: message.error for message in messages if isinstance(message, Ended)}
    assert [type(errors[job]) for job in range(4)] == [type(None), PromptTooLong, type(None), type(None)]
    assert [message.job for message in messages if not isinstance(message, Ended)].count(0) == 3
    assert batch.has_room()


def test_nothing_is_heard_of_a_job_that_was_dropped() -> None:
    batch = ServerEngine.load(_config("well")).batch(Decoding(8))
    batch.add(0, BLOCK)
    batch.drop(0)
    batch.add(1, PromptBlock("say ", ("four",)))
    messages: list[Message] = []
    while not messages or not isinstance(messages[-1], Ended):
        messages += batch.step()
    assert {message.job for message in messages} == {1}


def test_a_server_for_the_cpu_sees_none_of_its_workers_gpus() -> None:
    given = os.environ | {"CUDA_VISIBLE_DEVICES": "0,1"}
    assert ServerProcess(_config("well"), given).gpus == ["0", "1"]
    assert ServerProcess(_config("well", device="cpu"), given).gpus == []


def test_two_workers_servers_are_one_model() -> None:
    cards = [ServerEngine.load(_config("well")).card for _ in range(2)]
    assert cards[0] == cards[1]
    assert "vllm 0.33.0" in cards[0].fingerprint
    assert "127.0.0.1" not in cards[0].fingerprint


def test_two_files_that_differ_in_the_middle_are_two_models(tmp_path: Path) -> None:
    identities = set()
    for middle in (b"a", b"b"):
        (tmp_path / "q4.gguf").write_bytes(bytes(2**20) + middle + bytes(2**20))
        identities.add(_identity(_config("well", name=str(tmp_path / "q4.gguf"))))
    assert len(identities) == 2


def test_a_server_ends_with_its_engine_and_takes_its_children_along(tmp_path: Path) -> None:
    engine = ServerEngine.load(_config(f"parent:{tmp_path / 'child'}"))
    with _ends(int((tmp_path / "child").read_text(encoding="utf-8"))):
        del engine
        gc.collect()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_what_a_batch_system_sends_to_a_server_and_its_guardian_leaves_no_child_of_the_server_behind(
    number: signal.Signals, tmp_path: Path
) -> None:
    engine = ServerEngine.load(_config(f"parent:{tmp_path / 'child'}"))
    (guardian,) = _found("-f", rf"guardian\.py .* parent:{tmp_path}")
    (server,) = _found("-P", str(guardian))
    with _ends(int((tmp_path / "child").read_text(encoding="utf-8"))):
        os.kill(guardian, number)
        os.kill(server, number)
    del engine


def test_kill_9_of_a_worker_leaves_no_server_behind(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from configs.schema.model import StartedServerConfig\n"
        "from workers.started_server.server_process import ServerProcess\n"
        "config = StartedServerConfig.model_validate_json(sys.argv[1])\n"
        "ServerProcess(config).start()\n"
        "print('well', flush=True)\n"
        "time.sleep(3600)\n"
    )
    config = _config(f"parent:{tmp_path / 'child'}").model_dump_json()
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", program, config]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "well\n"
        with _ends(int((tmp_path / "child").read_text(encoding="utf-8"))):
            worker.send_signal(signal.SIGKILL)


def test_a_real_server_killed_in_the_middle_gives_the_answers_of_our_own_engine() -> None:
    prefix = (
        "Answer.\n\n# Query:\n```\nWhat is ice?\n```\n\n# Answer:\n```\nGood question! Ice is frozen water.\n```\n\n"
    )
    asked = ("What do bees make?", "Which planet is red?")
    block = PromptBlock(prefix, tuple(f"# Query:\n```\n{query}\n```\n\n# Answer:\n```\n" for query in asked))
    config = StartedServerConfig(engine="transformers_serve", name=str(MODEL), dtype="float32", context_tokens=512)
    expected = engine_kit.answers(TransformersEngine.load(ModelConfig(name=str(MODEL))), block, Decoding(24))

    async def work(model: TextModel) -> list[str]:
        first = await answers(model, block, Decoding(24))
        (process,) = _real_servers()
        os.kill(process, signal.SIGKILL)
        second = await answers(model, block, Decoding(24))
        return [dict(found)[index].text for found in (first, second) for index in range(len(asked))]

    said = run_with(make_model(config, WorkersConfig(kind="local")), work, 240)
    assert said == [completion.text for completion in expected] * 2


def _real_servers() -> list[int]:
    """Processes that serve the toy model, and have been started by a guardian."""
    guardians = _found("-f", rf"guardian\.py .* serve {MODEL}")
    return [child for guardian in guardians for child in _found("-P", str(guardian))]


def _found(*how: str) -> list[int]:
    found = subprocess.run(["pgrep", *how], capture_output=True, text=True, check=False)
    return [int(process) for process in found.stdout.split()]
