"""Every family of models is run in fp32 as `generate` runs it at batch size 1, token for token, or is refused with a
sentence; docs/families.md says how."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from configs.errors import InputError
from configs.schema.model import ModelConfig
from tests.tiny_model import save, tokenizer
from tests.workers.engines.families import FAMILIES
from tests.workers.engines.family import Family, Way, tiny
from tests.workers.engines.reference import generated, in_order, likelihoods
from workers.engines.transformers_engine import TransformersEngine
from workers.prompt import Decoding, PromptBlock

PAGE = Path(__file__).parents[3] / "docs" / "families.md"
FAST = (
    "Llama 3",
    "Mistral 7B v0.1",
    "Gemma 2",
    "Phi-3, Phi-4, longrope",
    "Gemma 3n",
    "GPT-OSS",
    "GPT-J",
    "LFM2",
    "MiniMax-M3",
    "RWKV",
)
WAYS: dict[Way, str] = {
    "shared": "prefix shared",
    "whole": "every prompt whole",
    "alone": "every prompt whole, one at a time",
    "refused": "refused",
}
RULES = "# Query:\n```\nWhich tree grows fastest?\n```\n# Answer:\n```\nThe one that was planted first, 42 é.\n```\n"
BLOCK = PromptBlock(RULES, ("why?", "What is a stop string and why does it end", "x", "Thank you, and ask again! " * 2))
DECODINGS = (Decoding(12), Decoding(9, repetition_penalty=1.2, stop=("e",)))
ANSWERS = ("the tree", "a", "planted first. Thank you", "\n")

each = pytest.mark.parametrize(
    "family",
    [
        pytest.param(family, id=family.name, marks=() if family.name in FAST else (pytest.mark.slow,))
        for family in FAMILIES
    ],
)


def way_of(engine: TransformersEngine) -> Way:
    if engine._tree is not None:
        return "shared"
    return "alone" if engine._capacity.rows == 1 else "whole"


@each
def test_a_family_is_run_exactly_or_refused(family: Family, tmp_path: Path) -> None:
    model = tiny(family)
    folder = save(model, tmp_path)
    config = ModelConfig(name=str(folder), device="cpu", context_tokens=256)
    if family.way == "refused":
        with pytest.raises(InputError, match=r"cannot be continued token by token here: choose another model"):
            TransformersEngine.load(config)
        return
    engine = TransformersEngine.load(config)
    assert way_of(engine) == family.way
    for decoding in DECODINGS:
        expected = [generated(model, BLOCK.prompt(index), decoding) for index in range(len(BLOCK.suffixes))]
        assert in_order(engine, BLOCK, decoding) == expected
    measured = [likelihood.log_probability for likelihood in likelihoods(engine, BLOCK, ANSWERS)]
    assert measured == pytest.approx([alone(model, BLOCK.prompt(i), ANSWERS[i]) for i in range(4)], rel=1e-4, abs=1e-4)


@torch.no_grad()
def alone(model: torch.nn.Module, prompt: str, answer: str) -> float:
    """Log-probability of an answer by one pass over the text up to its last token, which says nothing more."""
    before, whole = tokenizer()([prompt, prompt + answer])["input_ids"]
    if whole[: len(before)] != before:
        whole = before + tokenizer()(answer, add_special_tokens=False)["input_ids"]
    ids = torch.tensor([whole[:-1]])
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits[0].log_softmax(-1)
    return sum(float(logits[at - 1, whole[at]]) for at in range(len(before), len(whole)))


def test_the_page_says_how_each_family_is_run() -> None:
    rows = [f"| {family.name} | `{family.config().model_type}` | {WAYS[family.way]} |" for family in FAMILIES]
    page = PAGE.read_text(encoding="utf-8")
    table = [line for line in page.splitlines() if line.startswith("| ")][2:]
    assert table == rows, "docs/families.md: replace the table's rows by\n" + "\n".join(rows)
