import sys
from pathlib import Path

import pytest

from configs.schema.model import StartedServerConfig
from workers.bench.servers import answered
from workers.prompt import PromptBlock
from workers.started_server.server_engine import ServerEngine

pytestmark = pytest.mark.heavy

FAKE = str(Path(__file__).parents[1] / "started_server" / "fake_vllm.py")


def test_every_question_of_every_candidate_is_answered_once_and_the_servers_time_counts() -> None:
    config = StartedServerConfig(
        engine="vllm", name="configs/quickstart/model", command=(sys.executable, FAKE, "well"), max_in_flight=4
    )
    blocks = [PromptBlock("say ", ("one", "two")), PromptBlock("say ", ("three",))] * 20
    engine = ServerEngine.load(config)
    answers = answered(engine, blocks, 8, engine.port)
    texts = {place: completion.text for place, completion in answers.completions.items()}
    assert texts == {
        (job, index): f"said {suffix}"
        for job, block in enumerate(blocks)
        for index, suffix in enumerate(block.suffixes)
    }
    assert answers.tokens == 2 * len(texts)
    own = answered(engine, blocks, 8, None)
    assert answers.shared_with(own) == 1
    assert answers.cpu_seconds > 0
