"""Judges' models, kept in sight."""

import asyncio
from pathlib import Path

from configs.schema.model import ModelConfig, RewardModelConfig
from configs.schema.service import ServiceConfig
from configs.schema.workers import WorkersConfig
from evaluators.utilization import Utilization
from search.running.judge_models import JudgeModels
from tests.fakes import EchoRewardEngine, ScriptedModel
from tests.service_server import ServiceServer, says
from workers.local_worker import LocalWorker
from workers.text_model import ModelCard, RewardModel, TextModel


def make_text(config: ModelConfig, workers: WorkersConfig) -> TextModel:
    del config, workers
    return ScriptedModel()


class OnGpu(EchoRewardEngine):
    """Says that it runs on a GPU."""

    @property
    def card(self) -> ModelCard:
        return ModelCard("on gpu", 1000, "cuda:0 NVIDIA H200")


def make_reward(config: RewardModelConfig, workers: WorkersConfig) -> RewardModel:
    del config, workers
    return LocalWorker(OnGpu)


def test_a_service_is_busy_while_it_has_a_request_and_not_while_it_has_none(tmp_path: Path) -> None:
    async def scenario(config: ServiceConfig) -> tuple[Utilization, Utilization]:
        models = JudgeModels(make_text, make_reward, tmp_path)
        service, another = models.models.service(config), models.models.service(config)
        await service.chat([{"role": "user", "content": "hello"}], temperature=0.0, max_tokens=9)
        after = models.utilization(100.0)
        await asyncio.sleep(0.02)
        later = models.utilization(100.0)
        await service.close()
        await another.close()
        assert models.utilization(100.0) == later  # it is added up when everything is closed
        return after, later

    with ServiceServer(then=says("fine")) as server:
        config = {"model": "judge", "base_url": server.base_url, "api_key_variable": None}
        after, later = asyncio.run(scenario(ServiceConfig.model_validate(config)))
    assert after == later
    assert 0 < after.judge_busy < after.judge_wanted == 100


def test_of_two_services_the_one_that_is_busy_longest_says_whether_a_verdict_is_under_way(tmp_path: Path) -> None:
    async def scenario(config: ServiceConfig) -> tuple[Utilization, float]:
        models = JudgeModels(make_text, make_reward, tmp_path)
        slow, _ = models.models.service(config), models.models.service(config)
        await slow.chat([{"role": "user", "content": "hello"}], temperature=0.0, max_tokens=9)
        await slow.close()
        return models.utilization(100.0), slow.activity().seconds_busy

    with ServiceServer(then=says("fine")) as server:
        config = {"model": "judge", "base_url": server.base_url, "api_key_variable": None}
        there, busy = asyncio.run(scenario(ServiceConfig.model_validate(config)))
    assert there.judge_busy == busy


def test_where_no_service_judges_a_verdict_is_under_way_whenever_it_is_waited_for(tmp_path: Path) -> None:
    async def scenario() -> Utilization:
        models = JudgeModels(make_text, make_reward, tmp_path)
        model = models.models.reward(RewardModelConfig(name="any"), WorkersConfig(kind="local"))
        await model.start()
        await models.note_started()
        await asyncio.sleep(0.02)
        await model.close()
        return models.utilization(3.0)

    there = asyncio.run(scenario())
    assert (there.judge_wanted, there.judge_busy) == (3.0, 3.0)
    assert there.gpus > 0
    assert there.gpus_busy == 0
    assert (there.workers, there.workers_busy) == (0, 0)  # these are not the ones that answer
