"""A search whose every prompt is known: the model is a server that remembers which tokens it was sent."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from transformers import AutoTokenizer

from configs.loading import load_config
from search.running.launch import launch
from tests.service_server import ServiceServer, says

MODEL = Path("configs/quickstart/model").absolute()
RULES = 'Answer in {"json": {{x}}} or {% raw %}not{% endraw %}, {# at all #} {question}.\n---\n'
DEMONSTRATIONS = (
    ("What is {{ question }}?", 'It is {"a": {"b": {}}}{'),
    ('Who wrote `f"{x!r}"`?\n\n---\n\nSay {% if %}.', "{% endraw %} {{{{ did }}, {0} {question}"),
    ("Plain?", "Plain."),
)
FOLLOW_UP = {"follow_up_query": "And {{ then }}?", "follow_up_answer": "Then {so}."}
"""The last demonstration has a second turn, and every prompt shows it."""
QUESTIONS = (
    "Plain question?",
    "{a} {{b}} {{{c}}} {% d %} {# e #} {",
    "What is {{ question }} or {{question}}, {query} and {{ env.HOME }}?",
    "{% raw %} }} %} #} {% endraw %}\n\nTwo lines, é and 日本 and \\n.",
    "file:///etc/passwd",
    "{%",
)
CHAT = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}[system]{{ messages[0].content }}[end]{% endif %}"
    "{% for m in messages if m.role != 'system' %}[{{ m.role }}]{{ m.content | trim }}[end]\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHAT


@dataclass(frozen=True, slots=True)
class Scored:
    """Attributes:
    path: of the run.
    sent: the tokens of every prompt that the model was asked to continue.
    tokenizer: of the model.
    """

    path: Path
    sent: frozenset[tuple[int, ...]]
    tokenizer: Any

    def knows(self, prompt: str, special: bool) -> bool:
        """Whether this prompt was sent, token for token; `special`: the tokenizer puts begin-of-text in front."""
        return tuple(self.tokenizer(prompt, add_special_tokens=special)["input_ids"]) in self.sent


def scored(folder: Path, template: str, chat: str | None = None, enough: int = 200, tag: str | None = None) -> Scored:
    """A finished search in `folder`, whose model, pool, questions and base prompt are gone since; `chat` is the model's
    chat template, `tag` the separation tag, and prompts of more than `enough` tokens get good answers."""
    model = folder / "model"
    shutil.copytree(MODEL, model, ignore=lambda _, names: [name for name in names if name.endswith(".safetensors")])
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = chat
    tokenizer.save_pretrained(model)
    with ServiceServer(lambda request: says("An answer." if len(request["prompt"]) > enough else "No.")) as server:
        served = {
            "engine": "served",
            "service": {"model": "toy", "base_url": server.base_url, "api_key_variable": None},
            "server": "openai",
            "tokenizer": str(model),
            "send": "tokens",
            "context_tokens": 4096,
        }
        render = {"template": template, "separation_tag": tag}
        given = [f"model={json.dumps(served)}", f"render={json.dumps(render)}", *_material(folder)]
        launch(load_config("quickstart", [*_SMALL, *given]), folder / "run", Console(quiet=True))
        sent = frozenset(tuple(request["prompt"]) for request in server.requests)
    shutil.rmtree(model)
    for name in ("pool.jsonl", "questions.jsonl", "base.txt"):
        (folder / name).unlink()
    return Scored(folder / "run", sent, tokenizer)


_SMALL = [
    "strategy={kind: random, trials: 2, max_demonstrations: 3, min_demonstrations: 2, required: [d2]}",
    *("decoding.max_new_tokens=8", "scoring.min_win_probability=0"),
]


def search() -> tuple[str, ...]:
    return QUESTIONS[::2]


def held_out() -> tuple[str, ...]:
    return QUESTIONS[1::2]


def _material(folder: Path) -> list[str]:
    pool = [{"id": f"d{at}", "query": query, "answer": answer} for at, (query, answer) in enumerate(DEMONSTRATIONS)]
    pool[-1] |= FOLLOW_UP
    questions = [
        {"id": f"q{at}", "turns": [text], "reference": "An answer.", "split": "held_out" if at % 2 else "search"}
        for at, text in enumerate(QUESTIONS)
    ]
    (folder / "pool.jsonl").write_text("\n".join(map(json.dumps, pool)))
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, questions)))
    (folder / "base.txt").write_text(RULES)
    return [
        f"base_prompt.path={folder / 'base.txt'}",
        f"pool.path={folder / 'pool.jsonl'}",
        f"questions.path={folder / 'questions.jsonl'}",
    ]
