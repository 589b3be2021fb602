"""A prompt as people read it, and as the model read it, from what the run directory keeps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from configs.schema.data import RenderConfig
from evaluators.ledger.queries import knows_prefix
from evaluators.question import Question
from search.problem.material import Material
from search.prompts.demonstration import Demonstration
from search.prompts.render import Renderer, restore_renderer, urial_renderer
from search.results.answers_table import Answer
from search.results.evaluation_results import EvaluationResults, read_evaluation_results
from search.results.search_results import SearchResults, read_search_results
from search.run_directory.run import is_evaluation


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """What a model read before it answered.

    Attributes:
        text: all of it.
        scored: the ledger knows it: it is what was scored, character by character.
    """

    text: str
    scored: bool


@dataclass(frozen=True, slots=True)
class _Parts:
    rules: str
    demonstrations: tuple[Demonstration | str, ...]
    renderer: Renderer | None


@dataclass(frozen=True)
class PromptTexts:
    """The texts of a run's prompts.

    Attributes:
        ledger: of the run.
        rules: of a search, shared by all its prompts.
        demonstrations: of a search, by id.
        variants: of an evaluation, by name.
        renderer: of a search; None where it is not known any more.
    """

    ledger: Path
    rules: str = ""
    demonstrations: Mapping[str, Demonstration] = field(default_factory=dict)
    questions: Mapping[str, Question] = field(default_factory=dict)
    variants: Mapping[str, _Parts] = field(default_factory=dict)
    renderer: Renderer | None = None

    def text(self, prompt: str, demonstrations: Iterable[str]) -> str:
        """The prompt of this name that shows these demonstrations; an unknown one by its id alone."""
        parts = self._parts(prompt, demonstrations)
        return _spell(parts.rules, parts.demonstrations)

    def turns(self, answer: Answer) -> tuple[str, ...]:
        """What the user said, turn by turn."""
        question = self.questions.get(answer.question)
        return question.turns if question else (answer.query,)

    def rendered(self, answer: Answer) -> RenderedPrompt | None:
        """The prompt of an answer's last turn; None where that takes what the run directory does not keep."""
        parts = self._parts(answer.prompt, answer.candidate)
        shown = [demonstration for demonstration in parts.demonstrations if isinstance(demonstration, Demonstration)]
        if parts.renderer is None or len(shown) < len(parts.demonstrations):
            return None
        asked = self.turns(answer)[: max(1, len(answer.answers))]
        turns = [text for pair in zip(asked, answer.answers, strict=False) for text in pair]
        conversation = tuple(turns[: 2 * len(asked) - 1]) or asked
        block = parts.renderer.block(parts.rules, shown, [conversation])
        return RenderedPrompt(block.prompt(0), self.ledger.exists() and knows_prefix(self.ledger, block.prefix))

    def _parts(self, prompt: str, demonstrations: Iterable[str]) -> _Parts:
        if prompt in self.variants:
            return self.variants[prompt]
        shown = tuple(self.demonstrations.get(name) or name for name in demonstrations)
        return _Parts(self.rules, shown, self.renderer)


def read_prompt_texts(path: Path) -> PromptTexts:
    """Read the prompts of the run at `path`. Raises InputError where there is none, or it cannot be read."""
    if is_evaluation(path):
        return _of_evaluation(read_evaluation_results(path))
    results = read_search_results(path)
    return _of_search(results, results.material) if results.material else PromptTexts(results.ledger)


def _of_search(results: SearchResults, material: Material) -> PromptTexts:
    return PromptTexts(
        ledger=results.ledger,
        rules=material.rules,
        demonstrations=material.demonstrations,
        questions=material.questions,
        renderer=restore_renderer(results.config.render, material.template),
    )


def _of_evaluation(results: EvaluationResults) -> PromptTexts:
    material = results.material
    if material is None:
        return PromptTexts(results.ledger)
    renders = {variant.name: variant.render or results.config.render for variant in results.config.variants}
    variants = {
        name: _Parts(prompt.rules, tuple(prompt.demonstrations), _renderer(renders.get(name, results.config.render)))
        for name, prompt in material.prompts.items()
    }
    return PromptTexts(results.ledger, questions=material.questions, variants=variants)


def _renderer(config: RenderConfig) -> Renderer | None:
    """An evaluation does not keep the model's chat template."""
    return None if config.template == "chat" else urial_renderer(config)


def _spell(rules: str, demonstrations: Iterable[Demonstration | str]) -> str:
    parts = [rules.strip()] if rules.strip() else []
    for number, shown in enumerate(demonstrations, start=1):
        if isinstance(shown, str):
            parts.append(f"{number}. {shown}")
        else:
            turns = (f"Query: {query.strip()}\n\nAnswer: {answer.strip()}" for query, answer in shown.turns)
            parts.append("\n\n".join([f"{number}. {shown.id}", *turns]))
    return "\n\n".join(parts)
