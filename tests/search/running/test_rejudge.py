import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from configs.errors import InputError, RunStopped
from configs.loading import load_config, load_evaluation, load_rejudge
from configs.schema.rejudge import RejudgeConfig
from evaluators.ledger.queries import read_spend
from search.cli.rejudge_table import rejudge_view
from search.report.findings import find
from search.report.forms.markdown import markdown
from search.results.search_results import read_search_results
from search.results.status import read_status
from search.run_directory.removal import remove_run
from search.run_directory.run import ledger_path, read_config, read_id, read_manifest
from search.running.evaluate import evaluate
from search.running.launch import launch, resume
from search.running.rejudge import Rejudged, rejudge
from tests.search.report.made_evaluation import made_evaluation
from tests.search.view.folder import made_search
from tests.service_server import Reaction, ServiceServer, rate, rating_of, says, sends

pytestmark = pytest.mark.heavy

QUIET = Console(quiet=True)
PRICES = "dollars_per_million_prompt_tokens: 1, dollars_per_million_new_tokens: 1"


def _service(server: ServiceServer, model: str) -> str:
    return f"{{model: {model}, base_url: '{server.base_url}', api_key_variable: null, max_retries: 0, {PRICES}}}"


def _searched(server: ServiceServer, folder: Path, *overrides: str) -> Path:
    (folder / "rubric.txt").write_text("Rate from 1 to 10.\n{question}\n{answer}\n")
    config = load_config(
        "quickstart",
        [
            *("workers.kind=local", "pool.limit=4", "questions.limit=24", "decoding.max_new_tokens=16", "window=3"),
            "strategy={kind: random, trials: 4, max_demonstrations: 2, insert: back}",
            f"model={{engine: served, server: openai, context_tokens: 4096, service: {_service(server, 'gen')}}}",
            "model.warm_prefix=false",
            f"judge={{kind: rubric, rubric_path: {folder / 'rubric.txt'}, service: {_service(server, 'old')}}}",
            *overrides,
        ],
    )
    launch(config, folder / "run", QUIET)
    return folder / "run"


def _judge(server: ServiceServer, folder: Path) -> RejudgeConfig:
    judge = f"{{kind: rubric, rubric_path: rubric.txt, service: {_service(server, 'new')}}}"
    (folder / "judge.yaml").write_text(f"judge: {judge}\nseed: 7 # as in a search's config\n")
    return load_rejudge(folder / "judge.yaml")


def _one_point_milder(request: dict[str, Any]) -> Reaction:
    if request["model"] != "new":
        return rate()
    return says(f"Rating: [[{min(10, rating_of(request) + 1)}]]")


def test_stored_answers_are_judged_anew_for_the_price_of_verdicts_alone_and_once(tmp_path: Path) -> None:
    with ServiceServer(_one_point_milder) as server:
        path = _searched(server, tmp_path)
        before, journal = read_status(path), (path / "journal.jsonl").read_bytes()
        asked = len(server.requests)
        done = rejudge(path, _judge(server, tmp_path))
        new = server.requests[asked:]
        assert new
        assert {request["model"] for request in new} == {"new"}
        assert done.spend.judged == len(new)
        again = rejudge(path, _judge(server, tmp_path)).to_json()
        dollars = done.to_json()["dollars"]
        assert again == done.to_json() | {"dollars": pytest.approx(dollars)}  # summed in another order
        assert len(server.requests) == asked + len(new)
    assert read_status(path).to_json() == before.to_json()
    assert (path / "journal.jsonl").read_bytes() == journal
    assert read_spend(ledger_path(path, read_config(path)), read_id(path)) == before.spend


WAITING = """
from pathlib import Path

def score(question, answer, points=5.0):
    gate = Path(__file__).parent / "-".join(["the", "gate"])
    if gate.exists():
        gate.read_text()
    return points
"""


def test_of_two_who_have_the_same_judge_score_a_run_one_does_so_while_other_judges_may_and_nobody_removes_it(
    tmp_path: Path,
) -> None:
    path, gate = made_search(tmp_path / "run", "a"), tmp_path / "the-gate"
    (tmp_path / "waiting.py").write_text(WAITING)
    os.mkfifo(gate)

    def judged(points: float) -> Rejudged:
        options = f"options: {{points: {points}}}, max_in_flight: 1"
        judge = f"judge: {{kind: function, function: 'waiting:score', folder: {tmp_path}, {options}}}"
        (tmp_path / f"judge{points}.yaml").write_text(judge)
        return rejudge(path, load_rejudge(tmp_path / f"judge{points}.yaml"))

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(judged, 5.0)
        with gate.open("w"):  # once the first one reads, until this is closed
            gate.unlink()
            with pytest.raises(InputError, match="another process has this judge judge the answers of this run"):
                judged(5.0)
            assert judged(6.0).spend.judged > 0
            with pytest.raises(InputError, match="another process judges the answers of"):
                remove_run(path)
        assert first.result().spend.judged > 0
    assert not [*path.glob("*.judging-*")]


def test_a_run_whose_ledger_lies_elsewhere_is_judged_anew_without_any_file_in_its_directory(tmp_path: Path) -> None:
    path, ledger = made_search(tmp_path / "run", "a"), tmp_path / "elsewhere.sqlite"
    (path / "ledger.sqlite").rename(ledger)
    config = json.loads((path / "config.json").read_text())
    config["config"]["ledger_path"] = str(ledger)
    (path / "config.json").write_text(json.dumps(config))
    (tmp_path / "looking.py").write_text(
        f"import os\ndef score(question, answer):\n    assert sorted(os.listdir({str(path)!r})) == "
        f"{sorted(file.name for file in path.iterdir())}\n    return 5.0\n"
    )
    judge = f"judge: {{kind: function, function: 'looking:score', folder: {tmp_path}}}"
    (tmp_path / "judge.yaml").write_text(judge)
    done = rejudge(path, load_rejudge(tmp_path / "judge.yaml"))
    assert (done.failed, done.spend.judged > 0) == (0, True)


def test_the_bridge_shows_shift_agreement_and_gains_under_both_judges(tmp_path: Path) -> None:
    with ServiceServer(_one_point_milder) as server:
        path = _searched(server, tmp_path)
        told = json.loads(json.dumps(rejudge(path, _judge(server, tmp_path)).to_json()))
    (search, *_) = told["sides"]
    assert search["side"] == "search"
    assert 0.5 < search["shift"]["mean"] <= 1
    assert 0.5 < search["krippendorff_alpha"]["value"] < 1
    base, *others = search["prompts"]
    assert base["gain_now"] is None
    for prompt in others:
        assert prompt["gain_before"]["n"] == prompt["gain_now"]["n"] > 0
    assert all(prompt["now"]["mean"] > prompt["before"]["mean"] for prompt in search["prompts"])


def test_what_the_new_judge_cannot_score_is_in_no_mean_and_tried_again_as_is_said(tmp_path: Path) -> None:
    silent = True

    def silent_at_times(request: dict[str, Any]) -> Reaction:
        return says("No comment.") if silent and request["model"] == "new" and rating_of(request) < 4 else rate()

    with ServiceServer(silent_at_times) as server:
        path = _searched(server, tmp_path)
        done = rejudge(path, _judge(server, tmp_path), tmp_path / "next")
        silent, asked = False, len(server.requests)
        assert rejudge(path, _judge(server, tmp_path)).failed == 0
        assert 0 < len(server.requests) - asked <= done.failed
    for has_successor, again in ((True, "the same command without --run-dir tries"), (False, "the same command tries")):
        with (shown := Console(width=200)).capture() as capture:
            shown.print(rejudge_view(done, has_successor=has_successor))
        assert f"{again} them again" in capture.get()
    assert done.failed == sum(items.count for items in done.failures) > 0
    assert "No comment." in str(done.to_json()["failures"])
    for side in done.sides:
        assert side.shift.mean == 0
        assert side.alpha.value == pytest.approx(1)


def test_a_judge_that_scores_nothing_is_stopped_before_every_answer_is_paid_for_and_no_search_goes_on_under_it(
    tmp_path: Path,
) -> None:
    login = sends(b"<html>log in first</html>", "text/html")
    with ServiceServer(lambda request: login if request["model"] == "new" else rate()) as server:
        path = _searched(server, tmp_path)
        asked = len(server.requests)
        with pytest.raises(RunStopped, match=r"has scored none of 20 answers .*a web page .*: correct it, then"):
            rejudge(path, _judge(server, tmp_path), tmp_path / "next")
        assert len(server.requests) - asked < read_status(path).spend.judged
    assert not (tmp_path / "next").exists()


def test_a_judge_that_scores_no_answer_of_the_first_prompt_scores_those_of_the_others(tmp_path: Path) -> None:
    questions = {f"q{number}": "" for number in range(30)}
    path = made_evaluation(tmp_path / "run", questions, ("plain", "rich"), lambda *_: 2.0)
    (tmp_path / "choosy.py").write_text(
        "async def score(question, answers):\n    assert not answers[-1].startswith('plain')\n    return 5.0\n"
    )
    (tmp_path / "judge.yaml").write_text(f"judge: {{kind: function, function: 'choosy:score', folder: {tmp_path}}}")
    done = rejudge(path, load_rejudge(tmp_path / "judge.yaml"))
    assert (done.failed, done.spend.judged) == (30, 30)


def test_a_run_without_answers_is_said(tmp_path: Path) -> None:
    with ServiceServer() as server:
        (tmp_path / "rubric.txt").write_text("Rate.\n{question}\n{answer}\n")
        with pytest.raises(InputError, match="run directory"):
            rejudge(tmp_path / "nothing", _judge(server, tmp_path))


def test_a_search_goes_on_under_the_new_judge_and_pays_only_for_what_the_first_has_not_tried(tmp_path: Path) -> None:
    with ServiceServer(_one_point_milder) as server:
        path, successor = _searched(server, tmp_path), tmp_path / "next"
        rejudge(path, _judge(server, tmp_path), successor)
        assert read_status(successor).state == "stopped"
        asked = len(server.requests)
        status = resume(successor, QUIET)
        assert server.requests[asked:] == []  # a random search tries the same candidates under any judge
    first = read_status(path)
    assert (status.state, status.trials, status.spend.generated) == ("finished", first.trials, 0)
    assert status.base is not None
    assert first.base is not None
    assert status.base.search_score is not None
    assert first.base.search_score is not None
    assert 0.5 < status.base.search_score.mean - first.base.search_score.mean <= 1
    assert read_manifest(successor)["succeeds"]["run"] == read_id(path)
    assert status.succeeds == str(path)
    assert "under another judge" in markdown(find(read_search_results(successor)))


def test_a_search_whose_demonstrations_have_changed_does_not_go_on_under_another_judge(tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    rows = (Path("configs") / "quickstart" / "pool.jsonl").read_text().splitlines()[:4]
    pool.write_text("\n".join(rows))
    with ServiceServer(_one_point_milder) as server:
        path = _searched(server, tmp_path, f"pool.path={pool}")
        pool.write_text("\n".join(reversed(rows)).replace(" the ", " this "))
        asked = len(server.requests)
        with pytest.raises(InputError, match="pool changed since"):
            rejudge(path, _judge(server, tmp_path), tmp_path / "next")
        with pytest.raises(InputError, match="is not empty"):
            rejudge(path, _judge(server, tmp_path), path)
        assert len(server.requests) == asked
    assert not (tmp_path / "next").exists()


def test_an_evaluation_is_judged_anew_too_and_its_variants_are_held_against_the_first(tmp_path: Path) -> None:
    (tmp_path / "rubric.txt").write_text("Rate from 1 to 10.\n{question}\n{answer}\n")
    with ServiceServer(_one_point_milder) as server:
        judge = f"{{kind: rubric, rubric_path: {tmp_path / 'rubric.txt'}, service: {_service(server, 'old')}}}"
        settings = ["decoding.max_new_tokens=8", "questions.limit=8", "side=all", "questions.split.by_field=null"]
        prompt = Path("configs") / "quickstart" / "base_prompt.txt"
        variants = "variants=[{name: all, prompt: PROMPT}, {name: one, prompt: PROMPT, max_demonstrations: 1}]"
        settings += [f"judge={judge}", variants.replace("PROMPT", str(prompt))]
        evaluate(load_evaluation("evaluate_quickstart", settings), tmp_path / "run", QUIET)
        asked = len(server.requests)
        done = rejudge(tmp_path / "run", _judge(server, tmp_path))
        assert {request["model"] for request in server.requests[asked:]} == {"new"}
        with pytest.raises(InputError, match="leave --run-dir out"):
            rejudge(tmp_path / "run", _judge(server, tmp_path), tmp_path / "next")
    (side,) = done.sides
    assert (side.side, side.answers) == ("all", 16)
    assert [prompt.name for prompt in side.prompts] == ["all", "one"]
    assert side.prompts[0].now_gain is None
    assert side.prompts[1].now_gain is not None
    assert 0.5 < side.shift.mean <= 1


def test_a_judge_function_that_changes_the_working_directory_leads_nothing_astray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ServiceServer(_one_point_milder) as server:
        _searched(server, tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("elsewhere").mkdir()
    Path("wandering.py").write_text(
        f"import os\ndef score(question, answer):\n    os.chdir({str(tmp_path / 'elsewhere')!r})\n    return 5.0\n"
    )
    Path("judge.yaml").write_text("judge: {kind: function, function: 'wandering:score', folder: .}\n")
    rejudge(Path("run"), load_rejudge("judge.yaml"), Path("next"))
    assert Path.cwd() == tmp_path / "elsewhere"
    assert not [*Path.cwd().iterdir()]
    assert read_manifest(tmp_path / "run")
    assert read_config(tmp_path / "next").judge.kind == "function"
