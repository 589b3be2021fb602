"""The stored answers of a search or an evaluation under another judge, for the price of verdicts alone.

Nothing is generated: completions are looked up in the ledger by the keys in the journal. Verdicts go into the same
ledger under the new judge, so a rejudging that is interrupted goes on where it was, and a search that goes on from
this one under the new judge (`search.running.succession`) pays for none of them again. The run itself stays what it
was: what this costs stands under an id of its own.
"""

import logging
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from configs.errors import InputError, RunStopped
from configs.plural import show_many
from configs.schema.rejudge import RejudgeConfig
from configs.score_bounds import score_bounds
from evaluators.evaluation import Failure
from evaluators.ledger.ledger import Ledger
from evaluators.ledger.spend import Spend
from evaluators.objective import Objective
from evaluators.pipeline.panel import Panel, PanelMember
from evaluators.pipeline.wiring import Wiring
from evaluators.task_group import task_group
from search.results.answers_table import read_any_results
from search.results.bridge import Scales, SideBridge, bridge
from search.results.evaluation_results import EvaluationResults
from search.results.scored_answers import ScoredAnswer, base_prompt, scored_answers
from search.results.search_results import SearchResults
from search.results.status import FailedItems, by_cause
from search.run_directory.locks import judging, keeping
from search.run_directory.run import require_run, require_search
from search.running.event_loop import in_own_loop
from search.running.judges import make_judges
from search.running.succession import create_successor, successor_config

_log = logging.getLogger(__name__)
_PROBED = 20  # answers drawn at random; a judge that scores none of them is not in order


@dataclass(frozen=True, slots=True)
class Rejudged:
    """What another judge makes of a run.

    Attributes:
        sides: that have answers both judges have scored.
        failed: answers that the new judge gave no score.
        failures: why, the most frequent first.
        spend: what its verdicts have cost, earlier attempts included.
    """

    sides: tuple[SideBridge, ...]
    failed: int
    failures: tuple[FailedItems, ...]
    spend: Spend

    def to_json(self) -> dict[str, Any]:
        """What `demosearch rejudge --json` prints."""
        return {
            "sides": [side.to_json() for side in self.sides],
            "failed": self.failed,
            "failures": [asdict(items) for items in self.failures],
            "verdicts": self.spend.judged,
            "dollars": self.spend.dollars,
        }


def rejudge(path: Path | str, config: RejudgeConfig, successor: Path | None = None) -> Rejudged:
    """Have every stored answer of the search or evaluation at `path` judged by another judge.

    Args:
        successor: directory of a new run, made at the end, whose `resume` goes on with the search under that judge.

    Raises:
        InputError: there is no such run, nothing in it, or the judge cannot work.
        RunStopped: it cannot go on now, or the judge scores nothing; the same call goes on later, and pays for nothing
            twice.
    """
    # A judge function may change the working directory.
    path, successor = Path(path).absolute(), successor and successor.absolute()
    if successor is not None:
        require_search(path, "rejudge")
    require_run(path)
    with keeping(path):
        return _rejudge(path, config, successor)


def _rejudge(path: Path, config: RejudgeConfig, successor: Path | None) -> Rejudged:
    results = read_any_results(path)
    scored = scored_answers(results)
    if results.material is None or not scored:
        lost = results.lost and f"{path}: {results.lost} Restore the ledger from a copy, then rejudge"
        raise InputError(lost or f"{path} has no answers yet: rejudge it when some prompts are scored")
    if results.lost:
        _log.warning("%s", results.lost)
    succeeding = None
    if successor is not None and isinstance(results, SearchResults):
        succeeding = successor_config(results, config, successor)
    judges = make_judges(config.judge, path)
    judges.check([*results.material.questions.values()], Objective.of(results.config.scoring))
    work = _Rejudging(results, judges.members, config, scored)
    in_own_loop(work.run)
    if successor is not None and succeeding is not None and isinstance(results, SearchResults):
        create_successor(results, succeeding, successor)
    return work.outcome()


class _Rejudging:
    def __init__(
        self,
        results: SearchResults | EvaluationResults,
        members: Sequence[PanelMember],
        config: RejudgeConfig,
        stored: Sequence[ScoredAnswer],
    ) -> None:
        self._results = results
        self._members = members
        self._config = config
        self._objective = Objective.of(results.config.scoring)
        self._stored = stored
        self._scores: list[float | None] = [None] * len(stored)
        self._failures: list[Failure] = []
        self._spend = Spend()

    async def run(self) -> None:
        """Judge everything that the ledger has no verdict on yet."""
        async with AsyncExitStack() as stack:
            for member in self._members:
                stack.push_async_callback(member.judge.close)
                await member.judge.start()
            stack.enter_context(judging(self._results.ledger, self._id()))
            ledger = Ledger(self._results.ledger, self._id())
            stack.push_async_callback(ledger.close)
            panel = Wiring(ledger, self._members, limits=self._config.budget).panel
            stack.push_async_callback(panel.close)
            await panel.start()
            _log.info("judging %d stored answers", len(self._stored))
            order = [*range(len(self._stored))]
            random.Random(0).shuffle(order)  # noqa: S311 - not a secret
            await self._judge_all(panel, order[:_PROBED])
            self._refuse_useless()
            await self._judge_all(panel, sorted(order[_PROBED:]))
            await ledger.flush()
            self._spend = ledger.spend

    async def _judge_all(self, panel: Panel, indices: Sequence[int]) -> None:
        async with task_group() as tasks:
            for index in indices:
                tasks.create_task(self._judge(panel, index))

    async def _judge(self, panel: Panel, index: int) -> None:
        stored = self._stored[index]
        scores: list[float | None] = []
        for turn in range(len(stored.answers)):
            score = None
            if self._objective.counts(turn):
                outcome = await panel.score(stored.question, stored.answers[: turn + 1], stored.generations[turn])
                if isinstance(outcome, Failure):
                    self._failures.append(outcome)
                    return
                score = outcome
            scores.append(score)
        self._scores[index] = self._objective.combine(scores)

    def _refuse_useless(self) -> None:
        """Raises RunStopped where the judge has scored none of the answers drawn, and would be paid for nothing."""
        if all(score is None for score in self._scores):
            raise RunStopped(
                f"the new judge has scored none of {show_many(len(self._failures), 'answer')} drawn at random "
                f"({self._failures[0].message}): correct it, then go on"
            )

    def outcome(self) -> Rejudged:
        """Both judges beside each other."""
        base = base_prompt(self._results)
        scored = [
            (stored, score) for stored, score in zip(self._stored, self._scores, strict=True) if score is not None
        ]
        config = self._results.config
        scales = Scales(score_bounds(config.scoring, config.judge), self._config.judge.bounds)
        sides = []
        for side in dict.fromkeys(stored.side for stored, _ in scored):
            before: dict[str, dict[str, float]] = {}
            now: dict[str, dict[str, float]] = {}
            for stored, score in scored:  # in the order of the run, whatever the order of the verdicts
                if stored.side == side:
                    before.setdefault(stored.prompt, {})[stored.question.id] = stored.score
                    now.setdefault(stored.prompt, {})[stored.question.id] = score
            if (held := bridge(side, base, before, now, self._results.confidence, scales)) is not None:
                sides.append(held)
        return Rejudged(tuple(sides), self._scores.count(None), by_cause(self._failures), self._spend)

    def _id(self) -> str:
        """The run id of the spend: another one than the run's own, the same each time."""
        fingerprints = [member.judge.fingerprint for member in self._members]
        return sha256(f"rejudge {self._results.run} {fingerprints}".encode()).hexdigest()[:32]
