"""An evaluator around stand-ins, put together as the composition root does it."""

from collections.abc import Callable

from configs.schema.scoring import BudgetConfig
from evaluators.budget import Budget
from evaluators.counts import Counts
from evaluators.evaluator import Evaluator
from evaluators.generation import Answers
from evaluators.judge import Judge
from evaluators.ledger.ledger import Ledger
from evaluators.objective import Objective
from evaluators.panel import Panel, PanelMember
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
) -> Evaluator:
    """One judge."""
    counts, budget = Counts(), Budget(limits, lambda: ledger.spend)
    answers = Answers(
        model=model,
        card=ModelCard("m", context, "cpu"),
        ledger=ledger,
        budget=budget,
        counts=counts,
        price=price,
    )
    panel = Panel([PanelMember(judge, repeats=repeats)], ledger=ledger, budget=budget, counts=counts)
    return Evaluator(answers=answers, panel=panel, objective=objective, ledger=ledger, counts=counts, clean=clean)
