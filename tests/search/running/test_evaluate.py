"""Evaluations on the quickstart's real model, in this process."""

import logging
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from configs.errors import InputError, RunStopped
from configs.loading import load_evaluation
from search.results.evaluation_status import EvaluationStatus, read_evaluation
from search.running.evaluate import evaluate

pytestmark = pytest.mark.heavy

QUIET = Console(quiet=True)
SHORT = ["decoding.max_new_tokens=8", "questions.limit=8", "side=all", "questions.split.by_field=null"]


def run(path: Path, *overrides: str, **prompts: str) -> EvaluationStatus:
    return evaluate(load_evaluation("evaluate_quickstart", [*SHORT, *overrides], prompts), path, QUIET)


def test_variants_of_one_model_are_evaluated_with_one_loading_and_a_second_model_is_loaded_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    other = "{name: b, model: {name: configs/quickstart/model, dtype: float32, context_tokens: 500}}"
    status = run(tmp_path / "run", f"variants=[{{name: a}}, {other}, {{name: c, decoding: {{max_new_tokens: 4}}}}]")
    assert [one.name for one in status.results] == ["a", "b", "c"]
    assert {one.n for one in status.results} == {8}
    assert sum(record.getMessage().startswith("loading") for record in caplog.records) == 2
    assert status.spend.generated == 16  # a and b are the same model to whoever asks for an answer
    assert status.results[1].difference is not None
    assert status.results[1].difference.mean == 0


def test_a_second_call_pays_for_nothing_and_another_prompt_under_the_same_name_is_refused(tmp_path: Path) -> None:
    first = run(tmp_path / "run")
    again = run(tmp_path / "run")
    assert again.spend.generated == first.spend.generated
    assert again.results == first.results
    with pytest.raises(InputError, match="variant no prompt, prompt: was"):
        run(tmp_path / "run", **{"no prompt": "configs/quickstart/base_prompt.txt"})
    with pytest.raises(InputError, match="questions: was"):
        run(tmp_path / "run", "questions.limit=7")
    assert read_evaluation(tmp_path / "run").results == first.results
    (tmp_path / "run" / "results.json").write_text('{"categories": {}, "variants": []}')
    with pytest.raises(InputError, match="was written before results had a format version"):
        read_evaluation(tmp_path / "run")
    rewritten = run(tmp_path / "run")
    assert (rewritten.results, rewritten.spend.generated) == (first.results, first.spend.generated)


def test_a_refused_call_leaves_the_evaluation_as_it_was(tmp_path: Path) -> None:
    first = run(tmp_path / "run")
    with pytest.raises(InputError, match="ledger: was"):
        run(tmp_path / "run", f"ledger_path={tmp_path / 'elsewhere'}")
    assert read_evaluation(tmp_path / "run").spend == first.spend


def files(path: Path) -> dict[str, str]:
    """What stands in an evaluation's directory, but for the ledger."""
    return {one.name: one.read_text() for one in path.iterdir() if one.suffix == ".json"}


SERVED = "{name: b, model: {engine: served, context_tokens: 500, service: {model: m, api_key_variable: NO_SUCH_KEY}}}"
REFUSED: dict[str, tuple[list[str], str]] = {
    "another judge": (["judge.metric=rouge_l"], "judge, 1, metric: was"),
    "a judge without a key": (
        ["judge={kind: rubric, rubric_path: RUBRIC, service: {model: m, api_key_variable: NO_SUCH_KEY}}"],
        "NO_SUCH_KEY",
    ),
    "a variant whose model has no key": ([f"variants=[{{name: a}}, {SERVED}]"], "NO_SUCH_KEY"),
    "a variant whose prompt is missing": (["variants=[{name: a}, {name: b, prompt: nowhere.txt}]"], "nowhere"),
    "a variant of another prompt": (
        ["variants=[{name: b}, {name: a, rules: RUBRIC}]"],
        "variant a, prompt: was",
    ),
    "another model": (["model.dtype=bfloat16"], "model of a: was"),
    "a variant whose model cannot be loaded": (
        ["variants=[{name: b, model: {name: configs/quickstart}}, {name: a}]"],
        "configs/quickstart",
    ),
    "a prompt that does not fit": (["model.context_tokens=16"], "the prompt of 'a'"),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evaluations") / "run"
    run(path, "variants=[{name: a}]")
    return path


@pytest.mark.parametrize("what", REFUSED)
def test_a_call_that_is_refused_at_any_stage_leaves_a_finished_evaluation_as_it_was(
    what: str, finished: Path, tmp_path: Path
) -> None:
    (tmp_path / "rubric.txt").write_text("Rate {answer} from 1 to 10: [[n]]")
    before, (overrides, sentence) = files(finished), REFUSED[what]
    with pytest.raises(InputError, match=sentence):
        run(
            finished,
            "variants=[{name: a}]",
            *(one.replace("RUBRIC", str(tmp_path / "rubric.txt")) for one in overrides),
        )
    assert files(finished) == before
    assert read_evaluation(finished).state == "finished"


def test_an_interrupted_second_call_keeps_what_the_first_one_found(tmp_path: Path) -> None:
    first = run(tmp_path / "run", "variants=[{name: a}]")
    two = "variants=[{name: a}, {name: b, rules: configs/quickstart/base_prompt.txt}]"
    with pytest.raises(RunStopped):
        run(tmp_path / "run", two, f"budget.verdicts={first.spend.judged + 3}")
    stopped = read_evaluation(tmp_path / "run")
    assert stopped.state == "stopped"
    assert stopped.results == first.results
    assert [one.name for one in run(tmp_path / "run", two).results] == ["a", "b"]


def test_a_spent_budget_keeps_what_was_paid_for_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    with pytest.raises(RunStopped, match=r"everything is kept: go on with a larger one \(`--set budget\.verdicts="):
        run(tmp_path / "run", "budget.verdicts=5")
    stopped = read_evaluation(tmp_path / "run")
    assert (stopped.state, stopped.spend.judged) == ("stopped", 5)
    assert run(tmp_path / "run").state == "finished"


BAD: dict[str, tuple[list[str], str]] = {
    "a model that cannot be loaded": (["model.name=configs/quickstart"], "configs/quickstart"),
    "a prompt that does not fit": (["model.context_tokens=40"], "the prompt of 'base prompt'"),
    "a missing file": (["variants=[{name: a, prompt: nowhere.txt}]"], "nowhere.txt"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_leaves_nothing_behind(what: str, tmp_path: Path) -> None:
    overrides, sentence = BAD[what]
    with pytest.raises(InputError, match=sentence):
        run(tmp_path / "run", *overrides)
    assert not (tmp_path / "run").exists()


def test_an_evaluation_none_of_whose_prompts_could_be_scored_stops_and_the_same_call_goes_on(tmp_path: Path) -> None:
    (tmp_path / "closed.py").write_text(
        "from pathlib import Path\n"
        "def judge(question, answers):\n"
        "    if not Path(__file__).with_name('nepo'[::-1]).exists():\n"
        "        raise ValueError('not now')\n"
        "    return 5.0\n"
    )
    judge = f"judge={{kind: function, function: 'closed:judge', folder: {tmp_path}}}"
    with pytest.raises(
        RunStopped, match=r"no prompt could be scored; with 'base prompt', 8 of 8 questions failed .*not now"
    ):
        run(tmp_path / "run", judge)
    stopped = read_evaluation(tmp_path / "run")
    assert (stopped.state, stopped.results[0].failed) == ("stopped", 8)
    (tmp_path / "open").touch()
    assert run(tmp_path / "run", judge).spend.generated == stopped.spend.generated


def test_failed_items_are_in_no_mean_and_are_tried_again_by_the_same_call(tmp_path: Path) -> None:
    (tmp_path / "moody.py").write_text(
        "from pathlib import Path\n"
        "def judge(question, answers):\n"
        "    mood = Path(__file__).with_name('dab'[::-1])\n"  # a file named outright would be a part of the judge
        "    if mood.exists() and question.id.endswith(('1', '2')):\n"
        "        raise ValueError('not now')\n"
        "    return len(answers[-1])\n"
    )
    judge: list[Any] = [f"judge={{kind: function, function: 'moody:judge', folder: {tmp_path}}}"]
    lenient = [*judge, "scoring.max_failed_share=0.9", "variants=[{name: a}]"]
    (tmp_path / "bad").touch()
    first = run(tmp_path / "run", *lenient)
    (result,) = first.results
    assert result.failed > 0
    assert result.n + result.failed == 8
    assert [items.count for items in first.failures] == [result.failed]
    assert "not now" in first.failures[0].sample
    (tmp_path / "bad").unlink()
    again = run(tmp_path / "run", *lenient)
    assert again.results[0].n == 8
    assert again.failures == ()
    assert again.spend.generated == first.spend.generated
