"""`demosearch init`: flags, questions, and a config that can run."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from configs.loading import load_config
from search.cli.app import app
from tests.documents import QUICK, furnish

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working directory: the quickstart's material in several forms."""
    folder = tmp_path_factory.mktemp("init")
    furnish(folder)
    rows = [json.loads(line) for line in (folder / "pool.jsonl").read_text(encoding="utf-8").splitlines()]
    pairs = [(row["query"], row["answer"]) for row in rows]
    messages = [[{"role": "user", "content": q}, {"role": "assistant", "content": a}] for q, a in pairs]
    alpaca = [{"instruction": q, "input": "in a word", "output": a} for q, a in pairs]
    (folder / "messages.jsonl").write_text("".join(json.dumps({"messages": turns}) + "\n" for turns in messages))
    (folder / "alpaca.json").write_text(json.dumps(alpaca))
    (folder / "pool.tsv").write_text("prompt\tcompletion\n" + "".join(f"{q}\t{a}\n" for q, a in pairs))
    (folder / "bare.csv").write_text("question\n" + "".join(f"What is {n} and {n}?\n" for n in range(30)))
    (folder / "fair_judge.py").write_text("def fair(question, answers):\n    return 5.0\n")
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.delenv("OPENAI_API_KEY", raising=False)
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield folder


MODEL = ["--model", str(QUICK / "model")]
GIVEN, BARE = ([*MODEL, "--questions", name] for name in ("questions.jsonl", "bare.csv"))


def init(*words: str, answers: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(app, ["init", *words], input=answers)
    return done.exit_code, done.output + (str(done.exception) if done.exception else "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("alpaca", [*GIVEN, "--pool", "alpaca.json", "--base-prompt", "base_prompt.txt"]),
        ("rubric", [*BARE, "--pool", "pool.tsv", "--judge", "rubric", "--judge-name", "some-judge"]),
        ("gpus", ["--model", "no/where", *GIVEN[2:], "--pool", "messages.jsonl", "--gpus", "4"]),
    ],
)
def test_what_it_writes_passes_the_dry_run_without_a_question(name: str, words: list[str]) -> None:
    code, said = init(f"{name}.yaml", *words)
    assert code == 0, said
    assert "A prompt of this run" in said
    assert f"next: demosearch run {name}.yaml" in said
    load_config(f"{name}.yaml")


def test_it_asks_for_what_is_not_given() -> None:
    code, said = init("asked.yaml", answers=f"{MODEL[1]}\nquestions.jsonl\npool.jsonl\nfunction\nfair_judge:fair\n")
    assert code == 0, said
    assert load_config("asked.yaml").judge.kind == "function"


def test_an_answer_that_cannot_be_used_is_asked_for_again_at_once() -> None:
    answers = f"{MODEL[1]}\nnothing.jsonl\nbare.csv\npool.jsonl\nreference\nfriend\nfunction\nfair_judge:fair\n"
    code, said = init("again.yaml", answers=answers)
    assert code == 0, said
    assert said.count("Error: ") == 3
    assert load_config("again.yaml").judge.kind == "function"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--pool", "pool.jsonl"], "--model is required"),
        ([*GIVEN, "--pool", "pool.jsonl", "--judge", "rubric"], "--judge-name is required"),
        ([*GIVEN, "--pool", "nothing.jsonl"], "nothing.jsonl: there is no such file; check the path"),
        ([*GIVEN, "--pool", "pool.jsonl", "--base-prompt", "no.txt"], "no.txt: cannot be read"),
        ([*BARE, "--pool", "pool.jsonl"], "choose another judge"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(words: list[str], sentence: str) -> None:
    code, said = init("wrong.yaml", *words)
    assert code != 0
    assert sentence in said
    assert not Path("wrong.yaml").exists()
