"""What DSPy's `Predict.save` writes: rules and demonstrations of `dspy.Predict("query -> answer")`."""

from typing import Any

from search.export.best_prompt import BestPrompt


def dspy_state(best: BestPrompt) -> dict[str, Any]:
    """For `Predict.load`. Rules lose the white space around them."""
    fields = [{"prefix": f"{name.capitalize()}:", "description": f"${{{name}}}"} for name in ("query", "answer")]
    return {
        "traces": [],
        "train": [],
        "demos": [{"query": one.query, "answer": one.answer} for one in best.demonstrations],
        "signature": {"instructions": best.material.rules.strip(), "fields": fields},
        "lm": None,
        "metadata": {"dependency_versions": {}},
    }
