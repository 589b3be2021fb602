"""What an evaluation asks and of whom, in full, so that reports need nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from evaluators.question import Question
from search.problem.material import demonstrations_of, questions_of, rows_of
from search.problem.prompt_variant import PromptVariant
from search.prompts.urial import BasePrompt


@dataclass(frozen=True, slots=True)
class EvaluationMaterial:
    """The questions and prompts of an evaluation, as its run directory keeps them.

    Attributes:
        questions: by id.
        prompts: by variant, in their order.
    """

    questions: Mapping[str, Question]
    prompts: Mapping[str, BasePrompt]

    @classmethod
    def of(cls, questions: Iterable[Question], variants: Iterable[PromptVariant]) -> Self:
        """Material of an evaluation that asks these variants these questions."""
        prompts = {variant.name: BasePrompt(variant.rules, variant.demonstrations) for variant in variants}
        return cls({question.id: question for question in questions}, prompts)

    def to_json(self) -> dict[str, Any]:
        """The content of material.json in the run directory."""
        return {
            "questions": [question.to_json() for question in self.questions.values()],
            "prompts": {
                name: {
                    "rules": prompt.rules,
                    "demonstrations": rows_of(prompt.demonstrations),
                }
                for name, prompt in self.prompts.items()
            },
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`. Raises KeyError, TypeError or ValueError where the content is no material's."""
        return cls(
            questions={question.id: question for question in questions_of(content["questions"])},
            prompts={
                name: BasePrompt(str(prompt["rules"]), demonstrations_of(prompt["demonstrations"]))
                for name, prompt in content["prompts"].items()
            },
        )
