"""What README and docs show: fenced blocks, the commands in them, links. Files that a block names at its top
(`# search.yaml`) are files of a workspace in which the commands are tried."""

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
QUICK = ROOT / "configs" / "quickstart"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^# ([\w.]+\.\w+)$|^# (Dockerfile)$")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SHELLS = ("sh", "bash")
_WITH_CHAT_TEMPLATE = ("meta-llama/Llama-3.1-8B-Instruct", "Skywork/Skywork-Reward-V2-Llama-3.1-8B")
"""Models of a hub whose template is wanted before anything is loaded."""


@dataclass(frozen=True, slots=True)
class Block:
    """Attributes:
    page, line: where it stands.
    language: as behind the fence; "" for none.
    """

    page: str
    line: int
    language: str
    text: str

    @property
    def file(self) -> str:
        """The name in its first line, or in the second of a script; "" for none."""
        found = _FILE.match(self.text.removeprefix("#!/bin/bash\n").partition("\n")[0])
        return (found[1] or found[2]) if found else ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def fault_rows() -> list[str]:
    """Of the tables of faults in README and docs/faults.md."""
    readme = (
        (ROOT / "README.md").read_text(encoding="utf-8").partition("## When something fails")[2].partition("\n## ")[0]
    )
    text = readme + (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line[:2] == "| " and not line.endswith("| test |")]


def blocks(*languages: str) -> list[Block]:
    """All of these languages, in the order of the pages."""
    return [one for page in PAGES for one in _blocks(page) if not languages or one.language in languages]


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        yield Block(page.name, text.count("\n", 0, found.start()) + 1, found[1], found[2])


def named(file: str) -> Block:
    """The block of this file."""
    (block,) = (one for one in blocks() if one.file == file)
    return block


@dataclass(frozen=True, slots=True)
class Command:
    """One line of a shell: what is set for it alone, and its words."""

    where: str
    environment: dict[str, str]
    words: tuple[str, ...]


def commands() -> list[Command]:
    """Every line of every block of shell, and what the manifest of a cluster starts."""
    found = [command for one in blocks(*_SHELLS) if not one.file for command in _lines(str(one), one.text)]
    entry = yaml.safe_load(named("rayjob.yaml").text)["spec"]["entrypoint"]
    script = re.findall(r"^    search=\((.*)\)$", named("job.sbatch").text, re.MULTILINE)
    return [*found, *_lines("rayjob.yaml", entry), *_lines("job.sbatch", "\n".join(script))]


def _lines(where: str, text: str) -> Iterator[Command]:
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        environment = {}
        while words and re.match(r"^[A-Z_]+=", words[0]):
            name, _, environment[name] = words.pop(0).partition("=")
        if words:
            yield Command(where, environment, tuple(words))


def links() -> list[tuple[str, str]]:
    """Page and target of every link that stays inside the repository."""
    pairs = [(page, target) for page in PAGES for target in _LINK.findall(page.read_text(encoding="utf-8"))]
    return [(str(page), target) for page, target in pairs if "://" not in target]


def furnish(folder: Path) -> None:
    """The files that the pages tell to fetch or to bring, small, and those that they show."""
    for name in ("pool.jsonl", "base_prompt.txt"):
        shutil.copy(QUICK / name, folder / name)
    _write(folder / "questions.jsonl", [_plain(one) for one in _rows("questions.jsonl")])
    data = folder / "data"
    (data / "mt_bench" / "reference_answer").mkdir(parents=True)
    (data / "alpaca_eval").mkdir()
    for name in ("urial", *(f"urial.plus.best_{added}.examples" for added in ("4", "4&5", "4&5&6"))):
        shutil.copy(QUICK / "base_prompt.txt", data / f"{name}.txt")
    shutil.copy(ROOT / "tests/golden/mt_bench/judge_prompts.jsonl", data / "mt_bench")
    shutil.copy(ROOT / "tests/golden/alpaca_eval/prompt.txt", data / "alpaca_eval" / "alpaca_eval_clf.txt")
    pool = [
        {"instruction": row["query"], "output": row["answer"], "query_type": f"kind {at % 16}"}
        for at, row in enumerate(_rows("pool.jsonl"))
    ]
    (folder / "rubric.txt").write_text("{question}\n{answer}\nRate it as [[7]].", encoding="utf-8")
    _write(data / "pool.jsonl", pool)
    _write(data / "mt_bench" / "question.jsonl", _mt_bench())
    _write(data / "mt_bench" / "reference_answer" / "gpt-4.jsonl", _references())
    outputs = [{"instruction": f"Tell me {n} things.", "output": "One. Two."} for n in range(8)]
    (data / "alpaca_eval" / "model_outputs.json").write_text(json.dumps(outputs), encoding="utf-8")
    shutil.copytree(QUICK / "model", folder / "chat-model")
    (folder / "chat-model" / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    for block in blocks():
        if block.file:
            text = re.sub("|".join(_WITH_CHAT_TEMPLATE), "chat-model", block.text)
            (folder / block.file).write_text(text, encoding="utf-8")


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (QUICK / name).read_text(encoding="utf-8").splitlines()]


def _plain(question: dict[str, Any]) -> dict[str, Any]:
    """In the fields that are looked for when a config says nothing."""
    return {"query": question["turns"][0], "category": question["category"], "reference": question["reference"][0]}


def _mt_bench() -> list[dict[str, Any]]:
    """Two questions of each of two categories."""
    said = {81: "writing", 82: "writing", 111: "math", 112: "math"}
    return [
        {"question_id": number, "category": kind, "turns": [f"Question {number}?", "And further?"]}
        for number, kind in said.items()
    ]


def _references() -> list[dict[str, Any]]:
    return [{"question_id": number, "choices": [{"index": 0, "turns": ["One.", "Two."]}]} for number in (111, 112)]


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
