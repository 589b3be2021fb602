"""The golden file is what `Predict.save` of DSPy 3.4.1 wrote of these rules and demonstrations.

With DSPY_PYTHON, the Python of an environment that has DSPy (`pip install dspy==3.4.1`), it loads what we write, too.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from search.export import caveat, written
from tests.search.export.made import made

GOLDEN = Path(__file__).parents[2] / "golden" / "dspy_state.json"
RULES = '\nAnswer in {"json": {{x}}}.\n\nBe brief.\n'
DEMONSTRATIONS = [("What is {a}?\n\nSay.", 'It is {"b": {}}, é.'), ("Plain?", "Plain.")]
PYTHON = os.environ.get("DSPY_PYTHON")
LOAD = """
import json, sys, dspy
predict = dspy.Predict("query -> answer")
predict.load(sys.argv[1])
asked = dspy.ChatAdapter().format(predict.signature, predict.demos, {"query": "What {now}?"})
said = [message["content"] for message in asked]
saved = predict.dump_state()
print(json.dumps({"said": said, "demos": saved["demos"], "instructions": predict.signature.instructions}))
"""


def test_a_state_is_the_one_that_dspy_saves() -> None:
    ours, theirs = json.loads(written(made(RULES, DEMONSTRATIONS), "dspy")), json.loads(GOLDEN.read_text())
    del theirs["metadata"]["dependency_versions"], ours["metadata"]["dependency_versions"]
    assert ours == theirs


def test_whoever_exports_for_dspy_is_told_that_it_spells_prompts_in_its_own_way() -> None:
    assert "DSPy spells its prompts" in caveat(made(RULES, DEMONSTRATIONS), "dspy")


@pytest.mark.skipif(PYTHON is None, reason="DSPY_PYTHON names no environment with DSPy")
def test_dspy_loads_a_state_and_shows_the_model_every_demonstration_in_order(tmp_path: Path) -> None:
    assert PYTHON is not None
    state = tmp_path / "found.json"
    state.write_text(written(made(RULES, DEMONSTRATIONS), "dspy"))
    environment = os.environ | {"DSPY_CACHEDIR": str(tmp_path)}
    command = [PYTHON, "-c", LOAD, str(state)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    loaded = json.loads(done.stdout)
    assert loaded["demos"] == [{"query": query, "answer": answer} for query, answer in DEMONSTRATIONS]
    assert loaded["instructions"] == RULES.strip()
    assert "mismatch" not in done.stderr
    texts = [text for pair in DEMONSTRATIONS for text in pair]
    assert all(text in said for text, said in zip(texts, loaded["said"][1:5], strict=True))
    assert "Be brief." in loaded["said"][0]
    assert "What {now}?" in loaded["said"][5]
