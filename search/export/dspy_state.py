"""What DSPy's `Predict.save` writes: rules and demonstrations of `dspy.Predict("query -> answer")`."""

from typing import Any

from search.export.best_prompt import Found


def dspy_state(found: Found) -> dict[str, Any]:
    """For `Predict.load`. Rules lose the white space around them."""
    fields = [{"prefix": f"{name.capitalize()}:", "description": f"${{{name}}}"} for name in ("query", "answer")]
    return {
        "traces": [],
        "train": [],
        "demos": [{"query": one.query, "answer": one.answer} for one in found.demonstrations],
        "signature": {"instructions": found.material.rules.strip(), "fields": fields},
        "lm": None,
        "metadata": {"dependency_versions": {}},
    }
