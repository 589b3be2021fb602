import json
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from huggingface_hub import DatasetCard

from configs.errors import InputError
from search.export.best_prompt import read_best_prompt
from search.export.push import push
from search.prompts.urial import load_base_prompt
from search.report.markup import plain
from search.results.status import read_status
from tests.search.export.scored import CHAT, QUESTIONS, RULES, Scored, held_out, scored

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    return scored(tmp_path_factory.mktemp("run"), "urial_backticks")


@pytest.fixture(scope="module")
def pushed(run: Scored, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pushed") / "data"
    assert push(run.path, folder) is None
    return folder


def rows(folder: Path, name: str, cache: Path) -> list[dict[str, Any]]:
    return list(load_dataset(str(folder), name, split="train", cache_dir=str(cache)))


def test_a_hub_reads_the_card_and_what_it_says_of_the_files(pushed: Path) -> None:
    card = DatasetCard.load(pushed / "README.md")
    assert card.data.tags == ["demosearch", "in-context-learning", "few-shot"]
    assert [one["data_files"] for one in card.data.configs] == ["demonstrations.jsonl", "held_out.jsonl"]
    assert {file.name for file in pushed.iterdir()} == {
        *("README.md", "demonstrations.jsonl", "held_out.jsonl", "prompt.txt", "found.json", "manifest.json")
    }


def test_the_demonstrations_load_as_a_data_set(run: Scored, pushed: Path, tmp_path: Path) -> None:
    loaded = rows(pushed, "demonstrations", tmp_path)
    base = load_base_prompt(pushed / "prompt.txt")
    assert base.rules == RULES
    turns = [turn for row in loaded for turn in zip(row["query"], row["answer"], strict=True)]
    assert turns == [(one.query, one.answer) for one in base.demonstrations]
    assert sorted(len(row["query"]) for row in loaded) == [1] * (len(loaded) - 1) + [2]
    winner = read_status(run.path).winner
    assert winner is not None
    assert tuple(row["id"] for row in loaded) == winner.demonstrations


def test_the_scores_of_held_out_questions_have_the_means_that_status_shows(
    run: Scored, pushed: Path, tmp_path: Path
) -> None:
    loaded, status = rows(pushed, "held_out", tmp_path), read_status(run.path)
    assert status.winner is not None
    assert status.base is not None
    for column, one in (("score", status.winner), ("base_score", status.base)):
        assert one.held_out_score is not None
        mean = sum(row[column] for row in loaded) / len(loaded)
        assert mean == pytest.approx(one.held_out_score.mean)
    assert len(loaded) == len(held_out())


def test_the_card_says_what_the_numbers_are_worth(run: Scored, pushed: Path) -> None:
    text, status = (pushed / "README.md").read_text(), read_status(run.path)
    assert status.winner is not None
    gain = status.winner.held_out_gain
    assert gain is not None
    assert f"{gain.mean:+.2f}" in text
    assert "the search never saw" in text
    assert "overstated by" in text
    assert "report the held-out score" in text
    assert str(run.path.parent) not in text
    assert "| judge | reference chrf, scores from 1 to 10 |" in text


def test_nothing_that_was_asked_on_the_way_is_pushed(pushed: Path) -> None:
    whole = "".join(file.read_text() for file in pushed.iterdir())
    assert not any(json.dumps(question)[1:-1] in whole for question in QUESTIONS[1:3])


def test_a_chat_is_pushed_as_messages(tmp_path: Path) -> None:
    push(scored(tmp_path, "chat", CHAT).path, tmp_path / "pushed")
    chat = json.loads((tmp_path / "pushed" / "chat.json").read_text())
    assert [one["role"] for one in chat["messages"][:3]] == ["system", "user", "assistant"]
    assert not (tmp_path / "pushed" / "prompt.txt").exists()


def test_a_search_that_found_nothing_better_says_so(tmp_path: Path) -> None:
    push(scored(tmp_path, "urial_backticks", enough=100_000).path, tmp_path / "pushed")
    assert "beat the base prompt" in (tmp_path / "pushed" / "README.md").read_text()
    assert not (tmp_path / "pushed" / "demonstrations.jsonl").exists()
    assert [one["config_name"] for one in DatasetCard.load(tmp_path / "pushed" / "README.md").data.configs] == [
        "held_out"
    ]


def test_what_was_found_is_pushed_anyway_and_the_card_says_how_sure_it_is(tmp_path: Path) -> None:
    run = scored(tmp_path, "urial_backticks", enough=100_000)
    push(run.path, tmp_path / "pushed", anyway=True)
    found = json.loads((tmp_path / "pushed" / "found.json").read_text())
    best = read_best_prompt(run.path, anyway=True)
    assert [row["id"] for row in found["demonstrations"]] == [one.id for one in best.demonstrations] != []
    assert found["warning"] == best.warning != ""
    assert f"**Not proven: {plain(best.warning)}.**" in (tmp_path / "pushed" / "README.md").read_text()


def test_a_name_without_an_owner_is_refused_before_anything_is_written(run: Scored, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="use OWNER/NAME"):
        push(run.path, tmp_path / "pushed", upload="demonstrations")
    assert not (tmp_path / "pushed").exists()


def test_pushing_again_replaces_what_was_pushed_and_touches_nothing_else(run: Scored, tmp_path: Path) -> None:
    push(run.path, tmp_path)
    first = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    (tmp_path / "chat.json").write_text("of an earlier push")
    push(run.path, tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == first
    (tmp_path / "diary.txt").write_text("mine")
    (tmp_path / "README.md").write_text("mine too")
    with pytest.raises(InputError, match=r"diary\.txt, which `push` has not written"):
        push(run.path, tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine too"


@pytest.mark.parametrize("name", ["README.md", "prompt.txt", "found.json"])
def test_a_file_of_ones_own_is_not_replaced_for_being_called_like_one_of_a_push(
    name: str, run: Scored, tmp_path: Path
) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match=f"{name}, which `push` has not written"):
        push(run.path, tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {name: "mine"}


def test_nobody_learns_where_on_this_machine_anything_stands(run: Scored, pushed: Path) -> None:
    """The model's tokenizer stands beside the run, and the manifest names it."""
    assert str(run.path.parent) in (run.path / "manifest.json").read_text()
    assert not any(str(run.path.parent) in file.read_text() for file in pushed.iterdir())
    assert "as tokens of model@None" in json.loads((pushed / "manifest.json").read_text())["model"]


def test_a_search_that_has_not_ended_is_pushed_only_if_wanted(tmp_path: Path) -> None:
    path = scored(tmp_path, "urial_backticks").path
    journal = (path / "journal.jsonl").read_text().splitlines(keepends=True)
    (path / "journal.jsonl").write_text(
        "".join(line for line in journal if line.startswith(('{"journal"', '{"search"')))
    )
    (path / "state.json").write_text('{"state": "stopped", "reason": "interrupted"}')
    with pytest.raises(InputError, match="has not ended"):
        push(path, tmp_path / "pushed")
    assert not (tmp_path / "pushed").exists()
    push(path, tmp_path / "pushed", best_so_far=True)
    assert "There is no result yet" in (tmp_path / "pushed" / "README.md").read_text()
    assert not (tmp_path / "pushed" / "held_out.jsonl").exists()


def test_a_folder_without_a_search_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a run directory"):
        push(tmp_path / "run", tmp_path / "pushed")
    assert not (tmp_path / "pushed").exists()


def test_the_card_of_a_run_whose_names_hold_escape_sequences_commands_no_terminal_and_breaks_no_table(
    tmp_path: Path,
) -> None:
    run = scored(tmp_path, "urial_backticks")
    for name, old, new in (
        ("config", '"model": "', '"model": "org/\\u001b[31mred\\u202e`'),
        ("manifest", '"stop": [', '"stop": ["\\n# Query:", "\\u009b2J|", '),
    ):
        file = run.path / f"{name}.json"
        assert file.read_text().count(old) == 1
        file.write_text(file.read_text().replace(old, new))
    push(run.path, tmp_path / "pushed", anyway=True)
    text = (tmp_path / "pushed" / "README.md").read_text()
    assert not set("\x1b\x9b\u202e") & set(text)
    rows = [line for line in text.splitlines() if line.startswith("| stop strings |")]
    assert len(rows) == 1
    assert rows[0].endswith(" |")
