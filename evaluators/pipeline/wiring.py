"""What scores answers, wired around one ledger, whoever wants them: a search, an evaluation, a bench, a test."""

from collections.abc import Callable, Sequence

from configs.schema.scoring import BudgetConfig
from evaluators.counts import Counts
from evaluators.ledger.ledger import Ledger
from evaluators.objective import Objective
from evaluators.pipeline.budget import Budget
from evaluators.pipeline.evaluator import Evaluator
from evaluators.pipeline.generation import Answers
from evaluators.pipeline.panel import Panel, PanelMember
from evaluators.task_group import to_its_end
from workers.prompt import Completion
from workers.text_model import ModelCard, TextModel

_TURN_1, _NO_LIMITS = Objective(), BudgetConfig()


class Wiring:
    """Judges, budget and counts that belong to a ledger, and the evaluators of whichever models answer.

    Args:
        screening: members of the panel that scores what is only screened; nobody where nothing is.
    """

    def __init__(
        self,
        ledger: Ledger,
        members: Sequence[PanelMember],
        *,
        objective: Objective = _TURN_1,
        limits: BudgetConfig = _NO_LIMITS,
        screening: Sequence[PanelMember] = (),
    ) -> None:
        self.ledger = ledger
        self.objective = objective
        self.counts = Counts()
        self.budget = Budget(limits, lambda: ledger.spend)
        self.panel = Panel(members, ledger=ledger, budget=self.budget, counts=self.counts)
        self.screening = Panel(screening, ledger=ledger, budget=self.budget, counts=self.counts)

    def answers(
        self, model: TextModel, card: ModelCard, price: Callable[[Completion], float | None] | None = None
    ) -> Answers:
        """Completions of a model that is started, as `Answers` takes it."""
        ledger, budget, counts = self.ledger, self.budget, self.counts
        return Answers(model=model, card=card, ledger=ledger, budget=budget, counts=counts, price=price)

    async def start_judges(self) -> None:
        """Load them and note them in the ledger."""
        await self.panel.start()
        await self.screening.start()

    async def close_judges(self) -> None:
        """Wait for the verdicts that are being paid for, and keep them, also when told to end meanwhile; nothing new is
        asked for."""
        await to_its_end(self._close_panels)

    async def _close_panels(self) -> None:
        await self.panel.close()
        await self.screening.close()

    def evaluator(self, answers: Answers, clean: Callable[[str], str]) -> Evaluator:
        """What has these answers judged, as `Evaluator` takes it."""
        return Evaluator(
            answers=answers,
            panel=self.panel,
            screening=self.screening,
            objective=self.objective,
            ledger=self.ledger,
            counts=self.counts,
            clean=clean,
        )
