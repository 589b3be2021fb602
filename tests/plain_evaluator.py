"""An evaluator around stand-ins, wired as those of searches are."""

from collections.abc import Callable

from configs.schema.scoring import BudgetConfig
from evaluators.judge import Judge
from evaluators.ledger.ledger import Ledger
from evaluators.objective import Objective
from evaluators.pipeline.evaluator import Evaluator
from evaluators.pipeline.panel import PanelMember
from evaluators.pipeline.wiring import Wiring
from workers.prompt import Completion, Decoding
from workers.text_model import ModelCard, TextModel

TURN_1, NO_LIMITS, GREEDY = Objective(), BudgetConfig(), Decoding(max_new_tokens=50)


def plain_evaluator(
    ledger: Ledger,
    model: TextModel,
    judge: Judge,
    *,
    objective: Objective = TURN_1,
    limits: BudgetConfig = NO_LIMITS,
    context: int = 1_000_000,
    clean: Callable[[str], str] = str.strip,
    price: Callable[[Completion], float | None] | None = None,
    repeats: int = 1,
    screening: Judge | None = None,
) -> tuple[Wiring, Evaluator]:
    """One judge, and one that may be asked first."""
    members, first = [PanelMember(judge, repeats=repeats)], [] if screening is None else [PanelMember(screening)]
    wiring = Wiring(ledger, members, objective=objective, limits=limits, screening=first)
    return wiring, wiring.evaluator(wiring.answers(model, ModelCard("m", context, "cpu"), price), clean)
