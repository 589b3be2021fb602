"""The models that judges are made of, kept in sight: some hold GPUs, others are services with a queue."""

from collections.abc import Callable, Mapping
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING

from configs.schema.model import ModelConfig, RewardModelConfig
from configs.schema.service import ServiceConfig
from configs.schema.workers import WorkersConfig
from evaluators.judge_tools.models import Models, make_service
from evaluators.utilization import Utilization
from search.running.usage_clock import gpu_utilization, gpus_each
from workers.chat_template import ChatTemplate, LoadTemplate
from workers.service.activity import ServiceActivity
from workers.text_model import RewardModel, TextModel

if TYPE_CHECKING:
    from workers.service.service import Service


class JudgeModels:
    """Remembers every model made through `models`.

    Args:
        text, reward: make a model that is not started.
        path: of the run, which keeps what is needed to find batches again that were paid for.
        environment: where keys are looked up, by name.
        load_template: loads a model's chat template.
    """

    def __init__(
        self,
        text: Callable[[ModelConfig, WorkersConfig], TextModel],
        reward: Callable[[RewardModelConfig, WorkersConfig], RewardModel],
        path: Path,
        environment: Mapping[str, str] = environ,
        load_template: LoadTemplate = ChatTemplate.load,
    ) -> None:
        self._path = path.absolute()  # as `Run` has it
        self._environment = environment
        self._make_text = text
        self._make_reward = reward
        self._made: list[tuple[TextModel | RewardModel, WorkersConfig]] = []
        self._gpus: list[float] = []  # of each worker of each model
        self._services: list[Service] = []
        self.models = Models(self._text, self._reward, self._service, load_template)

    async def note_started(self) -> None:
        """Find out what GPUs they hold, once the judges have started them."""
        self._gpus = [gpus_each(await model.start(), workers) for model, workers in self._made]

    def utilization(self, wanted: float) -> Utilization:
        """The utilization of all of them so far.

        Args:
            wanted: seconds in which an answer waited for its verdict.
        """
        busy = [service.seconds_busy for service in self.services()]
        judges = Utilization(judge_wanted=wanted, judge_busy=max(busy, default=wanted))
        pairs = zip(self._made, self._gpus, strict=False)
        return sum((gpu_utilization(model.activity(), gpus) for (model, _), gpus in pairs), judges)

    @property
    def are_loaded(self) -> bool:
        """Whether a judge is made of a model that is loaded, and says which one it is only then."""
        return bool(self._made)

    def services(self) -> list[ServiceActivity]:
        """What each service is doing now."""
        return [service.activity() for service in self._services]

    def _service(self, config: ServiceConfig) -> "Service":
        service = make_service(config, self._path, self._environment)
        self._services.append(service)
        return service

    def _text(self, config: ModelConfig, workers: WorkersConfig) -> TextModel:
        model = self._make_text(config, workers)
        self._made.append((model, workers))
        return model

    def _reward(self, config: RewardModelConfig, workers: WorkersConfig) -> RewardModel:
        model = self._make_reward(config, workers)
        self._made.append((model, workers))
        return model
