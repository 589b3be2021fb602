"""What a dry run leaves alone."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from configs.errors import InputError
from configs.loading import load_config, load_evaluation, override_config
from search.forecast.dry_run import forecast_evaluation, forecast_run
from search.forecast.example import PromptExample
from search.forecast.experience import Experience
from search.forecast.token_length import local_tokenizer
from search.run_directory.run import read_config
from search.running.assembly import make_plan
from search.running.evaluate import evaluate
from search.running.launch import launch, refuse_to_go_on, resume
from tests.command_line import demosearch
from tests.search.report.made_run import small_run
from tests.service_server import ServiceServer

pytestmark = pytest.mark.heavy
QUIET = Console(quiet=True)


def test_a_dry_run_loads_no_embedding_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sentence_transformers.py").write_text("raise RuntimeError('loaded')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    strategy = "strategy={kind: screening, embedding: some/model, max_demonstrations: 2}"
    generations = forecast_run(load_config("quickstart", [strategy])).quantities[0]
    assert generations.about is not None


def test_a_dry_run_counts_the_prompts_read_for_likelihoods() -> None:
    strategy = "strategy={kind: screening, max_demonstrations: 2, hints: {likelihood_questions: %d}}"
    without, asked = (forecast_run(load_config("quickstart", ["pool.limit=9", strategy % count])) for count in (0, 8))
    read = [{one.name: one.at_most for one in forecast.quantities}["prompt tokens"] for forecast in (without, asked)]
    assert read[0] is not None
    assert read[1] is not None
    assert read[1] > read[0]
    assert [note for note in asked.notes if "80 prompts with reference answers" in note]
    assert asked.quantities[0] == without.quantities[0]


def test_a_dry_run_counts_the_verdicts_of_drift_checks_and_of_a_cheap_judge() -> None:
    strategy = "strategy={kind: screening, max_demonstrations: 2, evaluations: 120, drift_checks: %d}"
    cheap = "judge.screening={kind: reference, metric: rouge_l}"
    plain, checked, screened = (
        forecast_run(load_config("quickstart", ["pool.limit=9", strategy % checks, *more]))
        for checks, more in ((0, []), (1, []), (0, [cheap]))
    )
    about, most = (
        [
            [getattr(row, kind) for row in made.quantities if row.name in {"generations", "verdicts"}]
            for made in (plain, checked, screened)
        ]
        for kind in ("about", "at_most")
    )
    assert about[0][0] == about[0][1]
    assert about[1][1] == about[1][0] + 8
    assert about[2][0] > about[0][0]
    assert most[2][1] == most[2][0] > most[0][0]
    assert [note for note in screened.notes if "are those of judge.screening" in note]


def test_a_dry_run_counts_held_out_questions_of_the_cheap_judge_alone() -> None:
    given = ["pool.limit=9", "strategy={kind: screening, evaluations: 120, screening_judge_answers: 0}"]
    cheap = "judge.screening={kind: reference, metric: rouge_l}"
    without, shared = (
        forecast_run(load_config("quickstart", [*given, cheap, f"judge.screened_held_out_share={share}"]))
        for share in (0, 0.5)
    )
    assert [note for note in shared.notes if "24 of these for judge.screening alone" in note]
    for kind in ("about", "at_most"):
        before, now = (
            {row.name: getattr(row, kind) for row in made.quantities if row.name in {"generations", "verdicts"}}
            for made in (without, shared)
        )
        assert now["generations"] == before["generations"]
        assert now["verdicts"] == before["verdicts"] + 3 * 24


def test_a_dry_run_refuses_a_prompt_that_does_not_fit_as_the_run_does() -> None:
    with pytest.raises(InputError, match=r"the base prompt with the longest question has \d+ tokens"):
        forecast_run(load_config("quickstart", ["model.context_tokens=64"]))


def test_a_dry_run_tells_of_demonstrations_that_no_candidate_can_have(tmp_path: Path) -> None:
    rows = [{"id": "short", "query": "Why?", "answer": "So."}, {"id": "long", "query": "Why? " * 3000, "answer": "So."}]
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    given = [f"pool={{path: {tmp_path / 'pool.jsonl'}, id_field: id}}"]
    (told,) = [note for note in forecast_run(load_config("quickstart", given)).notes if "cannot be read" in note]
    assert "1 demonstration of the pool's 2 (first: long) cannot be read with the longest question" in told
    limited = load_config("quickstart", [*given, "strategy.max_prompt_tokens=500"])
    assert not [note for note in forecast_run(limited).notes if "cannot be read" in note]


def test_a_dry_run_says_of_prompts_that_it_cannot_count_whether_they_seem_too_long() -> None:
    service = "{model: m, base_url: 'http://127.0.0.1:9/v1', api_key_variable: null}"
    served = f"model={{engine: served, server: openai, context_tokens: 64, service: {service}}}"
    notes = forecast_run(load_config("quickstart", [*SHORT, served, "decoding.max_new_tokens=16"])).notes
    assert [
        note for note in notes if re.search(r"has about \d+ tokens .guessed.* context of 64, and then the run", note)
    ]
    with pytest.raises(InputError, match="64 new tokens leave no room in the model's context of 64"):
        forecast_run(load_config("quickstart", [*SHORT, served, "decoding.max_new_tokens=64"]))


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        ("used", "exists and is not empty"),
        ("used/file", "is a file"),
        ("used/file/run", "Not a dir"),
        ("a" * 300, "long"),
    ],
)
def test_a_dry_run_refuses_a_place_that_the_run_refuses(place: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    path, evaluation = tmp_path / place, load_evaluation("evaluate_quickstart")
    for attempt in (
        lambda: forecast_run(load_config("quickstart"), new_at=path),
        lambda: launch(load_config("quickstart"), path),
        lambda: forecast_evaluation(evaluation, new_at=path),
        lambda: evaluate(evaluation, path),
    ):
        with pytest.raises(InputError, match=complaint):
            attempt()


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        ("model={engine: vllm, name: /nowhere/model, command: ['true']}", "/nowhere/model is no folder with a model"),
        ("model.context_tokens=64", "more than the model's context of 64"),
    ],
)
def test_what_an_evaluation_leaves_out_is_a_note_where_it_may_and_is_refused_else(model: str, complaint: str) -> None:
    evaluation = load_evaluation("evaluate_quickstart", [model])
    with pytest.raises(InputError, match=complaint):
        forecast_evaluation(evaluation)
    assert [note for note in forecast_evaluation(evaluation, leave_out=True).notes if complaint in note]


def test_an_evaluation_refuses_a_model_that_is_missing_before_another_one_is_asked(tmp_path: Path) -> None:
    variants = "variants=[{name: here}, {name: gone, model: {engine: vllm, name: /nowhere/m, command: ['true']}}]"
    evaluation = load_evaluation("evaluate_quickstart", [variants])
    for attempt in (lambda: forecast_evaluation(evaluation), lambda: evaluate(evaluation, tmp_path / "run")):
        with pytest.raises(InputError, match=r"/nowhere/m is no folder with a model \(it has"):
            attempt()
    assert not (tmp_path / "run").exists()


def test_a_dry_run_in_the_directory_of_a_search_says_that_it_is_one(tmp_path: Path) -> None:
    made = small_run(tmp_path / "run", lambda *_: 5.0)
    path, spent = str(made.write(ended=False)), "budget.dollars=0.000001"
    done = demosearch("evaluate", "evaluate_quickstart", "--run-dir", path, "--set", spent, "--dry-run")
    assert (done.returncode, "holds a search: choose another --run-dir" in done.stderr) == (2, True)


def test_a_dry_run_of_a_resume_refuses_what_the_resume_refuses(tmp_path: Path) -> None:
    (tmp_path / "rubric.txt").write_text("Rate from 1 to 10.\n{question}\n{answer}\n")
    with ServiceServer() as server:
        service = f"{{model: m, base_url: '{server.base_url}', api_key_variable: null}}"
        served = f"model={{engine: served, server: openai, context_tokens: 4096, service: {service}}}"
        judge = f"judge={{kind: rubric, rubric_path: {tmp_path / 'rubric.txt'}, service: {service}}}"
        few = ("questions.limit=8", "decoding.max_new_tokens=8", "workers.kind=local")
        launch(load_config("quickstart", [*SHORT, served, judge, *few]), tmp_path / "run", QUIET)
        started = read_config(tmp_path / "run")
        for change in ("seed=9", "strategy.trials=4", "judge.max_tokens=9"):
            config = override_config(started, [change])
            with pytest.raises(InputError, match="was started with different settings"):
                forecast_run(config, tmp_path / "run")
            with pytest.raises(InputError, match="was started with different settings"):
                resume(tmp_path / "run", QUIET, config)
        extended = override_config(started, ["strategy.trials=4"])
        assert forecast_run(extended, tmp_path / "run", extends=True).quantities
        refuse_to_go_on(started, tmp_path / "run", pay_again=False)
        (tmp_path / "run" / "ledger.sqlite").unlink()
        refuse_to_go_on(started, tmp_path / "run", pay_again=True)
        with pytest.raises(InputError, match="were paid for and written to it"):
            refuse_to_go_on(started, tmp_path / "run", pay_again=False)


def test_a_dry_run_refuses_a_prompt_that_begins_twice_as_the_run_does(tmp_path: Path) -> None:
    (tmp_path / "base.txt").write_text("<s>Be brief.\n", encoding="utf-8")
    with pytest.raises(InputError, match="begins with <s>, which the tokenizer adds by itself"):
        forecast_run(load_config("quickstart", [f"base_prompt.path={tmp_path}/base.txt"]))


def test_a_dry_run_says_what_was_read() -> None:
    notes = forecast_run(load_config("quickstart", ["pool.limit=8", "strategy={kind: random, trials: 3}"])).notes
    assert any("the pool has 8; 32 questions guide the search and 48 are held out" in note for note in notes)


def test_a_dry_run_counts_every_turn_of_the_demonstrations() -> None:
    given = ["pool.limit=8", "pool.path=configs/quickstart/two_turn_pool.jsonl", "strategy={kind: random, trials: 3}"]
    whole, first = (
        forecast_run(load_config("quickstart", [*given, *more])) for more in ((), ("pool.follow_up_query_field=null",))
    )
    read = [{one.name: one.at_most for one in made.quantities}["prompt tokens"] or 0 for made in (whole, first)]
    assert read[0] > read[1] > 0
    assert any("the pool has 8 (8 of several turns);" in note for note in whole.notes)
    assert any("the pool has 8;" in note for note in first.notes)


SHORT = ("pool.limit=8", "strategy={kind: random, trials: 3, insert: back}")


def test_a_dry_run_shows_one_prompt_as_the_model_will_read_it_with_its_tokens() -> None:
    config = load_config("quickstart", [*SHORT])
    prompt = forecast_run(config).prompt
    assert prompt is not None
    material = make_plan(config, Path("runs")).material
    assert prompt.title.startswith(f"4 demonstrations, '{material.pool[0].id}' added from the pool; question ")
    assert prompt.text.startswith(material.rules)
    for demonstration in (*material.base, material.pool[0]):
        assert demonstration.query in prompt.text
        assert demonstration.answer in prompt.text
    assert material.search[0].query in prompt.text.rpartition("# Query:")[2]
    tokenizer = local_tokenizer(config.model)
    assert (prompt.tokens, prompt.is_counted) == (len(tokenizer(prompt.text)["input_ids"]), True)


def test_tokens_are_estimated_where_the_tokenizer_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    prompt = forecast_run(load_config("quickstart", [*SHORT, "model.name=nobody/nothing"])).prompt
    assert prompt is not None
    assert (prompt.tokens, prompt.is_counted) == (round(len(prompt.text) / 4), False)


def test_a_chat_template_that_cannot_be_had_now_is_spelled_as_a_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    chat = ["render.template=chat", "model.name=nobody/nothing", "questions.limit=8"]
    forecast = forecast_run(load_config("quickstart", [*SHORT, *chat]))
    assert forecast.prompt is not None
    assert forecast.prompt.text.endswith("<|im_end|>\n<|im_start|>assistant\n")
    assert [note for note in forecast.notes if "'nobody/nothing' (model.name) is not on this machine" in note]


def test_what_the_config_expects_fills_a_forecast_and_options_go_before_it() -> None:
    expected = "forecast={answer_tokens: 20, tokens_per_second: 100, gpus: 2}"
    config = load_config("quickstart", [*SHORT, expected])
    read, other = (
        {row.name: row.about for row in forecast_run(config, None, experience).quantities}
        for experience in (Experience(), Experience(answer_tokens=10, tokens_per_second=400))
    )
    answers = read["generations"] or 0
    assert (read["new tokens"], other["new tokens"]) == (20 * answers, 10 * answers)
    assert read["hours"] == pytest.approx((read["new tokens"] or 0) / 100 / 3600)
    assert other["hours"] == pytest.approx((other["new tokens"] or 0) / 400 / 3600)


def test_a_dry_run_of_an_evaluation_says_what_was_read_and_shows_the_first_prompt() -> None:
    forecast = forecast_evaluation(load_evaluation("evaluate_quickstart"))
    assert "3 prompts for 1 model, 48 questions (held-out side)" in forecast.notes
    assert forecast.prompt is not None
    assert forecast.prompt.title.startswith("'base prompt', 3 demonstrations; question ")


def test_what_is_odd_about_the_data_is_a_notice(tmp_path: Path) -> None:
    rows = [{"query": f"Say {n}.", "answer": f"{n}.", "input": "in words"} for n in range(8)]
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = load_config("quickstart", [SHORT[1], f"pool={{path: {tmp_path / 'pool.jsonl'}}}"])
    assert any(note.startswith("notice: ") and "input" in note for note in forecast_run(config).notes)


@settings(max_examples=40)
@given(st.text(alphabet="ab \n\t", max_size=9000))
def test_a_prompt_on_a_screen_is_never_long_and_keeps_its_beginning_and_its_end(text: str) -> None:
    lines = [*PromptExample("", text, 0, False).shortened()]
    whole = text.split("\n")
    assert len(lines) <= 40
    assert max(map(len, lines)) < 260
    assert (lines[0][:200], lines[-1][:200]) == (whole[0][:200], whole[-1][:200])
