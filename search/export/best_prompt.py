"""The best candidate of a run, with all that it takes to write it down."""

from dataclasses import dataclass
from pathlib import Path

from configs.errors import InputError
from configs.schema.run import RunConfig
from evaluators.ledger.queries import knows_prefix
from search.problem.candidate import OWN
from search.problem.material import Material
from search.prompts.demonstration import Demonstration
from search.prompts.render import Renderer, restore_renderer
from search.results.search_results import read_search_results
from search.results.status import Status, status_of
from search.run_directory.run import ledger_path, require_search
from workers.prompt import Decoding, PromptBlock


@dataclass(frozen=True, slots=True)
class BestPrompt:
    """Attributes:
    path: of the run.
    demonstrations: of the best candidate, in order.
    block: its prompts of the search questions' first turns, as they were scored.
    decoding: that they were answered with.
    """

    path: Path
    config: RunConfig
    status: Status
    material: Material
    demonstrations: tuple[Demonstration, ...]
    renderer: Renderer
    block: PromptBlock
    decoding: Decoding

    @property
    def decoding_name(self) -> str:
        """One of the strategy's further decodings, or `OWN`."""
        return OWN if self.status.winner is None else self.status.winner.candidate.decoding

    @property
    def is_chat(self) -> bool:
        """Whether it was scored in the model's own chat template; else as text to be continued."""
        return self.config.render.template == "chat"


def read_best_prompt(path: Path, best_so_far: bool = False) -> BestPrompt:
    """Read the best prompt of the run at `path`.

    Raises:
        InputError: there is no search; or nothing is scored yet; or the search has not ended and `best_so_far` is not
            asked for; or this version spells another prompt than the one that was scored.
    """
    require_search(path, "export")
    results = read_search_results(path)
    status = status_of(results)
    if status.winner is None:
        raise InputError(f"{path} has no scored candidate yet: try again when `demosearch status {path}` shows one")
    if status.state != "finished" and not best_so_far:
        raise InputError(
            f"the search in {path} has not ended: `demosearch resume {path}`, or export what it has with --best-so-far"
        )
    config, material = results.config, results.material
    assert material is not None
    candidate = status.winner.candidate
    chosen = material.shown(candidate)
    renderer = restore_renderer(config.render, material.template)
    block = renderer.block(material.rules, chosen, [(question.query,) for question in material.search])
    _check_scored(path, config, block)
    return BestPrompt(path, config, status, material, chosen, renderer, block, results.decoding(candidate))


def _check_scored(path: Path, config: RunConfig, block: PromptBlock) -> None:
    ledger = ledger_path(path, config)
    if ledger.exists() and not knows_prefix(ledger, block.prefix):
        raise InputError(
            "the prompt that this demosearch renders is not the one that was scored: export with the version in "
            f"{path / 'manifest.json'}"
        )
