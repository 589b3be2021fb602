"""One prompt of a planned run as the model will read it, so that a person can look at it before anything is spent."""

from collections.abc import Iterator
from dataclasses import dataclass

from configs.plural import show_many
from configs.schema.model import AnyModelConfig
from evaluators.question import Question
from search.forecast.token_length import GUESS, local_tokenizer
from search.running.assembly import Plan
from search.running.evaluation_plan import EvaluationPlan
from workers.prompt import PromptBlock

_MOST_LINES, _FIRST_LINES, _LAST_LINES = 40, 14, 20
_MOST_CHARACTERS = 200  # of a line


@dataclass(frozen=True, slots=True)
class PromptExample:
    """One prompt of a run, to be shown before anything is spent.

    Attributes:
        title: what stands in the prompt, in a few words.
        tokens: of the text; an estimate where `is_counted` is false.
    """

    title: str
    text: str
    tokens: int
    is_counted: bool

    def shortened(self) -> Iterator[str]:
        """Lines of the prompt for a screen: the middle of a long prompt and the end of a long line are left out."""
        lines = self.text.split("\n")
        if len(lines) > _MOST_LINES:
            left_out = len(lines) - _FIRST_LINES - _LAST_LINES
            lines[_FIRST_LINES:-_LAST_LINES] = [f"[... {left_out} further lines ...]"]
        for line in lines:
            further = len(line) - _MOST_CHARACTERS
            yield line if further <= 0 else f"{line[:_MOST_CHARACTERS]} [... {further:,} further characters]"


def example_of_search(plan: Plan) -> PromptExample:
    """The base prompt with the first demonstration of the pool where one is added, and the first search question."""
    material, question = plan.material, plan.material.search[0]
    first = plan.space.pool[:1]
    shown = material.shown(plan.space.compose(first))
    block = plan.renderer.block(material.rules, shown, [(question.query,)])
    parts = [show_many(len(shown), "demonstration"), *(f"'{name}' added from the pool" for name in first)]
    return _example(plan.config.model, ", ".join(parts), question, block)


def example_of_evaluation(plan: EvaluationPlan) -> PromptExample:
    """The first variant's prompt with the first question."""
    variant, question = plan.variants[0], plan.questions[0]
    parts = f"'{variant.name}', {show_many(len(variant.demonstrations), 'demonstration')}"
    return _example(variant.model, parts, question, variant.block([question]))


def _example(model: AnyModelConfig, parts: str, question: Question, block: PromptBlock) -> PromptExample:
    text, tokenizer = block.prompt(0), local_tokenizer(model)
    if tokenizer is None:
        tokens = round(len(text) * GUESS)
    else:
        tokens = len(tokenizer(text, add_special_tokens=block.bos, verbose=False)["input_ids"])
    return PromptExample(f"{parts}; question '{question.id}'", text, tokens, tokenizer is not None)
