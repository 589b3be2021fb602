"""A strategy of the user's own that misbehaves stops the search with a sentence, and nothing else happens."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest

from configs.errors import InputError, RunStopped
from configs.schema.strategy import CustomConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.custom import CustomStrategy

SPACE = SearchSpace(base=("b",), pool=("x", "y"), questions=("q1", "q2"), insert_at=1, max_added=2)
BASE = Trial(SPACE.compose(()), SPACE.questions)
SCORED = ScoredTrial(BASE, {"q1": 1.0, "q2": 2.0}, {}, 1.5)


class Good:
    """Asks for one trial and is done."""

    def __init__(self, space: SearchSpace = SPACE, options: Any = None, seed: int = 0) -> None:
        self.asked = False

    def ask(self, room: int) -> Any:
        first, self.asked = not self.asked, True
        return [Trial(Candidate(("b", "x")), ("q1",))] if first else []

    def tell(self, scored: ScoredTrial) -> Any:
        return None

    def planned(self) -> Any:
        return 3

    def ranking(self) -> Any:
        return [BASE.candidate]


class Refuses(Good):
    """Cannot be made."""

    def __init__(self, space: SearchSpace, options: Any, seed: int) -> None:
        raise SystemExit(0)


class Ends(tuple[str, ...]):
    """It would end the process wherever it is looked at."""

    __slots__ = ()

    def __len__(self) -> int:
        raise SystemExit(0)

    def __repr__(self) -> str:
        raise SystemExit(0)

    def __index__(self) -> int:
        raise SystemExit(0)


def _with(method: str, does: Callable[..., Any], seconds: float = 600.0) -> CustomStrategy:
    inner = type("Bad", (Good,), {method: lambda self, *given: does(*given)})()
    return CustomStrategy(inner, "mine:Bad", SPACE, seconds)


def _raises(error: BaseException) -> Callable[..., Any]:
    def does(*_: Any) -> Any:
        raise error

    return does


def _use(strategy: CustomStrategy) -> None:
    strategy.tell(SCORED)
    strategy.ask(4)
    strategy.planned()
    strategy.ranking()


def test_a_strategy_that_behaves_is_passed_on() -> None:
    strategy = CustomStrategy(Good(), "mine:Good", SPACE, 600)
    assert (strategy.planned(), list(strategy.ranking())) == (3, [])
    strategy.tell(SCORED)
    assert [trial.candidate.demonstrations for trial in strategy.ask(2)] == [("b", "x")]
    assert (list(strategy.ask(2)), list(strategy.ranking())) == ([], [BASE.candidate])


@pytest.mark.parametrize("method", ["ask", "tell", "planned", "ranking"])
@pytest.mark.parametrize(
    "error",
    [StopIteration(), SystemExit(0), KeyboardInterrupt(), GeneratorExit(), ValueError("a\nb"), OverflowError("big")],
    ids=lambda error: type(error).__name__,
)
def test_whatever_it_raises_stops_the_run_with_the_method_and_the_error(method: str, error: BaseException) -> None:
    with pytest.raises(RunStopped, match=rf"mine:Bad, {method}\(\): raised {type(error).__name__}") as stopped:
        _use(_with(method, _raises(error)))
    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize(
    ("method", "returned", "complaint"),
    [
        ("ask", None, "raised TypeError"),
        ("ask", ["x"], "must return trials, not 'x'"),
        ("ask", itertools.repeat(BASE), "returned more than 4 trials"),
        ("ask", [Trial(Candidate(("b", "z")), ("q1",))], "an unknown demonstration: 'z'"),
        ("ask", [Trial(Candidate(("b",), "hot"), ("q1",))], "an unknown decoding: 'hot'"),
        ("ask", [Trial(Candidate(("b",)), ("q9",))], "is not a search question: 'q9'"),
        ("ask", [Trial(Candidate(("b",)), ())], "a tuple of questions, each once"),
        ("ask", [Trial(Candidate(("b",)), ("q1", "q1"))], "a tuple of questions, each once"),
        ("ask", [Trial(Candidate(("b",)), ("q1",), again=-1)], "again must be a whole number from 0 to 10,000, not -1"),
        ("ask", [Trial(Candidate(("b",)), ("q1",), again=10**6000)], "again must be a whole number"),
        ("ask", [Trial(Candidate(("b",)), ("q1",), again=True)], "again must be a whole number"),
        ("ask", [Trial(Candidate(("b",)), ("q1",), again=1.0)], "again must be"),  # type: ignore[arg-type]
        ("ask", [Trial(Candidate(("b",)), ("q1",), screening=1)], "screening must be"),  # type: ignore[arg-type]
        ("ask", [Trial(Candidate(("b",)), ("q1",), screening=True)], "the config names none in judge.screening"),
        ("ask", [Trial("b", ("q1",))], "must return candidates"),  # type: ignore[arg-type]
        ("ranking", [], "returned no candidate after a result"),
        ("ranking", ["b"], "must return candidates, not 'b'"),
        ("ask", [Trial(Candidate(("b",)), (["q1"],))], "raised TypeError"),  # type: ignore[arg-type]
        ("ask", [Trial(Candidate(("b",)), (7, "z"))], "is not a search question: 7"),  # type: ignore[arg-type]
        ("ask", [Trial(Candidate(["b"]), ("q1",))], "a tuple of demonstrations, not ..b"),  # type: ignore[arg-type]
        ("ask", [Trial(Candidate(("b",)), Ends(("q1",)))], "raised SystemExit"),
        ("ask", [Trial(Candidate((Ends("z"),)), ("q1",))], "raised SystemExit"),  # type: ignore[arg-type]
        ("ranking", 7, "raised TypeError"),
        ("planned", float("nan"), "must return a whole number, not nan"),
        ("planned", "3", "must return a whole number"),
        ("planned", None, "must return a whole number"),
        ("planned", Ends(), "raised SystemExit"),
    ],
)
def test_what_it_may_not_return_stops_the_run_with_a_sentence(method: str, returned: Any, complaint: str) -> None:
    with pytest.raises(RunStopped, match=complaint):
        _use(_with(method, lambda *_: returned))


def test_it_may_ask_for_further_verdicts_and_for_the_screening_judge_of_the_config() -> None:
    inner = Good()
    strategy = CustomStrategy(inner, "mine:Good", SPACE, 600, has_screening_judge=True)
    trials = [Trial(BASE.candidate, ("q1",), again=2), Trial(BASE.candidate, ("q1",), screening=True)]
    inner.ask = lambda room: trials  # type: ignore[method-assign]
    assert strategy.ask(4) == trials


@pytest.mark.parametrize(("planned", "taken"), [(-5, 0), (10**400, 10**12), (7, 7)])
def test_a_plan_beyond_belief_is_cut_to_what_can_be_shown(planned: int, taken: int) -> None:
    assert _with("planned", lambda: planned).planned() == taken


@pytest.mark.parametrize("method", ["ask", "tell", "planned", "ranking"])
def test_a_call_that_never_returns_stops_the_run(method: str) -> None:
    with pytest.raises(RunStopped, match=rf"{method}\(\): has not returned after 0.1 s"):
        _use(_with(method, lambda *_: threading.Event().wait(), seconds=0.1))


def test_a_class_that_cannot_be_made_or_imported_is_refused() -> None:
    config = CustomConfig(kind="custom", strategy=f"{__name__}:Refuses")
    with pytest.raises(InputError, match="cannot be created, it raised SystemExit: 0"):
        CustomStrategy.load(config, SPACE, 0)
    with pytest.raises(InputError, match="cannot be imported"):
        CustomStrategy.load(config.model_copy(update={"strategy": f"{__name__}:SPACE"}), SPACE, 0)
