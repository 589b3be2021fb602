"""A search as the composition root wires it, around a model and a judge that are given: real loop, ledger and journal.

A greedy round: candidates of 3 fixed demonstrations and 1 more, answers of about 1,200 characters.
"""

from pathlib import Path

from configs.schema.data import RenderConfig
from configs.schema.scoring import ScoringConfig
from configs.schema.strategy import ExhaustiveGreedyConfig
from evaluators.judge import Judge
from evaluators.ledger.ledger import Ledger
from evaluators.panel import PanelMember
from evaluators.question import Question
from evaluators.wiring import Wiring
from search.problem.candidate import OWN
from search.problem.space import SearchSpace
from search.prompts.demonstration import Demonstration
from search.prompts.render import UrialRenderer
from search.prompts.urial import FORMS
from search.run_directory.journal import Journal
from search.running.coordinator import Coordinator
from search.running.scorer import Scorer
from search.strategies.exhaustive_greedy import ExhaustiveGreedy
from workers.prompt import Decoding
from workers.text_model import TextModel

ANSWER = ("Thank you for asking, here is what I know about it. " * 24)[:1200]
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
    demonstrations, questions, unseen = _demonstrations(candidates + 3), _questions(asked), _UNSEEN
    names = tuple(demonstration.id for demonstration in demonstrations)
    space = SearchSpace(names[:3], names[3:], tuple(question.id for question in questions), 0, 1)
    renderer = UrialRenderer(FORMS[RenderConfig().template])
    ledger, journal = Ledger(folder / "ledger.sqlite", "w1"), Journal(folder / f"{name}.jsonl")
    wiring = Wiring(ledger, [PanelMember(judge)])
    evaluator = wiring.evaluator(wiring.answers(model, await model.start()), renderer.clean)
    scorer = Scorer(
        renderer=renderer,
        rules="You are a helpful assistant.\n",
        demonstrations={demonstration.id: demonstration for demonstration in demonstrations},
        questions={question.id: question for question in [*questions, unseen]},
        evaluator=evaluator,
        decodings={OWN: Decoding(max_new_tokens=300)},
        max_failed_share=0,
    )
    coordinator = Coordinator(
        strategy=ExhaustiveGreedy(space, ExhaustiveGreedyConfig(kind="exhaustive_greedy", max_demonstrations=1)),
        scorer=scorer,
        journal=journal,
        space=space,
        held_out=[unseen.id],
        window=12,
        scoring=ScoringConfig(stop_after_failed=stop),
    )
    await coordinator.run()
    await evaluator.close()
    await ledger.close()
    journal.close()
    return coordinator.position().evaluated


def _demonstrations(count: int) -> list[Demonstration]:
    return [Demonstration(f"d{n}", f"demonstration {n}, how do I do it?", ANSWER) for n in range(count)]


def _questions(count: int) -> list[Question]:
    return [Question(f"q{n}", (f"question {n}: explain topic {n} with an example",), "all") for n in range(count)]
