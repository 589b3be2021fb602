"""Directories of evaluations made by hand: real files, written by the real parts, with answers and scores as a test
wants them."""

import asyncio
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from configs.loading import load_evaluation
from evaluators.answer_keys import AnswerKeys
from evaluators.evaluation import Failure
from evaluators.judge import Verdict
from evaluators.ledger.keys import verdict_key
from evaluators.ledger.ledger import Ledger
from evaluators.question import Question
from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial, mean_of
from search.prompts.demonstration import Demonstration
from search.prompts.urial import BasePrompt
from search.results.alpaca_eval import Place
from search.results.evaluation_material import EvaluationMaterial
from search.run_directory.files import write_json
from search.run_directory.run import Run
from search.run_directory.variant_records import VariantRecord, write_variant_records
from workers.prompt import Completion
from workers.usage import Usage

JUDGE = "scripted judge"
Score = Callable[[str, str], float]
Say = Callable[[str, str], str]


def plainly(name: str, question: str) -> str:
    return f"{name} on {question}"


def made_evaluation(
    path: Path,
    questions: Mapping[str, str],
    variants: tuple[str, ...],
    score: Score,
    say: Say = plainly,
    *,
    words: str = "as the judge sees it",
    places: tuple[Place, ...] = (),
    through: int | None = None,
) -> Path:
    """An evaluation of these variants.

    Args:
        questions: with their categories.
        score: of a variant on a question; NaN for one that fails.
        places: on AlpacaEval's leaderboard.
        through: so many variants are, and then it was stopped; all of them when absent.
    """
    named = json.dumps([{"name": name} for name in variants])
    config = load_evaluation("evaluate_quickstart", [f"variants={named}", "scoring.max_failed_share=0.5"])
    run = Run.create(path, config)
    run.check_manifest({"judge": [[JUDGE, 1.0, 1, "mean"]], "questions": f"{len(questions)} questions"})
    asked = {name: Question(name, (f"question {name}",), category) for name, category in questions.items()}
    prompt = BasePrompt(f"rules {words}", (Demonstration("d", f"query {words}", f"answer {words}"),))
    write_json(
        path / "material.json", EvaluationMaterial(asked, dict.fromkeys(variants, prompt)).to_json(), with_checksum=True
    )
    done = [_record(name, asked, score, say) for name in variants[:through]]
    write_variant_records(path, done)
    asyncio.run(_pay(run, asked, done, words))
    if places:
        write_json(path / "alpaca_eval.json", {"places": [asdict(place) for place in places]})
    run.set_state("finished" if through is None else "stopped", "" if through is None else "interrupted")
    run.close()
    return path


def _record(name: str, asked: Mapping[str, Question], score: Score, say: Say) -> VariantRecord:
    points = {question: score(name, question) for question in asked}
    scores = {question: value for question, value in points.items() if not math.isnan(value)}
    failed = dict.fromkeys((question for question in asked if question not in scores), "JudgeFailed")
    return VariantRecord(
        name,
        ScoredTrial(
            trial=Trial(Candidate(("d",)), tuple(asked)),
            scores=scores,
            failures=failed,
            mean=mean_of(scores, len(failed), 0.5),
            lengths={question: len(say(name, question)) for question in scores},
            keys={question: _keys(name, asked[question], say(name, question)).to_text() for question in scores},
            answers={question: (say(name, question),) for question in scores},
        ),
    )


def _keys(name: str, question: Question, answer: str) -> AnswerKeys:
    generation = sha256(f"{name} {question.id}".encode()).digest()
    return AnswerKeys((generation,), (((verdict_key(JUDGE, question, (answer,)),),),))


async def _pay(run: Run, asked: Mapping[str, Question], records: list[VariantRecord], words: str) -> None:
    ledger, usage = Ledger(run.path / "ledger.sqlite", run.id), Usage(1, 10, 4, 5, 0.01)
    ledger.keep_judge(b"judge", JUDGE)
    for record in records:
        for question, (answer,) in record.scored.answers.items():
            keys = _keys(record.name, asked[question], answer)
            ((generation,), (((spoken,),),)) = keys.generations, keys.verdicts
            ledger.keep_completion(generation, b"prompt", question, Completion(answer, 20, 7, "stop"))
            verdict = Verdict(record.scored.scores[question], words, usage)
            ledger.keep_verdict(spoken, b"judge", question, generation, verdict)
        for question in record.scored.failures:
            failure = Failure(question, "verdict", "JudgeFailed", f"the judge does not take {words}")
            ledger.keep_failure(f"{record.name} {question} verdict".encode(), failure)
        await ledger.flush()
    await ledger.close()
