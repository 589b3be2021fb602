"""Searches judged by a model on this machine, with no service at all: from the config to a winner, and once more."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaForSequenceClassification

from configs.errors import RunStopped
from configs.loading import load_config, load_evaluation
from configs.schema.run import RunConfig
from search.results.evaluation_status import read_evaluation
from search.results.status import Status, read_status
from search.running.evaluate import evaluate
from search.running.launch import launch, resume
from tests.tiny_model import random_llama, save

pytestmark = pytest.mark.heavy

QUICK = Path("configs/quickstart").absolute()
PROMPT = Path("tests/golden/alpaca_eval/prompt.txt").absolute()
CHAT = (
    "<s>{% for m in messages %}[{{ m.role }}]\n{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]\n{% endif %}"
)
SMALL = (
    *("pool.limit=4", "questions.limit=12", "questions.split={held_out_share: 0.5}", "window=6"),
    *("decoding.max_new_tokens=12", "workers.kind=local"),
    "strategy={kind: exhaustive_greedy, max_demonstrations: 1, insert: back}",
)


def _config(judge: dict[str, Any], *overrides: str) -> RunConfig:
    return load_config("quickstart", [*SMALL, f"judge={json.dumps(judge)}", *overrides])


def _with_chat(folder: Path) -> Path:
    (folder / "chat_template.jinja").write_text(CHAT, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _with_chat(save(random_llama(context=2048), tmp_path_factory.mktemp("language model")))


@pytest.fixture(scope="module")
def reward_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = random_llama(context=2048).config
    config.num_labels = 1
    torch.manual_seed(0)
    model = LlamaForSequenceClassification(config)  # type: ignore[no-untyped-call]
    return _with_chat(save(model, tmp_path_factory.mktemp("reward model")))


@pytest.fixture(scope="module")
def baselines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Answers of another model, which are the right ones."""
    rows = [json.loads(line) for line in (QUICK / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    path = tmp_path_factory.mktemp("baselines") / "outputs.json"
    outputs = [{"instruction": row["turns"][0], "output": row["reference"][0]} for row in rows]
    path.write_text(json.dumps(outputs), encoding="utf-8")
    return path


def _search_and_resume(config: RunConfig, path: Path) -> Status:
    found = launch(config, path)
    assert (found.state, found.trials, found.failures) == ("finished", 5, ())
    assert found.winner is not None
    assert found.spend.judged > 0
    assert found.spend.judge.prompt_tokens > found.spend.judge.calls == found.spend.judged
    assert found.spend.judge.dollars == 0
    journal = (path / "journal.jsonl").read_bytes()
    again = resume(path)
    assert (again.winner, again.spend.judge, again.spend.judged) == (
        found.winner,
        found.spend.judge,
        found.spend.judged,
    )
    assert (path / "journal.jsonl").read_bytes() == journal
    return found


def test_a_search_by_alpaca_evals_preference_with_a_judge_of_ones_own_finds_a_winner_and_pays_once(
    language_model: Path, baselines: Path, tmp_path: Path
) -> None:
    judge = {"kind": "alpaca_eval", "prompt_path": str(PROMPT), "model": {"name": str(language_model)}}
    found = _search_and_resume(_config(judge, f"questions.baseline_path={baselines}"), tmp_path / "run")
    assert found.winner is not None
    assert found.winner.search_score is not None
    assert 0 < found.winner.search_score.mean < 1


def test_an_evaluation_by_alpaca_evals_judge_says_what_its_leaderboard_would(
    language_model: Path, baselines: Path, tmp_path: Path
) -> None:
    judge = {"kind": "alpaca_eval", "prompt_path": str(PROMPT), "model": {"name": str(language_model)}}
    overrides = ["questions.limit=6", "side=all", f"questions.baseline_path={baselines}", f"judge={json.dumps(judge)}"]
    config = load_evaluation("evaluate_quickstart", [*overrides, "decoding.max_new_tokens=8"])
    status = evaluate(config, tmp_path / "run")
    for place, result in zip(status.places, status.results, strict=True):
        assert result.score is not None
        assert place.win_rate == pytest.approx(100 * result.score.mean)
        assert (place.n, place.length_controlled is None) == (6, bool(place.absent))
    (annotations,) = json.loads((tmp_path / "run" / "annotations-1.json").read_text(encoding="utf-8")).values()
    assert {one["generator_1"] for one in annotations} == {"outputs"}
    assert all(1 <= one["preference"] <= 2 and one["output_2"] for one in annotations)
    assert read_evaluation(tmp_path / "run") == status


def test_a_search_by_a_reward_model_finds_a_winner_and_pays_once(reward_model: Path, tmp_path: Path) -> None:
    judge = {"kind": "reward_model", "model": {"name": str(reward_model)}}
    _search_and_resume(_config(judge), tmp_path / "run")


def test_a_judge_of_ones_own_that_never_rates_stops_the_search_and_its_words_are_kept(
    language_model: Path, tmp_path: Path
) -> None:
    rubric = tmp_path / "rubric.txt"
    rubric.write_text("Rate it from 1 to 10, as [[5]].\n{question}\n{answer}", encoding="utf-8")
    judge = {"kind": "rubric", "rubric_path": str(rubric), "model": {"name": str(language_model)}, "max_tokens": 4}
    with pytest.raises(RunStopped, match="the judge gave no rating"):
        launch(_config(judge).model_copy(update={"window": 1}), tmp_path / "run")  # the base prompt alone
    failed = read_status(tmp_path / "run")
    assert all("gave no rating; it ended with" in str(cause) for cause in failed.failures)
    assert (failed.spend.judged, failed.spend.judge.calls) == (0, failed.spend.failed)
