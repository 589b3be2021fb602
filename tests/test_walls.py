"""What may be loaded where."""

import subprocess
import sys

import pytest

HEAVY = (
    *("ray", "torch", "transformers", "optuna", "openai", "sacrebleu", "datasets", "vllm", "pandas"),
    *("mlflow", "wandb", "tensorboard"),
)


@pytest.mark.parametrize(
    "module", ["search", "search.cli.app", "search.running.assembly", "evaluators.evaluator", "workers.text_model"]
)
def test_importing_a_room_loads_nothing_heavy(module: str) -> None:
    program = f"import sys, {module}; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
