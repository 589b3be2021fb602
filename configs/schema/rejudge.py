"""What `demosearch rejudge` takes from a file: another judge for stored answers, and what it may cost."""

from configs.schema.judge import JudgeConfig
from configs.schema.knobs import Knobs
from configs.schema.scoring import BudgetConfig


class RejudgeConfig(Knobs):
    """Another judge for stored answers."""

    judge: JudgeConfig
    """Judge, as in a search's config."""
    budget: BudgetConfig = BudgetConfig()
    """Limits of what the verdicts may cost; generations cost nothing."""
