"""How sure a run's scores make it that a candidate beats the base prompt."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from configs.schema.strategy import ExhaustiveGreedyConfig
from search.bench.landscape import Landscape
from search.bench.landscapes import LANDSCAPES
from search.bench.simulation import simulate
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.statistics.certainty import Certainty
from search.strategies.exhaustive_greedy import ExhaustiveGreedy

SEARCH = tuple(f"q{number}" for number in range(40))
HELD_OUT = tuple(f"h{number}" for number in range(40))
SPACE = SearchSpace(base=("own",), pool=("a", "b", "c", "d"), questions=SEARCH, insert_at=1, max_added=2)
BASE = SPACE.compose(())
FOUND = SPACE.compose(("a", "b"))


def scored(candidate: Candidate, questions: tuple[str, ...], mean: float, seed: int) -> ScoredTrial:
    draw = np.random.default_rng(seed)
    scores = dict(zip(questions, (mean + draw.normal(size=len(questions))).tolist(), strict=True))
    return ScoredTrial(Trial(candidate, questions), scores, {}, float(np.mean([*scores.values()])))


def certainty(search_gain: float, held_out_gain: float) -> float:
    judge = Certainty(SPACE, HELD_OUT)
    for seed, (candidate, gain) in enumerate([(BASE, 0.0), (FOUND, search_gain), (SPACE.compose(("c", "d")), 0.0)]):
        judge.tell(scored(candidate, SEARCH, 6 + gain, seed))
    judge.tell(scored(BASE, HELD_OUT, 6.0, 10))
    judge.tell(scored(FOUND, HELD_OUT, 6.0 + held_out_gain, 11))
    return judge.probability_better(FOUND)


def test_a_gain_that_held_out_questions_confirm_is_sure() -> None:
    assert certainty(1.5, 1.5) > 0.99


def test_a_gain_that_held_out_questions_deny_is_not_sure() -> None:
    assert certainty(0.5, -0.7) < 0.7


def test_held_out_scores_count_beside_those_that_the_search_was_guided_by() -> None:
    assert certainty(0.4, 0.0) < certainty(0.4, 0.4) < certainty(0.4, 0.8)


@pytest.mark.parametrize("use", ["drop", "optional"])
def test_a_base_prompt_that_is_not_kept_is_not_taken_for_no_demonstrations(use: Literal["drop", "optional"]) -> None:
    """Every further demonstration helps, and a base prompt with three of its own beats the best three of the pool."""
    own, others = ("x", "y", "z"), tuple("abcdefgh")
    space = SearchSpace(own, (*own, *others) if use == "optional" else others, SEARCH, 0, 3, base_use=use)
    base, found, judge = space.compose(()), space.compose(("a", "b", "c")), Certainty(space, HELD_OUT)
    judge.tell(scored(base, SEARCH, 8.2, 0))
    judge.tell(scored(base, HELD_OUT, 8.2, 1))
    for start, mean in (((), 6.9), (("a",), 7.4), (("a", "b"), 7.8)):
        for seed, name in enumerate(one for one in others if one not in start):
            judge.tell(scored(space.compose((*start, name)), SEARCH, mean, 10 * len(start) + seed + 2))
    judge.tell(scored(found, HELD_OUT, 7.8, 99))
    assert judge.probability_better(found) < 0.2


def test_another_decoding_is_another_candidate() -> None:
    space = replace(SPACE, decodings=("hot",))
    hot, judge = space.compose(("a", "b"), decoding="hot"), Certainty(space, HELD_OUT)
    told = ((BASE, 6.0), (FOUND, 6.0), (hot, 7.5))
    for seed, (candidate, mean) in enumerate(told):
        judge.tell(scored(candidate, SEARCH, mean, seed))
        judge.tell(scored(candidate, HELD_OUT, mean, 10 + seed))
    assert judge.probability_better(hot) > 0.99
    assert judge.probability_better(FOUND) < 0.9


def test_the_same_choice_in_another_place_is_another_candidate() -> None:
    space = replace(SPACE, vary_position=True)
    front, judge = space.compose(("a", "b"), 0), Certainty(space, HELD_OUT)
    for seed, (candidate, mean) in enumerate(((BASE, 6.0), (FOUND, 6.0), (front, 7.5))):
        judge.tell(scored(candidate, SEARCH, mean, seed))
        judge.tell(scored(candidate, HELD_OUT, mean, 10 + seed))
    assert judge.probability_better(front) > 0.99
    assert judge.probability_better(FOUND) < 0.9


def test_luck_on_search_questions_is_no_evidence() -> None:
    """Effects that no further question shares, and a search that asks every set about every search question."""
    knobs = replace(LANDSCAPES["no_signal"], question_effect_spread=1.0)
    kept = 0
    for seed in range(10):
        landscape = Landscape(knobs, seed, pool=20)
        space = landscape.space(2)
        config = ExhaustiveGreedyConfig(kind="exhaustive_greedy", max_demonstrations=2, stop_without_gain=False)
        kept += simulate(ExhaustiveGreedy(space, config), landscape, space).winner == Candidate(())
    assert kept >= 8


def test_more_questions_than_a_model_can_hold_are_no_trouble() -> None:
    many = tuple(f"q{number}" for number in range(1500))
    judge = Certainty(replace(SPACE, questions=many), HELD_OUT)
    for seed, (candidate, mean) in enumerate(((BASE, 6.0), (FOUND, 7.0))):
        judge.tell(scored(candidate, many, mean, seed))
        judge.tell(scored(candidate, HELD_OUT, mean, 10 + seed))
    assert judge.probability_better(FOUND) > 0.99


def test_nothing_is_known_of_a_candidate_whose_questions_are_none_of_those_that_the_model_holds() -> None:
    many = tuple(f"q{number}" for number in range(1000))
    judge = Certainty(replace(SPACE, questions=many), HELD_OUT)
    judge.tell(scored(BASE, many, 6.0, 0))
    judge.tell(scored(SPACE.compose(("c", "d")), many, 6.0, 1))
    judge.tell(scored(FOUND, many[1:2], 8.0, 2))
    assert judge.probability_better(FOUND) == 0.5
    assert judge.expected_gain(FOUND, 0.95) is None


@pytest.mark.parametrize("gain", [-1e9, 1e9])
def test_held_out_scores_beyond_all_that_the_search_foresees_prove_nothing(gain: float) -> None:
    assert 0.1 < certainty(0.0, gain) < 0.9


def test_nothing_is_known_of_what_was_never_told() -> None:
    judge = Certainty(SPACE, HELD_OUT)
    assert judge.probability_better(FOUND) == 0.5
    judge.tell(scored(BASE, SEARCH, 6.0, 0))
    assert judge.probability_better(FOUND) == 0.5


def test_a_result_without_a_mean_says_nothing() -> None:
    judge = Certainty(SPACE, HELD_OUT)
    judge.tell(scored(BASE, SEARCH, 6.0, 0))
    judge.tell(ScoredTrial(Trial(FOUND, SEARCH), {}, dict.fromkeys(SEARCH, "GenerationFailed"), None))
    assert judge.probability_better(FOUND) == 0.5


@pytest.mark.parametrize("gain", [0.0, 2.0])
def test_scores_without_any_spread_are_no_trouble(gain: float) -> None:
    judge = Certainty(SPACE, HELD_OUT)
    for questions in (SEARCH, HELD_OUT):
        for candidate, score in ((BASE, 5.0), (FOUND, 5.0 + gain)):
            judge.tell(ScoredTrial(Trial(candidate, questions), dict.fromkeys(questions, score), {}, score))
    assert (judge.probability_better(FOUND) > 0.99) is (gain > 0)


def test_the_expected_gain_lies_between_none_and_what_was_measured_of_the_best_of_many() -> None:
    judge = Certainty(SPACE, HELD_OUT)
    judge.tell(scored(BASE, SEARCH, 6.0, 0))
    measured = {}
    for seed, names in enumerate([("a",), ("b",), ("c",), ("d",), ("a", "b"), ("b", "c"), ("c", "d")], 1):
        told = scored(SPACE.compose(names), SEARCH[:8], 6.0, seed)
        judge.tell(told)
        measured[told.trial.candidate] = told.mean
    best = max(measured, key=lambda one: measured[one] or 0.0)
    expected = judge.expected_gain(best, 0.95)
    assert expected is not None
    mean, low, high = expected
    assert low < mean < (measured[best] or 0.0) - 6.0
    assert low < 0 < high
    assert judge.expected_gain(BASE, 0.95) is None


@pytest.mark.parametrize("checked", [True, False])
def test_a_judge_that_grows_milder_is_no_gain(checked: bool) -> None:
    """All candidates are alike; the judge gives 1.5 points more at the end than at the beginning. How far it has moved
    is said where the base prompt was judged again."""
    judge, seed = Certainty(SPACE, HELD_OUT), 0
    judge.tell(scored(BASE, SEARCH, 6.0, seed))
    sets = [SPACE.compose(names) for names in (("a",), ("b",), ("c",), ("d",), ("a", "b"), ("c", "d"))]
    for step in range(1, 61):
        seed, mild = seed + 1, 1.5 * step / 60
        judge.tell(scored(sets[step % 6], SEARCH[(8 * step) % 40 :][:8], 6.0 + mild, seed))
        if checked and step % 12 == 0:
            block = SEARCH[step // 12 * 8 - 8 :][:8]
            told = scored(BASE, block, 6.0 + mild, 100 + seed)
            judge.tell(replace(told, trial=replace(told.trial, again=1)))
    assert (0.6 < judge.drift() < 2.4) if checked else judge.drift() == 0.0
    assert judge.probability_better(FOUND) < 0.9


def test_a_drift_that_scores_hardly_speak_for_is_weighed_by_how_probable_it_is_beforehand() -> None:
    """What is found was asked for late only, under a judge that had grown a little milder: odds of 3.5 to 1 for
    a drift. With the prior of 0.05 halved it were 0.97, doubled 0.92."""
    judge, others = Certainty(SPACE, HELD_OUT), [SPACE.compose(names) for names in (("c",), ("d",), ("c", "d"))]
    judge.tell(scored(BASE, SEARCH, 6.0, 0))
    for step in range(1, 25):
        candidate = FOUND if step > 18 else others[step % 3]
        mean = 6.0 + 0.3 * (candidate == FOUND) + 0.6 * step / 24
        judge.tell(scored(candidate, SEARCH[(8 * step) % 40 :][:8], mean, step))
    assert judge.probability_better(FOUND) == pytest.approx(0.949, abs=0.01)


def test_a_gain_that_does_not_grow_is_no_drift_however_it_was_asked_for() -> None:
    judge = Certainty(SPACE, HELD_OUT)
    sets = [SPACE.compose(names) for names in (("a",), ("b",), ("c",), ("d",), ("c", "d"))]
    for step in range(40):
        block = SEARCH[(8 * step) % 40 :][:8]
        candidate = (BASE, FOUND, sets[step // 5 % 5])[step % 3]
        judge.tell(scored(candidate, block, 6.0 + 1.5 * (candidate == FOUND), step))
    judge.tell(scored(BASE, HELD_OUT, 6.0, 100))
    judge.tell(scored(FOUND, HELD_OUT, 7.0, 101))
    assert judge.probability_better(FOUND) > 0.9


def test_several_verdicts_on_a_candidates_answers_count_as_their_mean_and_are_no_check_for_drift() -> None:
    several, averaged = Certainty(SPACE, HELD_OUT), Certainty(SPACE, HELD_OUT)
    base, third = scored(BASE, SEARCH, 6.0, 0), scored(SPACE.compose(("c", "d")), SEARCH, 6.0, 1)
    verdicts = [scored(FOUND, SEARCH, mean, 2 + again) for again, mean in enumerate((7.5, 6.5, 6.0))]
    means = {name: float(np.mean([verdict.scores[name] for verdict in verdicts])) for name in SEARCH}
    for told in (base, verdicts[0], third):
        several.tell(told)
    several.probability_better(FOUND)
    for again, told in enumerate(verdicts[1:], start=1):
        several.tell(replace(told, trial=replace(told.trial, again=again)))
    for told in (base, replace(verdicts[0], scores=means), third):
        averaged.tell(told)
    assert several.probability_better(FOUND) == averaged.probability_better(FOUND)
    assert several.expected_gain(FOUND, 0.95) == averaged.expected_gain(FOUND, 0.95)
    assert several.drift() == averaged.drift() == 0.0


def test_a_further_verdict_on_an_answer_whose_first_one_failed_counts() -> None:
    judge = Certainty(SPACE, HELD_OUT)
    judge.tell(scored(BASE, SEARCH, 6.0, 0))
    again = scored(FOUND, SEARCH, 8.0, 1)
    judge.tell(replace(again, trial=replace(again.trial, again=1)))
    assert judge.probability_better(FOUND) > 0.9


@pytest.mark.parametrize("checked", [True, False])
def test_a_judge_that_stays_as_it_is_has_no_drift_though_candidates_become_better(checked: bool) -> None:
    judge = Certainty(SPACE, HELD_OUT)
    judge.tell(scored(BASE, SEARCH, 6.0, 0))
    assert judge.drift() == 0.0
    for seed in range(1, 31):
        names = ("a", "b")[: 1 + (seed > 15)]
        block = SEARCH[(8 * seed) % 40 :][:8]
        judge.tell(scored(SPACE.compose(names), block, 6.2 + 0.5 * len(names), seed))
        if checked and seed % 6 == 0:
            told = scored(BASE, block, 6.0, 100 + seed)
            judge.tell(replace(told, trial=replace(told.trial, again=1)))
    assert judge.drift() == 0.0
