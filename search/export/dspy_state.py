"""What DSPy's `Predict.save` writes: rules and demonstrations of `dspy.Predict("query -> answer")`."""

from typing import Any

from search.export.best_prompt import BestPrompt


def dspy_state(best: BestPrompt) -> dict[str, Any]:
    """State for `Predict.load`. Rules lose the white space around them. Each turn is a demonstration of its own, since
    DSPy leaves the history out of demonstrations."""
    fields = [{"prefix": f"{name.capitalize()}:", "description": f"${{{name}}}"} for name in ("query", "answer")]
    return {
        "traces": [],
        "train": [],
        "demos": [
            {"query": query, "answer": answer}
            for demonstration in best.demonstrations
            for query, answer in demonstration.turns
        ],
        "signature": {"instructions": best.material.rules.strip(), "fields": fields},
        "lm": None,
        "metadata": {"dependency_versions": {}},
    }
