"""The best candidate of a run, with all that it takes to write it down."""

from dataclasses import dataclass
from pathlib import Path

from configs.errors import InputError
from configs.schema.run import RunConfig
from evaluators.ledger.queries import knows_prefix
from search.problem.material import Material
from search.prompts.demonstration import Demonstration
from search.prompts.render import Renderer, restore_renderer
from search.results.search_results import SearchResults, read_search_results
from search.results.status import Standing, Status, status_of
from search.run_directory.run import ledger_path, require_search
from workers.prompt import Decoding, PromptBlock


@dataclass(frozen=True, slots=True)
class BestPrompt:
    """The prompt to export, and where it comes from.

    Attributes:
        results: of the run, as they were read.
        chosen: the winner; or what the search has found, though too little says that it beats the base prompt.
        demonstrations: of this candidate, in order.
        block: its prompts of the search questions' first turns, as they were scored.
        decoding: that they were answered with.
    """

    results: SearchResults
    status: Status
    chosen: Standing
    material: Material
    demonstrations: tuple[Demonstration, ...]
    renderer: Renderer
    block: PromptBlock
    decoding: Decoding

    @property
    def config(self) -> RunConfig:
        return self.results.config

    @property
    def decoding_name(self) -> str:
        """One of the strategy's further decodings, or `OWN`."""
        return self.chosen.candidate.decoding

    @property
    def is_chat(self) -> bool:
        """Whether it was scored in the model's own chat template; else as text to be continued."""
        return self.config.render.template == "chat"

    @property
    def warning(self) -> str:
        """How sure it is that this prompt beats the base prompt, where the run itself would export that; else ""."""
        if self.chosen == self.status.winner:
            return ""
        enough = self.config.scoring.min_win_probability
        if self.status.win_probability is None:
            return "the search ranks the base prompt above this prompt: nothing says that it is better"
        probable = f"{100 * self.status.win_probability:.1f} % probable"
        return (
            f"all scores of the run together make it {probable} that this prompt beats the base prompt, which is less "
            f"than scoring.min_win_probability asks for ({100 * enough:.0f} %); compare the two on further questions "
            "with `demosearch evaluate`"
        )


def read_best_prompt(path: Path, best_so_far: bool = False, anyway: bool = False) -> BestPrompt:
    """Read the best prompt of the run at `path`.

    Args:
        best_so_far: also from a search that has not ended.
        anyway: the best candidate but the base prompt, where the base prompt is the winner.

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
    chosen = _best_but_base(path, status) if anyway else status.winner
    config, material = results.config, results.material
    assert material is not None
    candidate = chosen.candidate
    demonstrations = material.shown(candidate)
    renderer = restore_renderer(config.render, material.template)
    block = renderer.block(material.rules, demonstrations, [(question.query,) for question in material.search])
    if not results.lost:
        _check_scored(path, config, block)
    decoding = results.decoding(candidate)
    return BestPrompt(results, status, chosen, material, demonstrations, renderer, block, decoding)


def _best_but_base(path: Path, status: Status) -> Standing:
    base = status.base.candidate if status.base else None
    for standing in (status.winner, status.runner_up):
        if standing is not None and standing.candidate != base:
            return standing
    raise InputError(f"the search in {path} has scored no candidate but the base prompt: export without --anyway")


def _check_scored(path: Path, config: RunConfig, block: PromptBlock) -> None:
    ledger = ledger_path(path, config)
    if ledger.exists() and not knows_prefix(ledger, block.prefix):
        raise InputError(
            "this version of demosearch does not render the prompt that was scored: export with the version in "
            f"{path / 'manifest.json'}"
        )
