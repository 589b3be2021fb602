"""What an evaluation asks is kept in full."""

import json

from evaluators.question import Question
from search.prompts.demonstration import Demonstration
from search.prompts.urial import BasePrompt
from search.results.evaluation_material import EvaluationMaterial


def test_material_is_read_as_it_was_written() -> None:
    questions = (Question("q1", ("How?", "Why?"), "maths", ("So.", None), "Thus."), Question("q2", ("What?",)))
    prompts = {"a": BasePrompt("rules\n", (Demonstration("d", "query", "answer"),)), "b": BasePrompt("", ())}
    material = EvaluationMaterial({one.id: one for one in questions}, prompts)
    assert EvaluationMaterial.from_json(json.loads(json.dumps(material.to_json()))) == material
