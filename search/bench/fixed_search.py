"""A search as the composition root wires it, around a model and a judge that are given: real loop, ledger and journal.

A greedy round: candidates of 3 fixed demonstrations and 1 more, answers of about 1,200 characters.
"""

from pathlib import Path

from configs.schema.data import RenderConfig
from configs.schema.scoring import ScoringConfig
from configs.schema.strategy import ExhaustiveGreedyConfig
from evaluators.judge import Judge
from evaluators.ledger.ledger import Ledger
from evaluators.pipeline.panel import PanelMember
from evaluators.pipeline.wiring import Wiring
from evaluators.question import Question
from search.problem.candidate import OWN
from search.problem.material import Material
from search.problem.space import SearchSpace
from search.problem.split import HeldOut
from search.prompts.demonstration import Demonstration
from search.prompts.render import UrialRenderer
from search.prompts.urial import FORMS
from search.run_directory.journal import Journal
from search.running.coordinator import Coordinator
from search.running.frozen_heap import frozen_heap
from search.running.scorer import Scorer
from search.strategies.exhaustive_greedy import ExhaustiveGreedy
from search.strategies.strategy import Strategy
from workers.prompt import Decoding
from workers.text_model import TextModel

ANSWER = ("Thank you for asking, here is what I know about it. " * 24)[:1200]
_RULES = "You are a helpful assistant.\n"
_UNSEEN = Question("held out", ("another question",), "all")


async def run_round(
    folder: Path, name: str, model: TextModel, judge: Judge, candidates: int, asked: int, stop: int = 1
) -> int:
    """Run one greedy round, and the held-out questions.

    Args:
        folder: of the ledger, and of a journal with this name.
        asked: questions.
        stop: after so many failed trials in a row.

    Returns:
        Evaluations.
    """
    demonstrations, questions = _demonstrations(candidates + 3), _questions(asked)
    names = tuple(demonstration.id for demonstration in demonstrations)
    space = SearchSpace(names[:3], names[3:], tuple(question.id for question in questions), 0, 1)
    greedy = ExhaustiveGreedy(space, ExhaustiveGreedyConfig(kind="exhaustive_greedy", max_demonstrations=1))
    material = Material(_RULES, tuple(demonstrations[:3]), tuple(demonstrations[3:]), tuple(questions), (_UNSEEN,), {})
    files = folder / "ledger.sqlite", folder / f"{name}.jsonl"
    return await run_search(files, model, judge, material, space, greedy, ScoringConfig(stop_after_failed=stop))


async def run_search(
    files: tuple[Path, Path],
    model: TextModel,
    judge: Judge,
    material: Material,
    space: SearchSpace,
    strategy: Strategy,
    scoring: ScoringConfig,
) -> int:
    """Run a search to its end, the held-out questions included.

    Args:
        files: the ledger, and the journal.

    Returns:
        Evaluations.
    """
    renderer = UrialRenderer(FORMS[RenderConfig().template])
    ledger, journal = Ledger(files[0], "bench"), Journal(files[1])
    wiring = Wiring(ledger, [PanelMember(judge)])
    evaluator = wiring.evaluator(wiring.answers(model, await model.start()), renderer.clean)
    scorer = Scorer(
        renderer=renderer,
        rules=material.rules,
        demonstrations=material.demonstrations,
        questions=material.questions,
        evaluator=evaluator,
        decodings={OWN: Decoding(max_new_tokens=300)},
        max_failed_share=0,
    )
    coordinator = Coordinator(
        strategy=strategy,
        scorer=scorer,
        journal=journal,
        space=space,
        held_out=HeldOut(tuple(question.id for question in material.held_out)),
        window=12,
        scoring=scoring,
    )
    with frozen_heap():
        await coordinator.run()
    await wiring.close_judges()
    await ledger.close()
    journal.close()
    return coordinator.position().evaluated


def _demonstrations(count: int) -> list[Demonstration]:
    return [Demonstration(f"d{n}", f"demonstration {n}, how do I do it?", ANSWER) for n in range(count)]


def _questions(count: int) -> list[Question]:
    return [Question(f"q{n}", (f"question {n}: explain topic {n} with an example",), "all") for n in range(count)]
