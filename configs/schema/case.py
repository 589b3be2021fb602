"""CASE, a strategy of others to compare with."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from configs.schema.search_space import SearchSpaceConfig, StrategySummary


class CaseConfig(SearchSpaceConfig):
    """CASE (Purohit et al., ICML 2025): a linear bandit over sets, in which the best are told from challengers."""

    budget_setting: ClassVar[str | None] = "evaluations"
    summary: ClassVar = StrategySummary(
        "a linear bandit over sets: the best of them and sampled challengers, judged where they are hard to tell apart",
        "as many as you say",
        "to compare with other work that uses it",
    )
    ranks_by: ClassVar = (
        "the sum of a weight for each of their demonstrations, fitted to gains over the base prompt; the finalists "
        "meet every search question before the end"
    )

    kind: Literal["case"]
    evaluations: Annotated[int, Field(ge=1)] = 3000
    """Answers judged on search questions, the base prompt's included."""
    block: Annotated[int, Field(ge=1)] = 8
    """Questions a trial."""
    best: Annotated[int, Field(ge=1)] = 5
    """Sets that stand for the best."""
    challengers: Annotated[int, Field(ge=1)] = 5
    """Sets that challenge them."""
    sampled: Annotated[int, Field(ge=1)] = 50
    """Sets drawn at random before each trial, of which the likeliest challenge."""
