"""The likelihood of reference answers behind each demonstration."""

import asyncio
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from configs.errors import InputError, RunStopped
from configs.schema.scoring import BudgetConfig
from evaluators.failures import BudgetSpent
from evaluators.ledger.ledger import Ledger
from evaluators.pipeline.budget import Budget
from evaluators.question import Question
from search.problem.material import Material
from search.problem.space import SearchSpace
from search.prompts.demonstration import Demonstration
from search.prompts.render import UrialRenderer
from search.prompts.urial import BACKTICKS
from search.run_directory.files import Floats
from search.running.likelihood import ReferenceAnswers, asked_for_likelihood
from tests.fakes import FAILS, ScriptedModel, likelihood
from workers.failures import WorkersUnavailable
from workers.usage import NOTHING, Usage

RENDERER = UrialRenderer(BACKTICKS)
FREE = BudgetConfig()
MATERIAL = Material(
    rules="rules",
    base=(Demonstration("base", "query", "answer"),),
    pool=tuple(Demonstration(f"d{n}", f"query {n}", f"answer {n}") for n in range(4)),
    search=tuple(Question(f"q{n}", (f"question {n}",), references=(f"wanted {n} ",)) for n in range(6)),
    held_out=(),
    digests={},
)
SPACE = SearchSpace(("base",), ("d0", "d1", "d2", "d3"), tuple(f"q{n}" for n in range(6)), 1, 2)


def asked(material: Material = MATERIAL, count: int = 3) -> ReferenceAnswers:
    return ReferenceAnswers(SPACE, material, RENDERER, count)


def measured(
    answers: ReferenceAnswers, model: ScriptedModel, folder: Path, limits: BudgetConfig = FREE, spent: Usage = NOTHING
) -> Floats:
    """What is kept lies in a folder of its own, `run`."""

    async def measure() -> Floats:
        ledger = Ledger(folder / "ledger.sqlite", "run")
        ledger.keep_beside(spent)
        budget = Budget(limits, lambda: ledger.spend)
        try:
            return await answers.likelihood(model, await model.start(), folder / "run", budget, ledger)
        finally:
            await ledger.close()

    return asyncio.run(measure())


def with_pool(*pool: Demonstration) -> Material:
    return replace(MATERIAL, pool=pool)


def expected(*names: str) -> float:
    """Of the fake model, a token, over questions 0, 2 and 4 behind these demonstrations."""
    known, values = MATERIAL.demonstrations, []
    for number in (0, 2, 4):
        block = RENDERER.block("rules", [known[name] for name in names], [(f"question {number}",)])
        told = likelihood(block.prompt(0), f"wanted {number}")
        values.append(told.log_probability / told.tokens)
    return fmean(values)


def test_a_demonstration_is_worth_what_it_adds_to_the_mean_log_likelihood_of_a_token(tmp_path: Path) -> None:
    found = measured(asked(), ScriptedModel(), tmp_path)
    gains = [expected("base", name) - expected("base") for name in SPACE.pool]
    assert found == pytest.approx(gains, abs=1e-8)


def test_questions_without_a_reference_are_passed_over_and_the_others_asked_evenly() -> None:
    search = [replace(one, references=(None,)) if one.id == "q1" else one for one in MATERIAL.search]
    assert [one.id for one in asked_for_likelihood(search, 2)] == ["q0", "q3"]
    assert [one.id for one in asked_for_likelihood(search, 99)] == ["q0", "q2", "q3", "q4", "q5"]


def test_questions_without_any_reference_are_refused() -> None:
    nobody = replace(MATERIAL, search=tuple(replace(one, references=(" ",)) for one in MATERIAL.search))
    with pytest.raises(InputError, match=r"likelihood_questions is 3, but no search question has a reference answer"):
        asked(nobody)


def test_a_model_that_cannot_score_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    model = ScriptedModel()
    with pytest.raises(InputError, match=r"cannot compute the likelihood .* leave .*hints.likelihood_questions at 0"):
        measured(asked(replace(MATERIAL, rules=FAILS)), model, tmp_path)
    assert len(model.scored) == 1
    assert not (tmp_path / "run").exists()


def test_what_has_been_kept_is_not_asked_again_and_belongs_to_its_prompts_and_model(tmp_path: Path) -> None:
    first, again, other = ScriptedModel(), ScriptedModel(), ScriptedModel(fingerprint="another model")
    found = measured(asked(), first, tmp_path)
    assert np.array_equal(measured(asked(), again, tmp_path), found)
    assert (len(first.scored), len(again.scored)) == (5, 0)
    measured(asked(), other, tmp_path)
    measured(asked(count=2), again, tmp_path)
    assert (len(other.scored), len(again.scored)) == (5, 5)


def test_a_measurement_that_is_stopped_midway_goes_on_with_what_is_not_known_yet(tmp_path: Path) -> None:
    model, again, answers = ScriptedModel(), ScriptedModel(), 0

    async def die() -> None:
        nonlocal answers
        answers += 1
        if answers == 10:
            raise WorkersUnavailable("no worker is left")

    model.pause = die
    with pytest.raises(RunStopped, match="no worker is left"):
        measured(asked(), model, tmp_path)
    (kept,) = (tmp_path / "run").iterdir()
    unknown = int(np.isnan(np.load(kept)).sum())
    assert 0 < unknown < 5
    found = measured(asked(), again, tmp_path)
    assert len(again.scored) == unknown
    assert found == pytest.approx(measured(asked(), ScriptedModel(), tmp_path / "whole"))


def test_a_failure_that_may_pass_stops_the_run_and_becomes_no_number(tmp_path: Path) -> None:
    material = with_pool(MATERIAL.pool[0], Demonstration("d1", FAILS, "answer"), *MATERIAL.pool[2:])
    with pytest.raises(RunStopped, match=r"could not be computed behind a demonstration .* then go on"):
        measured(asked(material), ScriptedModel(), tmp_path)
    (kept,) = (tmp_path / "run").iterdir()
    assert np.isnan(np.load(kept)[2])


def test_nothing_is_asked_when_the_budget_is_spent(tmp_path: Path) -> None:
    model = ScriptedModel()
    with pytest.raises(BudgetSpent):
        measured(asked(), model, tmp_path, BudgetConfig(dollars=2), Usage(calls=1, dollars=2.0))
    assert not model.scored


def test_a_demonstration_that_is_too_long_counts_as_average(tmp_path: Path) -> None:
    material = with_pool(MATERIAL.pool[0], Demonstration("d1", "word " * 200, "answer"), *MATERIAL.pool[2:])
    found = measured(asked(material), ScriptedModel(context_tokens=100), tmp_path)
    assert found[1] == pytest.approx(fmean(found[[0, 2, 3]].tolist()), abs=1e-8)
    assert found[0] != found[3]


def test_where_no_demonstration_fits_none_is_told_from_another(tmp_path: Path) -> None:
    long = [Demonstration(f"d{n}", "word " * (200 + n), "answer") for n in range(4)]
    assert measured(asked(with_pool(*long)), ScriptedModel(context_tokens=100), tmp_path) == pytest.approx(np.zeros(4))


def test_the_prompts_and_characters_announced_are_those_the_model_reads(tmp_path: Path) -> None:
    answers, model = asked(), ScriptedModel()
    measured(answers, model, tmp_path)
    texts = [block.prompt(index) + text for block, given in model.scored for index, text in enumerate(given.texts)]
    assert (answers.prompts, answers.characters) == (len(texts), sum(map(len, texts)))
