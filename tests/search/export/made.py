"""A result that was never searched for, to be written down."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from configs.loading import load_config
from configs.schema.run import RunConfig
from evaluators.ledger.spend import Spend
from evaluators.question import Question
from search.export.best_prompt import BestPrompt
from search.problem.candidate import Candidate
from search.problem.decodings import make_decoding
from search.problem.material import Material
from search.prompts.demonstration import Demonstration
from search.prompts.render import make_renderer
from search.results.journal_results import JournalResults
from search.results.search_results import SearchResults
from search.results.status import Standing, Status
from search.run_directory.amendments import Amendments

QUESTION = Question("q", ("What now?",))


def made(rules: str, pairs: list[tuple[str, str]], template: str = "urial_backticks") -> BestPrompt:
    """With these demonstrations in front of one question."""
    return made_of(rules, [Demonstration(str(at), *pair) for at, pair in enumerate(pairs)], f"template={template}")


def made_of(rules: str, demonstrations: Sequence[Demonstration], *render: str) -> BestPrompt:
    """With these demonstrations and these knobs of `render`, as `--set` takes them."""
    config, chosen = _config(*render), tuple(demonstrations)
    renderer = make_renderer(config.render, config.model)
    winner = Standing(Candidate(tuple(one.id for one in chosen)), None, None, None)
    return BestPrompt(
        results=SearchResults(
            path=Path("nowhere"),
            config=config,
            run="",
            state="finished",
            reason="",
            journal=JournalResults(),
            later={},
            _amendments=Amendments((), 0),
            _stop=0,
        ),
        status=Status("run", "finished", "", 1, winner, None, None, Spend()),
        chosen=winner,
        material=Material(rules, (), chosen, (QUESTION,), (QUESTION,), {}),
        demonstrations=chosen,
        renderer=renderer,
        block=renderer.block(rules, chosen, [QUESTION.turns]),
        decoding=make_decoding(config.decoding, renderer),
    )


@cache
def _config(*render: str) -> RunConfig:
    return load_config("quickstart", [f"render.{knob}" for knob in render])
