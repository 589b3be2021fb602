"""What a run is worked on with: ledger, judges and the model that is loaded now, wired once and given back whole."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from configs.schema.evaluation import EvaluationConfig
from configs.schema.model import AnyModelConfig
from configs.schema.run import RunConfig
from configs.score_bounds import score_bounds
from evaluators.counts import Counts
from evaluators.drafting import Drafting
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.queries import read_spend
from evaluators.objective import Objective
from evaluators.pipeline.budget import Budget
from evaluators.pipeline.evaluator import Evaluator
from evaluators.pipeline.generation import Answers
from evaluators.pipeline.wiring import Wiring
from evaluators.utilization import Utilization
from search.live.progress import View, watching
from search.live.snapshot import Position
from search.run_directory.neighbours import ledgers_of_neighbours
from search.run_directory.run import TALLY, Run, ledger_path
from search.running.frozen_heap import frozen_heap
from search.running.judges import Judges
from search.running.models import make_model
from search.running.prices import price_of
from search.running.usage_clock import drafting_of, gpus_each, time_kept, utilization_of
from workers.activity import WorkersActivity
from workers.service.activity import ServiceActivity
from workers.text_model import ModelCard, TextModel


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is there, and its answers."""

    model: TextModel
    card: ModelCard
    answers: Answers


class Workplace:
    """Ledger, judges and model of a run; all but the run's position can be looked at while it is worked on."""

    def __init__(self, wiring: Wiring, judges: Judges, config: RunConfig | EvaluationConfig) -> None:
        self._wiring = wiring
        self._judges = judges
        self._config = config
        self._model: TextModel | None = None
        self._gpus = 0.0  # of each worker of that model
        self._earlier = Utilization()  # of the models before it
        self._earlier_drafting = Drafting()

    @property
    def ledger(self) -> Ledger:
        return self._wiring.ledger

    @asynccontextmanager
    async def judged(self, check: Callable[[], None]) -> AsyncIterator[None]:
        """Have the judges ready for as long as this is open.

        Args:
            check: called when they are started, before anything is noted of them.
        """
        try:
            for member in (*self._judges.members, *self._judges.screening):
                await member.judge.start()
            await self._judges.models.note_started()
            check()
            await self._wiring.start_judges()
            yield
        finally:
            await self._wiring.close_judges()

    @asynccontextmanager
    async def loaded(self, config: AnyModelConfig) -> AsyncIterator[LoadedModel]:
        """Have this model loaded for as long as this is open; one at a time. Raises InputError where it cannot be
        loaded.
        """
        self._model = model = make_model(config, self._config.workers)
        try:
            card = await model.start()
            self._gpus = gpus_each(card, self._config.workers)
            with frozen_heap():
                yield LoadedModel(model, card, self._wiring.answers(model, card, price_of(config)))
        finally:
            await model.close()
            self._earlier += utilization_of(model.activity(), self._gpus)
            self._earlier_drafting += drafting_of(model.activity())
            self._model, self._gpus = None, 0.0

    def evaluator(self, model: LoadedModel, clean: Callable[[str], str]) -> Evaluator:
        """What has answers of this model judged, as `Evaluator` takes it."""
        return self._wiring.evaluator(model.answers, clean)

    def timed(self, clock: Callable[[], float]) -> AbstractAsyncContextManager[None]:
        """Note the time that all of this is in use while this is open; see `time_kept`."""
        ledger, budget, utilization, drafting = self.ledger, self.budget(), self._utilization, self._drafting
        return time_kept(ledger=ledger, budget=budget, utilization=utilization, drafting=drafting, clock=clock)

    def watched(
        self, position: Callable[[], Position], view: View, clock: Callable[[], float]
    ) -> AbstractAsyncContextManager[None]:
        """Have the view show how things stand while this is open; see `watching`."""
        bounds = score_bounds(self._config.scoring, self._config.judge)
        return watching(self, position, view, self._config.scoring.confidence, clock, bounds)

    def _utilization(self) -> Utilization:
        judges = self._judges.models.utilization(self.counts().waits.seconds)
        return self._earlier + utilization_of(self.activity(), self._gpus) + judges

    def _drafting(self) -> Drafting:
        return self._earlier_drafting + drafting_of(self.activity())

    def counts(self) -> Counts:
        return self._wiring.counts

    def activity(self) -> WorkersActivity:
        return self._model.activity() if self._model else WorkersActivity()

    def services(self) -> list[ServiceActivity]:
        return self._judges.models.services()

    def budget(self) -> Budget:
        return self._wiring.budget


@asynccontextmanager
async def opened_workplace(run: Run, config: RunConfig | EvaluationConfig, judges: Judges) -> AsyncIterator[Workplace]:
    """Open the ledger of a run and wire its judges around it; give everything back at the end. Raises InputError."""
    neighbours = ledgers_of_neighbours(run.path) if config.reuse_folder and config.ledger_path is None else []
    ledger = Ledger(ledger_path(run.path, config), run.id, run.path / TALLY, neighbours)
    wiring = Wiring(
        ledger,
        judges.members,
        objective=Objective.of(config.scoring),
        limits=config.budget,
        screening=judges.screening,
    )
    try:
        yield Workplace(wiring, judges, config)
    finally:
        await wiring.close_judges()
        await ledger.close()


def refuse_if_spent(run: Run, config: RunConfig | EvaluationConfig) -> None:
    """Raises BudgetSpent where nothing is left to spend, before anything is loaded for nothing."""
    spend = read_spend(ledger_path(run.path, config), run.id)
    Budget(config.budget, lambda: spend).check()
