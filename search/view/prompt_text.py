"""A prompt as people read it: its rules, then each demonstration, as the run directory keeps them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from search.prompts.demonstration import Demonstration
from search.results.evaluation_results import read_evaluation_results
from search.results.search_results import read_search_results
from search.run_directory.run import is_evaluation


class PromptTexts:
    """The texts of a run's prompts.

    Args:
        rules: of a search, shared by all its prompts.
        demonstrations: of a search, by id.
        variants: of an evaluation: text by the variant's name.
    """

    def __init__(self, rules: str, demonstrations: Mapping[str, Demonstration], variants: Mapping[str, str]) -> None:
        self._rules = rules
        self._demonstrations = demonstrations
        self._variants = variants

    def text(self, prompt: str, demonstrations: Iterable[str]) -> str:
        """The prompt of this name that shows these demonstrations; an unknown one by its id alone."""
        if prompt in self._variants:
            return self._variants[prompt]
        return _spell(self._rules, [self._demonstrations.get(name) or name for name in demonstrations])


def read_prompt_texts(path: Path) -> PromptTexts:
    """Read the prompts of the run at `path`. Raises InputError where there is none, or it cannot be read."""
    if is_evaluation(path):
        compared = read_evaluation_results(path).material
        prompts = compared.prompts if compared else {}
        return PromptTexts("", {}, {name: _spell(own.rules, own.demonstrations) for name, own in prompts.items()})
    material = read_search_results(path).material
    return PromptTexts(material.rules, material.demonstrations, {}) if material else PromptTexts("", {}, {})


def _spell(rules: str, demonstrations: Iterable[Demonstration | str]) -> str:
    parts = [rules.strip()] if rules.strip() else []
    for number, shown in enumerate(demonstrations, start=1):
        if isinstance(shown, str):
            parts.append(f"{number}. {shown}")
        else:
            turns = (f"Query: {query.strip()}\n\nAnswer: {answer.strip()}" for query, answer in shown.turns)
            parts.append("\n\n".join([f"{number}. {shown.id}", *turns]))
    return "\n\n".join(parts)
