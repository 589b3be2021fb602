"""Every kind of strategy a config can name."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from configs.errors import InputError
from configs.schema.strategy import StrategyConfig
from evaluators.question import Question
from search.problem.candidate import Candidate
from search.problem.material import Material
from search.prompts.demonstration import Demonstration
from search.strategies.custom import CustomStrategy
from search.strategies.make import make_strategy, strategy_of
from search.strategies.strategy import stage_of
from tests.kits.strategy_kit import drive

KINDS = [get_args(member.model_fields["kind"].annotation)[0] for member in get_args(get_args(StrategyConfig)[0])]
MATERIAL = Material(
    rules="rules",
    base=(Demonstration("base", "a base query", "a base answer"),),
    pool=(
        *(Demonstration(f"d{n}", f"query number {n}", f"answer {n} about it") for n in range(5)),
        Demonstration("d5", "query number 5", "answer 5 about it", (("and then", "more about it"),)),
    ),
    search=tuple(Question(f"q{n}", (f"question {n}",)) for n in range(5)),
    held_out=(),
    digests={},
)
NEEDED: dict[str, dict[str, Any]] = {
    "custom": {"strategy": "tests.search.strategies.test_make:Own", "options": {"x": 3}}
}


class Own:
    """A user's strategy."""

    def __init__(self, space: Any, options: dict[str, Any], seed: int) -> None:
        self.given = (space, options, seed)
        self.ranked: list[Any] = []

    def ask(self, room: int) -> list[Any]:
        return []

    def tell(self, scored: Any) -> None:
        self.ranked = [scored.trial.candidate]

    def planned(self) -> int:
        return 1

    def ranking(self) -> list[Any]:
        return self.ranked


def config(kind: str, **knobs: Any) -> StrategyConfig:
    made: StrategyConfig = TypeAdapter(StrategyConfig).validate_python({"kind": kind} | NEEDED.get(kind, {}) | knobs)
    return made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("base", ["keep", "optional"])
@pytest.mark.heavy
def test_every_kind_makes_a_strategy_that_runs_to_its_end(kind: str, base: str, tmp_path: Path) -> None:
    knobs = {"trials": 4} if kind in ("random", "optuna") else {}
    chosen = config(kind, max_demonstrations=2, base=base, **knobs)
    space = MATERIAL.space(chosen)
    strategy, stages = make_strategy(chosen, space, 1, MATERIAL, tmp_path), set()

    def worth(candidate: Candidate) -> float:
        stages.add(stage_of(strategy))
        return float(len(candidate))

    drive(strategy, space, worth)
    assert kind == "custom" or strategy.ranking()
    says_what_it_does = bool(stages - {""})
    assert says_what_it_does == (kind not in ("custom", "similar", "diverse"))  # these have one candidate at most


def test_a_strategy_of_ones_own_is_given_space_options_and_seed() -> None:
    space = MATERIAL.space(config("random"))
    strategy = strategy_of(config("custom"), space, 7, None)
    assert isinstance(strategy, CustomStrategy)
    assert isinstance(strategy.inner, Own)
    assert strategy.inner.given == (space, {"x": 3}, 7)


@pytest.mark.parametrize("place", ["nowhere:Class", "tests.search.strategies.test_make:Missing", "no colon"])
def test_a_strategy_that_cannot_be_imported_is_refused(place: str, tmp_path: Path) -> None:
    chosen = config("custom", strategy=place)
    with pytest.raises(InputError, match="cannot be imported"):
        make_strategy(chosen, MATERIAL.space(chosen), 0, MATERIAL, tmp_path)


@pytest.mark.heavy
def test_what_is_similar_is_seen_in_every_turn(tmp_path: Path) -> None:
    asked = "how tall are the mountains of norway"
    pool = (*MATERIAL.pool[:3], Demonstration("later", "query number 9", "answer 9 about it", ((asked, "very tall"),)))
    material = replace(MATERIAL, pool=pool, search=(Question("q", (asked,)),))
    chosen = config("similar", max_demonstrations=1)
    strategy = make_strategy(chosen, material.space(chosen), 0, material, tmp_path)
    assert "later" in {name for trial in strategy.ask(9) for name in trial.candidate.demonstrations}


@pytest.mark.parametrize("kind", ["similar", "diverse"])
def test_retrieval_without_an_embedding_is_refused(kind: str, tmp_path: Path) -> None:
    chosen = config(kind, embedding="none")
    with pytest.raises(InputError, match="needs an embedding"):
        make_strategy(chosen, MATERIAL.space(chosen), 0, MATERIAL, tmp_path)


@pytest.mark.parametrize(
    ("knobs", "complaint"),
    [
        ({"required": ["nobody"]}, "strategy.required names 'nobody'"),
        ({"required": ["base"]}, "strategy.required names 'base'"),
        ({"mutually_exclusive": [["d1", "nobody"]]}, "strategy.mutually_exclusive names 'nobody'"),
        ({"required": ["d1", "d2"], "mutually_exclusive": [["d1", "d2"]]}, "no candidate is left"),
        ({"min_demonstrations": 9, "max_demonstrations": 9}, "no candidate is left"),
        ({"insert": 2}, "has 1 of its own"),
    ],
)
def test_a_space_that_cannot_be_is_refused(knobs: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        MATERIAL.space(config("random", **knobs))
