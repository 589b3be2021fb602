"""The commands, as a user types them, on the quickstart's real model."""

import json
from pathlib import Path
from typing import Any

import pytest

from configs.loading import load_evaluation
from search.cli.export_commands import export_formats
from search.prompts.render import UrialRenderer
from search.prompts.urial import BACKTICKS, load_base_prompt
from search.run_directory.journal import read_journal
from search.run_directory.records import TrialRecord
from search.run_directory.run import Run
from tests.command_line import demosearch
from tests.service_server import ServiceServer, error, says

pytestmark = pytest.mark.heavy

QUICK = Path("configs/quickstart").absolute()
SMALL = [
    *("--set", "workers.kind=local", "--set", "pool.limit=6", "--set", "window=4"),
    *("--set", "decoding.max_new_tokens=24"),
    *("--set", "strategy={kind: optuna, trials: 9, max_demonstrations: 2, insert: back, block: 32}"),
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "small"
    done = demosearch("run", "quickstart", "--run-dir", str(path), *SMALL)
    assert done.returncode == 0, done.stderr
    assert "On questions the search never saw" in done.stdout
    return path


def status(path: Path) -> dict[str, Any]:
    done = demosearch("status", str(path), "--json")
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def test_a_finished_run_shows_scores_with_intervals_and_what_was_paid(finished: Path) -> None:
    read = status(finished)
    assert read["state"] == "finished"
    assert read["failed"] == 0
    assert read["generated"] > read["judged"] > 0
    records = [record for record in read_journal(finished / "journal.jsonl") if isinstance(record, TrialRecord)]
    assert read["trials"] == sum(record.side == "search" for record in records) >= 10
    for score in (read["search_score"], read["held_out_score"], read["base"]["search_score"]):
        assert score["low"] <= score["mean"] <= score["high"]
    assert read["held_out_score"]["n"] == 48
    assert read["search_score"]["mean"] >= read["base"]["search_score"]["mean"]


def test_status_for_people_says_the_same(finished: Path) -> None:
    done = demosearch("status", str(finished))
    assert "finished" in done.stdout
    assert f"{status(finished)['held_out_score']['mean']:.2f}" in done.stdout


def test_resuming_a_finished_run_pays_for_nothing(finished: Path) -> None:
    before, journal = status(finished), (finished / "journal.jsonl").read_bytes()
    assert demosearch("resume", str(finished)).returncode == 0
    assert status(finished) == before
    assert (finished / "journal.jsonl").read_bytes() == journal


def test_workers_may_change_between_start_and_resume_but_the_search_may_not(finished: Path) -> None:
    assert demosearch("resume", str(finished), "--set", "workers.block_size=7").returncode == 0
    refused = demosearch("resume", str(finished), "--set", "seed=1", "--set", "strategy.trials=8")
    assert refused.returncode == 2
    assert "seed: was 0, is 1" in refused.stderr


def test_winners_beside_their_search_are_compared_for_nothing(finished: Path) -> None:
    path = finished.parent / "compared"
    done = demosearch(
        "evaluate", "--from", str(finished), "--run-dir", str(path), "--set", "workers.kind=local", "--json"
    )
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert (read["generated"], read["judged"]) == (0, 0)
    base, winner = read["variants"]
    assert base["score"]["mean"] == status(finished)["base"]["held_out_score"]["mean"]
    assert winner["score"]["mean"] == status(finished)["held_out_score"]["mean"]


def test_an_exported_prompt_is_a_base_prompt_again_token_for_token(finished: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer  # noqa: PLC0415 -- heavy

    assert demosearch("export", str(finished), "-o", str(tmp_path / "best.txt")).returncode == 0
    record = json.loads(demosearch("export", str(finished), "--format", "json").stdout)
    exported = (tmp_path / "best.txt").read_text()
    base = load_base_prompt(tmp_path / "best.txt")
    block = UrialRenderer(BACKTICKS).block(base.rules, base.demonstrations, [("What now?",)])
    assert [one.query for one in base.demonstrations] == [one["query"] for one in record["demonstrations"]]
    tokenizer = AutoTokenizer.from_pretrained(QUICK / "model")
    assert tokenizer(block.prefix)["input_ids"] == tokenizer(exported)["input_ids"]
    assert exported == record["prefix"] == block.prefix


def test_an_export_says_where_it_comes_from(finished: Path) -> None:
    record = json.loads(demosearch("export", str(finished), "--format", "json").stdout)
    read = status(finished)
    assert [one["id"] for one in record["demonstrations"]] == read["winner"]
    assert record["scores"]["held_out_score"] == read["held_out_score"]
    assert "transformers" in record["provenance"]["model"]


def test_a_report_tells_what_status_tells_and_needs_no_network(finished: Path, tmp_path: Path) -> None:
    read, page, text = status(finished), tmp_path / "report.html", tmp_path / "report.md"
    assert demosearch("report", str(finished), "--output", str(page)).returncode == 0
    assert demosearch("report", str(finished), "--format", "md", "-o", str(text)).returncode == 0
    gain = f"{read['held_out_gain']['mean']:+.2f}".replace("-", "−")
    assert f"{gain} points (95 % interval" in page.read_text()
    assert f"{gain} points (95 % interval" in text.read_text()
    assert "default-src 'none'" in page.read_text()
    assert status(finished) == read


def test_exported_messages_are_a_chat_of_the_same_demonstrations(finished: Path) -> None:
    chat = json.loads(demosearch("export", str(finished), "--format", "messages").stdout)
    record = json.loads(demosearch("export", str(finished), "--format", "json").stdout)
    spoken = [text for one in record["demonstrations"] for text in (one["query"], one["answer"])]
    assert [message["content"] for message in chat] == [record["rules"], *spoken]
    assert [message["role"] for message in chat[:3]] == ["system", "user", "assistant"]


def test_whoever_exports_a_chat_of_a_completed_prompt_is_told_when_the_scores_hold(finished: Path) -> None:
    assert "--format chat_template" in demosearch("export", str(finished), "--format", "messages").stderr
    assert "note" not in demosearch("export", str(finished), "--format", "vllm").stderr


def test_the_help_of_export_has_a_line_for_every_format() -> None:
    shown = demosearch("export", "--help").stdout
    lines = [line.strip(" •│") for line in shown.splitlines()]
    assert all(any(line.startswith(f"{form}: ") for line in lines) for form in export_formats())


def test_a_run_started_from_its_own_export_takes_it_as_the_base(finished: Path, tmp_path: Path) -> None:
    demosearch("export", str(finished), "-o", str(tmp_path / "best.txt"))
    overrides = [*SMALL, "--set", f"base_prompt.path={tmp_path / 'best.txt'}", "--set", "strategy.trials=1"]
    again = demosearch("run", "quickstart", "--run-dir", str(tmp_path / "again"), *overrides)
    assert again.returncode == 0, again.stderr
    before, after = status(finished), status(tmp_path / "again")
    assert after["base"]["search_score"] == before["search_score"]


BAD = {
    "a missing pool": (["pool.path=nowhere.jsonl"], "nowhere.jsonl"),
    "an unknown model": (["model.name=no/such-model"], "no/such-model"),
    "a knob with a typo": (["strategy.max_demonstration=3"], "did you mean `strategy.max_demonstrations`?"),
    "a value out of range": (["decoding.temperature=-1"], "decoding.temperature"),
    "a context too small": (["model.context_tokens=64"], "context of 64"),
    "an impossible insert": (["strategy.insert=9"], "the base prompt has 3 of its own"),
    "a judge without its prompts": (
        ["judge={kind: mt_bench, prompts_path: none.jsonl, service: {model: m, api_key_variable: null}}"],
        "none.jsonl",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_gets_one_sentence_and_spends_nothing(what: str, tmp_path: Path) -> None:
    overrides, sentence = BAD[what]
    words = [word for override in overrides for word in ("--set", override)]
    path = tmp_path / "run"
    done = demosearch("run", "quickstart", "--run-dir", str(path), *SMALL, *words)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not path.exists()


def test_a_malformed_line_is_named_by_its_number(tmp_path: Path) -> None:
    lines = (QUICK / "pool.jsonl").read_text().splitlines()
    lines[16] = '{"query": "half a line'
    (tmp_path / "pool.jsonl").write_text("\n".join(lines))
    done = demosearch("run", "quickstart", "--set", f"pool.path={tmp_path / 'pool.jsonl'}", *SMALL[2:])
    assert done.returncode == 2
    assert "line 17" in done.stderr


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (QUICK / "questions.jsonl").read_text().splitlines()]
    search = [json.dumps(row) for row in rows if row["split"] == "search"]
    (tmp_path / "questions.jsonl").write_text("\n".join(search))
    done = demosearch("run", "quickstart", "--set", f"questions.path={tmp_path / 'questions.jsonl'}", *SMALL)
    assert done.returncode == 2
    assert "held" in done.stderr


@pytest.mark.parametrize("command", [["resume"], ["status"], ["export"], ["report"]])
def test_a_directory_that_is_no_run_is_refused(command: list[str], tmp_path: Path) -> None:
    done = demosearch(*command, str(tmp_path))
    assert done.returncode == 2
    assert "is not a run directory" in done.stderr


def judged_by(server: ServiceServer, prompts: Path, more: str = "") -> list[str]:
    plain, reference = "{question} {answer}", "{question} {ref_answer_1} {answer}"
    both = "{question_1} {answer_1} {question_2} {answer_2}"
    templates = {
        "single-v1": plain,
        "single-math-v1": reference,
        "single-v1-multi-turn": both,
        "single-math-v1-multi-turn": both + "{ref_answer_1} {ref_answer_2}",
    }
    shared = {"type": "single", "system_prompt": "You judge.", "output_format": "[[rating]]", "category": "general"}
    rows = [shared | {"name": name, "prompt_template": f"Rate [[n]]: {text}"} for name, text in templates.items()]
    prompts.write_text("\n".join(json.dumps(row) for row in rows))
    service = f"{{model: m, base_url: {server.base_url}, max_retries: 0, max_in_flight: 4{more}}}"
    return ["--set", f"judge={{kind: mt_bench, prompts_path: {prompts}, service: {service}, unreadable_retries: 0}}"]


def test_a_missing_key_is_named_and_nothing_is_spent(tmp_path: Path) -> None:
    with ServiceServer() as server:
        judge = judged_by(server, tmp_path / "prompts.jsonl")
        done = demosearch("run", "quickstart", "--run-dir", str(tmp_path / "run"), *SMALL, *judge)
        assert done.returncode == 2
        assert "OPENAI_API_KEY" in done.stderr
        assert server.requests == []


SECRET = "sk-not-for-anybodys-eyes"


def test_a_refused_key_stops_the_run_and_resume_pays_for_nothing_twice(tmp_path: Path) -> None:
    revoked = True

    def react(_: object) -> Any:
        return error(401, "invalid_api_key") if revoked and len(server.requests) > 40 else says("Rating: [[7]]")

    with ServiceServer(react) as server:
        judge = judged_by(server, tmp_path / "prompts.jsonl")
        path = tmp_path / "run"
        stopped = demosearch("run", "quickstart", "--run-dir", str(path), *SMALL, *judge, OPENAI_API_KEY=SECRET)
        assert stopped.returncode == 3, stopped.stderr
        read = status(path)
        assert read["state"] == "stopped"
        assert 0 < read["judged"] <= 40
        assert demosearch("export", str(path)).returncode == 2
        before, revoked = len(server.requests), False
        resumed = demosearch("resume", str(path), OPENAI_API_KEY=SECRET)
        assert resumed.returncode == 0, resumed.stderr
        assert status(path)["judged"] == read["judged"] + len(server.requests) - before
        kept = b"".join(file.read_bytes() for file in path.rglob("*") if file.is_file())
        assert SECRET not in stopped.stderr + stopped.stdout + resumed.stderr + kept.decode("utf-8", "replace")


def test_a_spent_budget_stops_cleanly_and_a_larger_one_goes_on_along_the_same_path(
    finished: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    stopped = demosearch("run", "quickstart", "--run-dir", str(path), *SMALL, "--set", "budget.verdicts=60")
    assert stopped.returncode == 3, stopped.stderr
    assert "go on with a larger one (`--set budget.verdicts=...`)" in stopped.stderr
    assert f"stopped; go on with `demosearch resume {path}`" in stopped.stderr
    read = status(path)
    assert (read["state"], read["judged"]) == ("stopped", 60)
    assert demosearch("export", str(path), "--best-so-far").stdout
    again = demosearch("resume", str(path), "--set", "budget.generations=1")
    assert again.returncode == 3
    assert "loading" not in again.stderr
    assert demosearch("resume", str(path), "--set", "budget.verdicts=100000").returncode == 0
    assert (path / "journal.jsonl").read_bytes() == (finished / "journal.jsonl").read_bytes()


def test_a_budget_in_dollars_without_prices_is_refused_by_the_names_of_the_knobs(tmp_path: Path) -> None:
    with ServiceServer() as server:
        judge = judged_by(server, tmp_path / "prompts.jsonl")
        words = ["--run-dir", str(tmp_path / "run"), *SMALL, *judge, "--set", "budget.dollars=1"]
        done = demosearch("run", "quickstart", *words, OPENAI_API_KEY="a-key")
    assert done.returncode == 2
    assert "judge.service.dollars_per_million_new_tokens" in done.stderr
    assert server.requests == []


def dry_run(*words: str, **environment: str) -> dict[str, dict[str, Any]]:
    done = demosearch(*words, "--dry-run", "--json", **environment)
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in json.loads(done.stdout)["quantities"]}


def test_a_dry_run_foretells_what_the_search_then_generates(finished: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    rows = dry_run("run", "quickstart", "--run-dir", str(path), *SMALL, "--set", "budget.generations=100")
    assert not path.exists()
    spent = status(finished)
    assert rows["generations"]["about"] == spent["generated"] <= rows["generations"]["at_most"]
    assert rows["generations"]["prospect"] == "will be reached"
    assert rows["prompt tokens"]["about"] == pytest.approx(spent["prompt_tokens"], rel=0.1)
    assert all(row["about"] is not None for row in rows.values())


def test_a_dry_run_like_an_earlier_run_knows_lengths_and_speed(finished: Path) -> None:
    spent, rows = status(finished), dry_run("resume", str(finished))
    assert rows["new tokens"]["about"] == pytest.approx(spent["new_tokens"])
    assert rows["hours"]["about"] == pytest.approx(spent["seconds"] / 3600)
    like = dry_run("run", "quickstart", *SMALL, "--like", str(finished))
    assert like["new tokens"]["about"] == rows["new tokens"]["about"]
    assert like["generations"]["spent"] == 0


def test_a_run_without_failed_items_has_nothing_to_try_again(finished: Path) -> None:
    done = demosearch("retry-failed", str(finished))
    assert done.returncode == 0
    assert "has no failed item" in done.stderr


def test_prompts_of_every_kind_are_compared_with_the_numbers_of_the_search(finished: Path, tmp_path: Path) -> None:
    found, path = tmp_path / "found.json", tmp_path / "compared"
    assert demosearch("export", str(finished), "--format", "json", "-o", str(found)).returncode == 0
    words = ["evaluate", "evaluate_quickstart", "--run-dir", str(path), "--set", "decoding.max_new_tokens=24"]
    first = demosearch(*words, "--json")
    assert first.returncode == 0, first.stderr
    base, nothing, rules = json.loads(first.stdout)["variants"]
    search = status(finished)
    assert base["score"] == search["base"]["held_out_score"]
    assert nothing["difference"]["n"] == rules["n"] == 48
    planned = demosearch(*words, "--prompt", f"found={found}", "--dry-run").stdout
    assert "Of these, 144 answers and " in planned
    assert f"are paid for already (in {tmp_path})." in planned
    grown = demosearch(*words, "--prompt", f"found={found}", "--json")
    assert grown.returncode == 0, grown.stderr
    after = json.loads(grown.stdout)
    winner = after["variants"][-1]
    assert winner["name"] == "found"
    assert winner["score"] == search["held_out_score"]
    assert winner["difference"] == search["held_out_gain"]
    assert after["generated"] == json.loads(first.stdout)["generated"] + 48
    assert "found" in demosearch("status", str(path)).stdout


def test_an_evaluation_and_a_search_are_not_taken_for_one_another(finished: Path) -> None:
    refused = demosearch("evaluate", "evaluate_quickstart", "--run-dir", str(finished))
    assert refused.returncode == 2
    assert "holds a search" in refused.stderr
    assert "another command" in demosearch("run", "evaluate_quickstart").stderr


@pytest.mark.parametrize(
    ("command", "instead"),
    [
        ("resume", "go on with the same `demosearch evaluate` with `--run-dir"),
        ("retry-failed", "tries what failed again"),
        ("export", "export the search that one of them comes from"),
    ],
)
def test_what_is_for_searches_alone_says_what_to_do_with_an_evaluation(
    command: str, instead: str, tmp_path: Path
) -> None:
    Run.create(tmp_path / "run", load_evaluation("evaluate_quickstart")).close()
    refused = demosearch(command, str(tmp_path / "run"))
    assert refused.returncode == 2
    assert instead in refused.stderr.replace("\n", " ")
