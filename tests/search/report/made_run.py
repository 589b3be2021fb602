"""Run directories made by hand: real files, written by the real parts, with answers and scores as a test wants them.

Demonstration `a` asks "query a", question `g1` asks "question g1"; so a prompt tells what it was made of.
"""

import asyncio
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from configs.loading import load_config
from evaluators.drafting import Drafting
from evaluators.failures import JudgeFailed
from evaluators.judge import Verdict
from evaluators.ledger.ledger import Ledger
from evaluators.objective import Objective
from evaluators.question import Question
from evaluators.utilization import Utilization
from search.problem.candidate import OWN, Candidate
from search.problem.material import Material
from search.problem.trial import ScoredTrial, Side, Trial
from search.prompts.demonstration import Demonstration
from search.prompts.render import UrialRenderer
from search.prompts.urial import BACKTICKS
from search.run_directory.files import write_json
from search.run_directory.journal import Journal
from search.run_directory.records import LEADERS, EndRecord, ExpectedGain, TrialRecord
from search.run_directory.run import Run
from search.running.scorer import Scorer
from tests.fakes import ScriptedModel
from tests.plain_evaluator import GREEDY, plain_evaluator
from workers.usage import Usage

Names = tuple[str, ...]
BASE: Names = ("base",)
POOL: Names = ("a", "b", "c")
STRATEGY = "strategy={kind: optuna, trials: 120, max_demonstrations: 3, insert: back, block: 32}"
PRICE = 0.01
HOT = replace(GREEDY, temperature=0.7)
NEW_TOKENS = 50  # of `plain_evaluator`; a word is a token

Score = Callable[[Names, str], float]
Say = Callable[[Names, str], str]


def plainly(names: Names, question: str) -> str:
    return f"{'+'.join(names)} on {question}"


class ScriptedJudge:
    """Scores as told by a table of answers, by turns `wobble` above and below; an answer that is not in it fails."""

    def __init__(self, words: str, wobble: float = 0.0) -> None:
        self.scores: dict[tuple[str, str], float] = {}
        self.fingerprint = "scripted judge"
        self._words, self._wobble = words, wobble

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None:
        return None

    async def start(self) -> None:
        return None

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:
        score = self.scores.get((question.id, answers[-1]))
        if score is None:
            raise JudgeFailed(f"the judge does not take {question.id}")
        return Verdict(score + self._wobble * (-1) ** repeat, self._words, Usage(1, 10, 4, 5, PRICE))

    async def close(self) -> None:
        return None


class MadeRun:
    """A run in the making.

    Args:
        search, held_out: questions, with their categories.
        score: of a candidate on a question; NaN for one that fails.
        say: what the model says to a question behind a candidate's demonstrations.
        words: of the judge, whatever it reads.
        further: what is asked next of every question; both turns count, and the second scores one point more.
        repeats, wobble: verdicts on each answer, and how far each lies from their mean.
        hot: a further decoding has this name; with it, answers begin with "hot" and score one point more.
        strategy: as an override of the config.
    """

    def __init__(
        self,
        path: Path,
        search: Mapping[str, str],
        held_out: Mapping[str, str],
        score: Score,
        say: Say = plainly,
        words: str = "as the judge sees it",
        further: str = "",
        *,
        repeats: int = 1,
        wobble: float = 0.0,
        hot: str = "",
        strategy: str = STRATEGY,
    ) -> None:
        self.path = path
        self._material = Material(
            rules="rules\n",
            base=tuple(Demonstration(name, f"query {name}", f"answer {name}") for name in BASE),
            pool=tuple(Demonstration(name, f"query {name}", f"answer {name}") for name in POOL),
            search=tuple(_question(name, category, further) for name, category in search.items()),
            held_out=tuple(_question(name, category, further) for name, category in held_out.items()),
            digests={},
        )
        self._score, self._say, self._judge = score, say, ScriptedJudge(words, wobble)
        self._further, self._repeats = further, repeats
        objective = "mean" if further else "turn_1"
        knobs = ["workers.kind=local", "strategy.insert=front", "scoring.max_failed_share=0.5"]
        if hot:
            knobs.append(f"strategy={{kind: optuna, decodings: [{{name: {hot}, temperature: 0.7}}]}}")
        self._decodings = {OWN: GREEDY, **({hot: HOT} if hot else {})}
        self._run = Run.create(path, load_config("quickstart", [strategy, *knobs, f"scoring.objective={objective}"]))
        self._trials: list[tuple[Side, Trial]] = []

    def start(self) -> None:
        """As the coordinator does when the model is loaded."""
        decodings = {name: asdict(one) for name, one in self._decodings.items()}
        judge = [[self._judge.fingerprint, 1.0, self._repeats, "mean"]]
        manifest = {"model": "m", "decoding": decodings.pop(OWN), "judge": judge, "versions": {"demosearch": "0.1.0"}}
        if decodings:
            manifest["decodings"] = decodings
        self._run.check_manifest(manifest)
        write_json(self.path / "material.json", self._material.to_json(), with_checksum=True)

    def search(self, *added: str, questions: Sequence[str] | None = None, decoding: str = OWN, again: int = 0) -> None:
        """Try these in front of the base prompt, on all search questions when not told which; `again` as in `Trial`."""
        every = [question.id for question in self._material.search]
        self._trials.append(("search", Trial(Candidate((*added, *BASE), decoding), tuple(questions or every), again)))

    def judge_finalists(
        self,
        *candidates: Sequence[str],
        better: float | None = 0.98,
        decoding: str = OWN,
        expected: tuple[ExpectedGain | None, ExpectedGain | None] = (None, None),
        drift: float = 0.0,
    ) -> None:
        """Score these on the held-out questions; the first has won, in this decoding, in which the base prompt is then
        scored too. The scores make it so probable that what was found beats the base prompt; None where nothing was."""
        every = tuple(question.id for question in self._material.held_out)
        decodings = [decoding, *[OWN] * len(candidates)]
        self._finalists = [Candidate((*added, *BASE), one) for added, one in zip(candidates, decodings, strict=False)]
        control = [] if decoding == OWN else [Candidate(BASE, decoding)]
        self._trials += [("held_out", Trial(one, every)) for one in (*self._finalists, *control)]
        self._better, self._expected, self._drift = better, expected, drift

    def write(self, *, ended: bool = True) -> Path:
        """Evaluate everything, and write it down.

        Args:
            ended: the search has; else it was stopped.
        """
        self.start()
        asyncio.run(self._evaluate(ended))
        self._run.set_state("finished" if ended else "stopped", "" if ended else "interrupted")
        self._run.close()
        return self.path

    def go_on(self) -> None:
        """Evaluate what is new, and stay at work: the run is not given back."""
        self.start()
        asyncio.run(self._evaluate(False))

    async def _evaluate(self, ended: bool) -> None:
        ledger, journal = Ledger(self.path / "ledger.sqlite", self._run.id), Journal(self.path / "journal.jsonl")
        renderer = UrialRenderer(BACKTICKS)
        objective = Objective((1.0, 1.0) if self._further else (1.0,))
        model = ScriptedModel(self._answer, sampled="hot ")
        wiring, evaluator = plain_evaluator(
            ledger, model, self._judge, objective=objective, clean=renderer.clean, repeats=self._repeats
        )
        scorer = Scorer(
            renderer=renderer,
            rules=self._material.rules,
            demonstrations=self._material.demonstrations,
            questions=self._material.questions,
            evaluator=evaluator,
            decodings=self._decodings,
            max_failed_share=0.5,
        )
        await wiring.start_judges()
        told: list[ScoredTrial] = []
        for kind, trial in self._trials:
            scored = await scorer.score(trial)
            told += [scored] if kind == "search" else []
            journal.append(TrialRecord(kind, scored, _leaders(told) if kind == "search" else ()))
        if ended:
            winner, runner_up = self._finalists[:2]
            journal.append(EndRecord(winner, runner_up, self._better, self._expected, self._drift))
        await ledger.keep_time(10.0, Utilization(20.0, 15.0, 10.0, 9.0, 6.0, 4.0), Drafting(900, 300, 800))
        await wiring.close_judges()
        await ledger.close()
        journal.close()

    def _answer(self, prompt: str) -> str:
        names = tuple(re.findall(r"^query (\S+)$", prompt, re.MULTILINE))
        question = re.findall(r"^question (\S+)$", prompt, re.MULTILINE)[-1]
        said, score = self._say(names, question), self._score(names, question)
        if self._further and prompt.count(self._further):
            said, score = f"further, {said}", score + 1
        if not math.isnan(score):
            self._judge.scores[question, " ".join(said.split(" ")[:NEW_TOKENS])] = score
            self._judge.scores[question, " ".join(["hot", *said.split(" ")][:NEW_TOKENS])] = score + 1
        return said


def _question(name: str, category: str, further: str) -> Question:
    return Question(name, (f"question {name}", further) if further else (f"question {name}",), category)


def _leaders(told: Sequence[ScoredTrial]) -> tuple[Candidate, ...]:
    scored = [one for one in told if one.mean is not None]
    best = sorted(scored, key=lambda one: -(one.mean or 0.0))[:LEADERS]
    return tuple(one.trial.candidate for one in best)


def small_run(path: Path, score: Score, say: Say = plainly, words: str = "as the judge sees it") -> MadeRun:
    """Four search questions and three held-out ones, of two categories; nothing tried yet but the base prompt."""
    search = {"g1": "maths", "g2": "maths", "g3": "prose", "g4": "prose"}
    run = MadeRun(path, search, {"h1": "maths", "h2": "prose", "h3": "prose"}, score, say, words)
    run.search()
    return run


def table(rows: Mapping[Names, Mapping[str, float]]) -> Score:
    """Scores by what is added to the base prompt, and question."""
    return lambda names, question: rows[names[: len(names) - len(BASE)]][question]
