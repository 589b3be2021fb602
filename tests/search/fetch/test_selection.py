"""Which public files a name stands for, and what the table of them says."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from configs.errors import InputError
from configs.loading import read_presets
from configs.records import read_rows
from configs.text_files import read_text
from search.fetch.selection import presets_by_file, public_files
from tests.shared_data import shared

REAL = {
    "urial.txt": "prompts/urial.txt",
    "urial.plus.best_4.examples.txt": "prompts/urial.plus.best_4.examples.txt",
    "urial.plus.best_4&5.examples.txt": "prompts/urial.plus.best_4&5.examples.txt",
    "urial.plus.best_4&5&6.examples.txt": "prompts/urial.plus.best_4&5&6.examples.txt",
    "mt_bench/question.jsonl": "mt_bench/question.jsonl",
    "mt_bench/reference_answer/gpt-4.jsonl": "mt_bench/reference_answer/gpt-4.jsonl",
    "mt_bench/judge_prompts.jsonl": "mt_bench/judge_prompts.jsonl",
    "alpaca_eval/model_outputs.json": "alpaca_eval/gpt4_1106_preview.model_outputs.json",
    "alpaca_eval/alpaca_eval_clf.txt": "alpaca_eval/alpaca_eval_clf.txt",
    "pool.jsonl": "pools/instruct_skillmix_sda_1000.json",
}
"""Where the real files are among the shared data."""


def paths(*names: str) -> list[str]:
    return [file.path for file in public_files(names)]


def test_a_set_is_its_files_and_all_is_everything() -> None:
    assert paths("mt_bench") == [
        "mt_bench/question.jsonl",
        "mt_bench/reference_answer/gpt-4.jsonl",
        "mt_bench/judge_prompts.jsonl",
    ]
    assert sorted(paths("all")) == sorted(REAL)


def test_a_preset_is_what_it_reads_and_nothing_else() -> None:
    assert paths("urial_alpaca_eval") == [
        "urial.txt",
        "alpaca_eval/model_outputs.json",
        "alpaca_eval/alpaca_eval_clf.txt",
        "pool.jsonl",
    ]
    assert "alpaca_eval/alpaca_eval_clf.txt" not in paths("urial_reward_model")


def test_a_file_of_several_names_is_fetched_once() -> None:
    assert paths("urial", "urial_mt_bench_greedy", "urial").count("urial.txt") == 1


@pytest.mark.parametrize(
    ("name", "hint"),
    [("mtbench", "did you mean 'mt_bench'"), ("quickstart", "choose from "), ("", "choose from urial, ")],
)
def test_an_unknown_name_is_answered_with_those_that_are_known(name: str, hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        public_files([name])


def test_whatever_a_preset_reads_below_data_is_fetched_by_its_name() -> None:
    read_by = presets_by_file()
    for name, values in read_presets().items():
        named = set(re.findall(r"'data/([^']+)'", repr(values)))
        assert named == {path for path, presets in read_by.items() if name in presets}, name


def test_every_file_is_at_a_commit_and_has_checksum_size_and_licence() -> None:
    for file in public_files(["all"]):
        assert re.search(r"^https://[^ ]*/[0-9a-f]{40}/", file.url)
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in (file.sha256, file.written_sha256) if digest)
        assert file.size > 0
        assert file.licence


@pytest.mark.parametrize("path", REAL)
def test_sizes_and_checksums_are_those_of_the_real_files(path: str) -> None:
    content = shared(REAL[path]).read_bytes()
    (file,) = [file for file in public_files(["all"]) if file.path == path]
    assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    if file.written_sha256:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in json.loads(content))
        assert file.written_sha256 == hashlib.sha256(lines.encode()).hexdigest()


def test_a_missing_public_file_is_said_with_the_command_that_brings_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`demosearch fetch all` brings it"):
        read_text(tmp_path / "data" / "mt_bench" / "question.jsonl")
    with pytest.raises(InputError, match="`demosearch fetch all` brings it"):
        read_rows(tmp_path / "data" / "pool.jsonl")
    with pytest.raises(InputError, match="check the path"):
        read_text(tmp_path / "data" / "mine.jsonl")
