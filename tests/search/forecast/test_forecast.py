"""A forecast names what it knows, and what is only a bound."""

import pytest

from configs.errors import InputError
from configs.loading import load_config
from configs.schema.judge import PairwiseJudgeConfig, ReferenceJudgeConfig, RubricJudgeConfig
from configs.schema.scoring import BudgetConfig
from configs.schema.service import ServiceConfig
from configs.schema.strategy import ExhaustiveGreedyConfig, RandomConfig
from evaluators.judge import Judge
from evaluators.ledger.spend import Spend
from evaluators.objective import Objective
from evaluators.pipeline.panel import PanelMember
from evaluators.question import Question
from search.forecast.cost import Basis, JudgeCost, Speed, cost_of, judge_costs
from search.forecast.forecast import Assumptions, Quantity, RunForecast, forecast
from search.forecast.rehearsal import rehearse
from search.forecast.token_length import GUESS, tokens_a_character
from search.forecast.workload import PlannedWork, Surveyor, combined
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.split import HeldOut
from search.prompts.demonstration import Demonstration
from search.prompts.render import UrialRenderer
from search.prompts.urial import BACKTICKS
from search.running.prices import missing_prices, refuse_unknown_prices
from search.strategies.exhaustive_greedy import ExhaustiveGreedy
from search.strategies.random import RandomSearch
from tests.fake_judge import FakeJudge
from workers.usage import Usage

ONE, TWO = Question("1", ("What is it?",)), Question("2", ("What is it?", "And then?"))
PRICED = ServiceConfig(model="m", dollars_per_million_prompt_tokens=10.0, dollars_per_million_new_tokens=30.0)


class TalkingJudge(FakeJudge):
    """Puts its question to a language model, in 40 characters."""

    def messages(self, question: Question, answers: tuple[str, ...]) -> list[dict[str, str]]:
        return [{"role": "user", "content": "x" * 40 + "".join(answers)}]


def work(objective: Objective, judge: Judge, repeats: int = 1, *questions: Question) -> PlannedWork:
    surveyor = Surveyor({one.id: one for one in questions}, objective, [PanelMember(judge, repeats=repeats)])
    shown = [Demonstration("d", "How?", "So.")]
    return surveyor.work(UrialRenderer(BACKTICKS), "rules", shown, [one.id for one in questions])


def test_every_turn_is_answered_and_those_that_count_are_judged() -> None:
    counted = work(Objective((0.0, 1.0)), TalkingJudge(), 3, ONE, TWO)
    assert counted.generations == 3
    assert counted.earlier == 1
    assert counted.verdicts == (3,)
    assert counted.judge_prompts == (3 * 40,)
    assert counted.judged == (3 * 2,)


def test_the_prompts_are_those_that_the_model_is_sent() -> None:
    block = UrialRenderer(BACKTICKS).block("rules", [Demonstration("d", "How?", "So.")], [("What is it?",)])
    assert work(Objective(), FakeJudge(), 1, ONE).prompts == len(block.prompt(0))


def test_workloads_add_up() -> None:
    one = work(Objective(), TalkingJudge(), 2, ONE)
    assert combined([one, one]) == one.times(2)


def test_a_pairwise_judge_asks_in_both_orders_and_a_metric_calls_nobody() -> None:
    pair = PairwiseJudgeConfig.model_validate({"kind": "pairwise", "rubric_path": "r", "service": PRICED})
    assert [one.calls for one in judge_costs(pair)] == [1, 1]
    assert [one.calls for one in judge_costs(pair.model_copy(update={"swap": False}))] == [1]
    assert [one.calls for one in judge_costs(ReferenceJudgeConfig(kind="reference"))] == [0]
    rubric = {"kind": "rubric", "rubric_path": "r", "service": PRICED, "unreadable_retries": 2, "max_tokens": 9}
    assert judge_costs(RubricJudgeConfig.model_validate(rubric)) == (JudgeCost(1, 3, 9, PRICED),)


def test_tokens_and_dollars_follow_from_lengths_and_prices() -> None:
    load = PlannedWork(generations=10, prompts=4000, earlier=2, verdicts=(20,), judge_prompts=(8000,), judged=(20,))
    basis = Basis(0.25, 0.5, (JudgeCost(1, 1, 100, PRICED),), None)
    cost = cost_of(load, basis, answer=50, verdict_tokens=[30], calls=[1])
    assert (cost.prompt_tokens, cost.new_tokens) == (1000 + 100, 500)
    assert (cost.judge_calls, cost.judge_prompt_tokens, cost.judge_new_tokens) == (20, 4000 + 1000, 600)
    assert cost.dollars == pytest.approx((5000 * 10 + 600 * 30) / 1e6)


LOAD = PlannedWork(generations=100, prompts=40_000, earlier=0, verdicts=(100,), judge_prompts=(4000,), judged=(100,))


def make(pace: Speed, budget: BudgetConfig, gpus: float | None = 2.0) -> RunForecast:
    basis = Basis(0.25, 0.25, (JudgeCost(1, 3, 200, PRICED),), None)
    assumed = Assumptions(basis, pace, max_new_tokens=100, gpus=gpus, unpriced=(), notes=("a note",))
    return forecast(LOAD, LOAD, assumed, budget, Spend(generated=7, judge=Usage(3)))


def rows(made: RunForecast) -> dict[str, Quantity]:
    return {one.name: one for one in made.quantities}


def test_what_depends_on_lengths_nobody_has_measured_is_only_bounded() -> None:
    read = rows(make(Speed(), BudgetConfig()))
    assert (read["generations"].about, read["prompt tokens"].about, read["judge calls"].about) == (100, 10_000, 100)
    for name in ("new tokens", "judge tokens", "dollars", "hours", "GPU hours"):
        assert read[name].about is None
    assert (read["new tokens"].at_most, read["judge calls"].at_most) == (10_000, 300)
    assert read["hours"].at_most is None
    assert "--tokens-per-second or forecast.tokens_per_second, or --like" in read["hours"].note


def test_what_an_earlier_run_has_measured_is_expected_again() -> None:
    earlier = Spend(generated=10, new_tokens=400, judge=Usage(10, 0, 0, 50), seconds=10.0, gpu_seconds=20.0)
    read = rows(make(Speed.of(earlier), BudgetConfig()))
    assert (read["new tokens"].about, read["judge new tokens"].about) == (4000, 500)
    assert read["hours"].about == pytest.approx(100 / 3600)
    assert read["GPU hours"].about == pytest.approx(200 / 3600)
    assert read["dollars"].about == pytest.approx(((1000 + 4000) * 10 + 500 * 30) / 1e6)


@pytest.mark.parametrize(
    ("limits", "name", "prospect"),
    [
        ({"generations": 99}, "generations", "will be reached"),
        ({"generations": 100}, "generations", "is enough"),
        ({"judge_calls": 200}, "judge calls", "may be reached"),
        ({"hours": 1.0}, "hours", "cannot be told"),
        ({}, "generations", None),
    ],
)
def test_each_limit_is_told_its_prospect(limits: dict[str, float], name: str, prospect: str | None) -> None:
    made = make(Speed(), BudgetConfig.model_validate(limits))
    assert rows(made)[name].prospect == prospect
    assert rows(made)["generations"].spent == 7
    assert made.to_json()["notes"] == ["a note"]


SPACE = SearchSpace(("base",), tuple("abcd"), ("q1", "q2"), 0, 2)


def test_a_rehearsal_asks_what_the_search_would_ask() -> None:
    config = RandomConfig(kind="random", max_demonstrations=2, trials=9)
    asked = rehearse(RandomSearch(SPACE, config, 0), SPACE, HeldOut(("h",)), window=3, seconds=60)
    assert asked is not None
    assert len(asked) == 10
    assert asked[Candidate(("base",))].answered == ["h", "q1", "q2"]
    assert sum("h" in questions.answered for questions in asked.values()) == 3


def test_a_rehearsal_that_takes_too_long_tells_nothing() -> None:
    strategy = ExhaustiveGreedy(SPACE, ExhaustiveGreedyConfig(kind="exhaustive_greedy", max_demonstrations=2))
    assert rehearse(strategy, SPACE, HeldOut(("h",)), window=3, seconds=-1) is None


@pytest.mark.heavy
def test_the_tokens_of_a_model_that_is_not_here_are_guessed_and_it_says_so() -> None:
    quickstart = load_config("quickstart")
    rate, said = tokens_a_character(quickstart.model, "what do you call the capital of japan?")
    assert rate != GUESS
    assert "counted" in said
    elsewhere = quickstart.model.model_copy(update={"name": "nobody/has-this"})
    assert tokens_a_character(elsewhere, "a text") == (GUESS, tokens_a_character(elsewhere, "x")[1])
    assert "characters / 4" in tokens_a_character(elsewhere, "x")[1]


def test_a_budget_in_dollars_names_every_price_that_is_missing() -> None:
    judge = "judge={kind: rubric, rubric_path: r.txt, service: {model: m, dollars_per_million_new_tokens: 1}}"
    free = load_config("quickstart", [judge])
    assert missing_prices(free) == ["judge.service.dollars_per_million_prompt_tokens"]
    refuse_unknown_prices(free)
    refuse_unknown_prices(load_config("quickstart", ["budget.dollars=1"]))
    with pytest.raises(InputError, match="dollars_per_million_prompt_tokens"):
        refuse_unknown_prices(load_config("quickstart", [judge, "budget.dollars=1"]))
